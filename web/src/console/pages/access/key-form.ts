import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { accessWords } from "../../../i18n/access";
import type { Failure } from "../../../transport/failure";
import { Draft } from "../../parts/draft";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { readChoices, type Choices } from "./choices";
import { changedValues, faultsOf, kindOf, linesOf, newValues, readTyped, typedOf, type Fault, type Typed } from "./key-draft";
import { isMoney } from "./key-looks";
import { KINDS, changeKey, createKey, limitsOf, readKey, type Key, type Kind, type Limit, type Made } from "./keys";
import "./secret";

const SUGGESTED = 12;

/** A new key, or a change of one. What is typed is kept until it is sent; a provider's key never is. */
@customElement("trivet-key-form")
export class KeyForm extends PagePart {
  /** Null: a new one. */
  @property({ attribute: false }) keyId: string | null = null;
  /** Of a new key, where the address says so. */
  @property() kind = "";
  @property() provider = "";
  @state() private typed: Typed = {};
  @state() private faults = new Map<string, Fault>();
  @state() private failure: Failure | null = null;
  @state() private busy = false;
  @state() private made: Made | null = null;
  private readonly stored = new Reading<Key | "new">(this, (signal) => this.read(signal));
  private readonly choices = new Reading<Choices>(this, (signal) => readChoices(this.client, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.choices.now();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("keyId") && !changed.has("kind") && !changed.has("provider")) return;
    this.stored.value = null;
    this.made = null;
    void this.stored.now();
  }

  override render() {
    const words = accessWords[this.language];
    const back = this.keyId === null ? "/access/keys" : `/access/keys/${this.keyId}`;
    const { made } = this;
    if (made?.secret) {
      return html`<div class="title"><h1>${made.key.name}</h1></div>
        <trivet-secret .context=${this.context} .key=${made.key} .secret=${made.secret} @secret-stored=${() => this.leave(made.key.id)}></trivet-secret>`;
    }
    return html`
      <a class="back" href=${formatRoute(back)}>${icons.chevron()} ${this.keyId === null ? words.backToKeys : words.backToKey}</a>
      <div class="title"><h1>${this.keyId === null ? words.newTitle : words.editTitle}</h1></div>
      ${looks(this.stored, this.language, ghostLines(5, "3.5rem"), (key) => this.form(key, back))}
    `;
  }

  private form(key: Key | "new", back: string) {
    const words = accessWords[this.language];
    const kind = key === "new" ? kindOf(this.typed) : key.kind;
    return html`<form class="panel card" novalidate autocomplete="off" @submit=${this.onSend} @input=${this.onInput} aria-busy=${this.busy}>
      ${key === "new" ? this.kinds(kind) : nothing} ${this.field("name", words.name, words.nameHelp)}
      ${kind === "provider" ? (key === "new" ? this.ofProvider() : nothing) : this.ofCaller(kind)}
      ${this.failure ? problem(this.failure, this.language) : nothing}
      <div class="actions">
        <button class="button primary" type="submit" aria-disabled=${this.busy}>${key !== "new" ? words.save : kind === "provider" ? words.store : words.make}</button>
        <a class="button quiet" href=${formatRoute(back)} @click=${() => (this.draft.text = "")}>${words.cancel}</a>
      </div>
    </form>`;
  }

  private kinds(kind: Kind) {
    const words = accessWords[this.language];
    return html`<fieldset class="kinds">
      <legend>${words.kind}</legend>
      ${KINDS.map(
        (name) => html`<label ?data-chosen=${name === kind}>
          <input type="radio" name="kind" value=${name} .checked=${name === kind} />
          <span><strong>${words[`kind_${name}`]}</strong><span class="hint">${words[`kind_${name}Help`]}</span></span>
        </label>`,
      )}
    </fieldset>`;
  }

  private ofProvider() {
    const words = accessWords[this.language];
    const names = this.choices.value?.providers ?? [];
    return html`${this.select("provider", words.provider, names)}
      <div class="field">
        <label for="value">${words.value}</label>
        <input id="value" name="value" type="password" maxlength="4096" autocomplete="new-password" spellcheck="false" aria-describedby="value-help value-wrong" aria-invalid=${this.faults.has("value")} .value=${this.typed["value"] ?? ""} />
        <p id="value-help" class="hint">${words.valueHelp}</p>
        ${this.wrong("value")}
      </div>`;
  }

  private ofCaller(kind: Kind) {
    const words = accessWords[this.language];
    return html`
      ${kind === "publishable"
        ? html`${this.select("assistant", words.assistant, this.choices.value?.assistants ?? [])} ${this.lines("origins", words.origins, words.originsHelp)}`
        : html`${this.lines("models", words.models, words.modelsHelp)} ${this.suggestions()}`}
      <fieldset class="limits">
        <legend>${words.limits}</legend>
        <p class="hint">${words.limitsHelp}</p>
        ${limitsOf(kind).map((name) => this.limit(name))}
        <div class="field">
          <label for="expires_at">${words.expires_at}</label>
          <input id="expires_at" name="expires_at" type="datetime-local" aria-describedby="expires_at-help expires_at-wrong" aria-invalid=${this.faults.has("expires_at")} .value=${this.typed["expires_at"] ?? ""} />
          <p id="expires_at-help" class="hint">${words.expiresHelp}</p>
          ${this.wrong("expires_at")}
        </div>
        <p class="hint">${words.budgetHelp}</p>
      </fieldset>
    `;
  }

  private limit(name: Limit) {
    const words = accessWords[this.language];
    return html`<div class="field">
      <label for=${name}>${words[name]}</label>
      <input id=${name} name=${name} inputmode=${isMoney(name) ? "decimal" : "numeric"} maxlength="20" placeholder=${words.noLimit} aria-describedby=${`${name}-wrong`} aria-invalid=${this.faults.has(name)} .value=${this.typed[name] ?? ""} />
      ${this.wrong(name)}
    </div>`;
  }

  private field(name: string, label: string, help: string) {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input id=${name} name=${name} maxlength="200" autocomplete="off" aria-describedby=${`${name}-help ${name}-wrong`} aria-invalid=${this.faults.has(name)} .value=${this.typed[name] ?? ""} />
      <p id=${`${name}-help`} class="hint">${help}</p>
      ${this.wrong(name)}
    </div>`;
  }

  private lines(name: string, label: string, help: string) {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <textarea id=${name} name=${name} rows="3" spellcheck="false" autocapitalize="none" aria-describedby=${`${name}-help ${name}-wrong`} aria-invalid=${this.faults.has(name)} .value=${this.typed[name] ?? ""}></textarea>
      <p id=${`${name}-help`} class="hint">${help}</p>
      ${this.wrong(name)}
    </div>`;
  }

  /** A name that is not among those that were loaded stays what it is. */
  private select(name: string, label: string, names: readonly string[]) {
    const chosen = this.typed[name] ?? "";
    const shown = chosen === "" || names.includes(chosen) ? names : [chosen, ...names];
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <select id=${name} name=${name} aria-describedby=${`${name}-wrong`} aria-invalid=${this.faults.has(name)}>
        <option value="" ?selected=${chosen === ""}></option>
        ${shown.map((item) => html`<option value=${item} ?selected=${item === chosen}>${item}</option>`)}
      </select>
      ${this.wrong(name)} ${this.choices.failure ? problem(this.choices.failure, this.language, () => void this.choices.now()) : nothing}
    </div>`;
  }

  private suggestions() {
    const written = linesOf(this.typed["models"] ?? "");
    const left = (this.choices.value?.models ?? []).filter((model) => !written.includes(model)).slice(0, SUGGESTED);
    if (left.length === 0) return nothing;
    return html`<ul class="suggestions">
      ${left.map((model) => html`<li><button class="button" type="button" @click=${() => this.note({ ...this.typed, models: [...written, model].join("\n") })}>${icons.plus()} ${model}</button></li>`)}
    </ul>`;
  }

  private wrong(name: string) {
    const fault = this.faults.get(name);
    return html`<p id=${`${name}-wrong`} class="wrong">${fault ? accessWords[this.language][fault] : nothing}</p>`;
  }

  private get draft(): Draft {
    return new Draft(`access.key.${this.keyId ?? "new"}`);
  }

  /** What was typed before, else the key as it is stored. */
  private async read(signal: AbortSignal): Promise<Key | "new"> {
    const kept = readTyped(this.draft.text);
    if (this.keyId === null) {
      const asked = { ...(this.kind ? { kind: this.kind } : {}), ...(this.provider ? { provider: this.provider } : {}) };
      this.typed = { ...kept, ...asked };
      return "new";
    }
    const key = await readKey(this.client, this.keyId, signal);
    this.typed = { ...typedOf(key), ...kept };
    return key;
  }

  private onInput(event: Event): void {
    const field = event.target as HTMLInputElement;
    if (field.name) this.note({ ...this.typed, [field.name]: field.value });
  }

  private note(typed: Typed): void {
    this.typed = typed;
    const { value: _secret, ...kept } = typed;
    this.draft.text = JSON.stringify(kept);
    if (this.faults.size > 0) this.faults = this.found();
  }

  private found(): Map<string, Fault> {
    const key = this.stored.value;
    if (key === null) return new Map();
    return key === "new" ? faultsOf(kindOf(this.typed), this.typed) : faultsOf(key.kind, this.typed, true);
  }

  private async onSend(event: Event): Promise<void> {
    event.preventDefault();
    const key = this.stored.value;
    if (this.busy || key === null) return;
    this.faults = this.found();
    const [first] = this.faults.keys();
    if (first) return this.renderRoot.querySelector<HTMLElement>(`#${first}`)?.focus();
    this.busy = true;
    this.failure = null;
    try {
      const made =
        key === "new"
          ? await createKey(this.client, newValues(kindOf(this.typed), this.typed))
          : { key: await changeKey(this.client, key.id, changedValues(key, this.typed)), secret: null };
      this.draft.text = "";
      this.typed = {};
      this.made = made;
      if (made.secret === null) this.leave(made.key.id);
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.busy = false;
    }
  }

  private leave(id: string): void {
    this.context.router.navigate(`/access/keys/${id}`, undefined, true);
  }
}

function styles() {
  return css`
    form {
      display: grid;
      gap: var(--space-4);
      max-width: 46rem;
    }

    fieldset {
      min-width: 0;
      margin: 0;
      padding: 0;
      border: 0;
    }

    legend {
      margin-bottom: var(--space-2);
    }

    .kinds {
      display: grid;
      gap: var(--space-2);
    }

    .kinds label {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr);
      gap: var(--space-3);
      padding: var(--space-3) var(--space-4);
      border: 1px solid var(--line);
      border-radius: var(--radius-s);
      cursor: pointer;
    }

    .kinds label[data-chosen] {
      border-color: var(--patina);
      background: var(--patina-wash);
    }

    .kinds input {
      width: 1.125rem;
      height: 1.125rem;
      margin: 0.2rem 0 0;
    }

    .kinds span {
      display: grid;
    }

    .kinds strong {
      font-weight: 600;
      font-size: var(--text-s);
    }

    .limits {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
      gap: var(--space-3) var(--space-4);
    }

    .limits > :is(legend, .hint) {
      grid-column: 1 / -1;
    }

    .limits .field {
      align-content: start;
    }

    .field select[aria-invalid="true"] {
      border-color: var(--danger);
    }

    .wrong:empty {
      display: none;
    }

    .suggestions {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-2);
      margin-top: calc(-1 * var(--space-2));
    }

    .suggestions .button {
      min-height: 2.25rem;
      padding: 0 var(--space-3);
      font: 400 var(--text-xs) / 1.4 var(--mono);
      white-space: normal;
      overflow-wrap: anywhere;
    }

    @media (max-width: 40rem) {
      .limits {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `;
}
