import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { accessWords } from "../../../i18n/access";
import type { Failure } from "../../../transport/failure";
import { Poll } from "../../poll";
import { formatTime } from "../../parts/format";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { keyState, keyStyles, limitList, spendings } from "./key-looks";
import { oldWorks, readKey, readUsage, revokeKey, rotateKey, type Key, type KeyValues, type Usage } from "./keys";
import "./secret";

const EVERY_SECONDS = 4;
const GRACES = [
  ["grace_0", 0],
  ["grace_hour", 3600],
  ["grace_day", 86_400],
  ["grace_week", 604_800],
] as const;

/** One key: what it may, what it has used, and its end. */
@customElement("trivet-key")
export class KeyView extends PagePart {
  @property() keyId = "";
  @state() private asking: "revoke" | "rotate" | null = null;
  @state() private failure: Failure | null = null;
  @state() private busy = false;
  @state() private secret: string | null = null;
  private readonly stored = new Reading(this, (signal) => readKey(this.client, this.keyId, signal));
  private readonly usage = new Poll(this, (signal) => this.readUsage(signal), EVERY_SECONDS);

  static override styles: CSSResultGroup = [PagePart.styles, keyStyles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("keyId")) return;
    this.stored.value = null;
    this.secret = this.asking = null;
    void this.stored.now();
  }

  override render() {
    const words = accessWords[this.language];
    return html`
      <a class="back" href=${formatRoute("/access/keys")}>${icons.chevron()} ${words.backToKeys}</a>
      ${this.stored.failure?.kind === "not_found" && this.stored.value === null
        ? html`<div class="panel empty"><p><strong>${words.gone}</strong></p><p>${words.goneHelp}</p></div>`
        : looks(this.stored, this.language, ghostLines(3, "6rem"), (key) => this.whole(key))}
    `;
  }

  private whole(key: Key) {
    return html`
      <div class="title"><h1>${key.name}</h1></div>
      ${this.secret
        ? html`<trivet-secret rotated .context=${this.context} .key=${key} .secret=${this.secret} @secret-stored=${() => (this.secret = null)}></trivet-secret>`
        : nothing}
      ${this.head(key)} ${key.kind === "provider" ? nothing : this.figures(key)}
    `;
  }

  private head(key: Key) {
    const words = accessWords[this.language];
    const time = (text: string): string => formatTime(text, this.locale);
    const facts = [
      words.createdAt(time(key.createdAt)),
      key.lastUsedAt ? words.lastUsed(time(key.lastUsedAt)) : words.neverUsed,
      key.expiresAt ? words.expiresAt(time(key.expiresAt)) : "",
    ].filter((fact) => fact !== "");
    return html`<article class="panel card head">
      <div class="names">
        <p class="line">${keyState(key, this.language)} <span>${words[`kind_${key.kind}`]}</span> <code>${key.hint}</code></p>
        <dl class="reach">${this.reach(key)}</dl>
        <p class="hint">${facts.join(" · ")}</p>
        ${oldWorks(key, new Date()) && key.oldSecretUntil ? html`<p class="hint">${words.oldSecretUntil(time(key.oldSecretUntil))}</p>` : nothing}
      </div>
      ${key.revokedAt ? nothing : this.actions(key)} ${this.failure ? problem(this.failure, this.language) : nothing}
    </article>`;
  }

  private reach(key: Key) {
    const words = accessWords[this.language];
    const codes = (names: readonly string[]) => names.map((name) => html`<code>${name}</code>`);
    if (key.kind === "provider") return html`<dt>${words.provider}</dt><dd>${codes([key.provider ?? ""])}</dd>`;
    if (key.kind === "application") return html`<dt>${words.models}</dt><dd>${key.models.length === 0 ? words.allModels : codes(key.models)}</dd>`;
    return html`<dt>${words.assistant}</dt><dd>${codes([key.assistant ?? ""])}</dd><dt>${words.origins}</dt><dd>${codes(key.origins)}</dd>`;
  }

  private actions(key: Key) {
    const words = accessWords[this.language];
    const toggle = (what: "revoke" | "rotate") => () => {
      this.asking = this.asking === what ? null : what;
    };
    return html`<div class="actions">
        <a class="button" href=${formatRoute(`/access/keys/${key.id}/edit`)}>${icons.pencil()} ${words.edit}</a>
        <button class="button" type="button" aria-expanded=${this.asking === "rotate"} @click=${toggle("rotate")}>${key.kind === "provider" ? words.replaceNow : words.rotate}</button>
        <button class="button" type="button" aria-expanded=${this.asking === "revoke"} @click=${toggle("revoke")}>${words.revoke}</button>
      </div>
      ${this.asking === "revoke" ? this.sure(key) : nothing} ${this.asking === "rotate" ? this.rotation(key) : nothing}`;
  }

  private sure(key: Key) {
    const words = accessWords[this.language];
    return html`<div class="sure" role="group" aria-labelledby="sure">
      <p id="sure">${words.revokeQuestion}</p>
      <div class="actions">
        <button class="button danger" type="button" aria-disabled=${this.busy} @click=${() => this.doing(() => this.revoke(key))}>${words.revoke}</button>
        <button class="button quiet" type="button" @click=${() => (this.asking = null)}>${words.keep}</button>
      </div>
    </div>`;
  }

  private rotation(key: Key) {
    const words = accessWords[this.language];
    const provider = key.kind === "provider";
    return html`<form class="rotate" @submit=${(event: Event) => this.onRotate(event, key)}>
      <p class="hint">${provider ? words.replaceHelp : words.rotateHelp}</p>
      <div class="row">
        ${provider
          ? html`<div class="field grow">
              <label for="value">${words.value}</label>
              <input id="value" name="value" type="password" required maxlength="4096" autocomplete="new-password" spellcheck="false" />
            </div>`
          : html`<div class="field grow">
              <label for="grace">${words.grace}</label>
              <select id="grace" name="grace">
                ${GRACES.map(([name, seconds]) => html`<option value=${seconds} ?selected=${seconds === 86_400}>${words[name]}</option>`)}
              </select>
            </div>`}
        <button class="button primary" type="submit" aria-disabled=${this.busy}>${provider ? words.replaceNow : words.rotateNow}</button>
      </div>
    </form>`;
  }

  private figures(key: Key) {
    const words = accessWords[this.language];
    return html`<div class="figures">
      <section class="panel card"><h2>${words.usage}</h2>${spendings(key, this.language, this.locale)}</section>
      <section class="panel card"><h2>${words.limits}</h2>${limitList(key, this.usage.value, this.language, this.locale)}</section>
    </div>`;
  }

  /** A figure that cannot be read is left out: the limits themselves are known. */
  private readUsage(signal: AbortSignal): Promise<Usage> {
    return readUsage(this.client, this.keyId, signal);
  }

  private onRotate(event: Event, key: Key): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const values: KeyValues =
      key.kind === "provider" ? { value: String(form.get("value") ?? "").trim() } : { grace_seconds: Number(form.get("grace") ?? 0) };
    void this.doing(async () => {
      const made = await rotateKey(this.client, key.id, values);
      this.stored.set(made.key);
      this.secret = made.secret;
    });
  }

  private async revoke(key: Key): Promise<void> {
    await revokeKey(this.client, key.id);
    this.secret = null;
    await this.stored.now();
  }

  private async doing(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failure = null;
    try {
      await work();
      this.asking = null;
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.busy = false;
    }
  }
}

function styles() {
  return css`
    .title {
      margin-bottom: var(--space-5);
    }

    h1 {
      overflow-wrap: anywhere;
    }

    trivet-secret {
      margin-bottom: var(--space-4);
    }

    .head {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      gap: var(--space-4) var(--space-5);
    }

    .head > :nth-child(n + 3) {
      grid-column: 1 / -1;
    }

    .head > .actions {
      align-self: start;
      justify-content: end;
    }

    .names {
      display: grid;
      gap: var(--space-3);
    }

    .line {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
      font-size: var(--text-s);
    }

    .reach {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr);
      gap: var(--space-1) var(--space-4);
      font-size: var(--text-s);
    }

    .reach dd {
      display: flex;
      flex-wrap: wrap;
      gap: 0 var(--space-4);
    }

    .sure,
    .rotate {
      display: grid;
      gap: var(--space-3);
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-s);
      background: var(--sunken);
      font-size: var(--text-s);
    }

    .rotate .row > .grow {
      flex: 0 1 24rem;
    }

    .sure {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      background: var(--danger-wash);
    }

    .sure .danger {
      background: var(--danger);
      color: var(--surface);
    }

    .figures {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr));
      gap: var(--space-4);
      margin-top: var(--space-4);
    }

    .figures .card {
      display: grid;
      align-content: start;
      gap: var(--space-4);
    }

    .figures h2 {
      margin: 0;
    }

    @media (max-width: 46rem) {
      .head {
        grid-template-columns: minmax(0, 1fr);
      }

      .head > .actions {
        justify-content: start;
      }
    }
  `;
}
