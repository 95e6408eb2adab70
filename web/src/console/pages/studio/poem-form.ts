import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { studioWords } from "../../../i18n/studio";
import { parseJson, type Failure } from "../../../transport/failure";
import { Draft } from "../../parts/draft";
import { fields } from "../../parts/json";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { LANGUAGE, readPoem, savePoem, type NewPoem } from "./poems";

type Name = keyof NewPoem;

/** A poem to be put in, or changed. What is typed is kept until it is saved. */
@customElement("trivet-poem-form")
export class PoemForm extends PagePart {
  /** Null: a new one. */
  @property({ attribute: false }) poemId: string | null = null;
  @state() private wrong: Partial<Record<Name, string>> = {};
  @state() private failure: Failure | null = null;
  @state() private busy = false;
  private readonly given = new Reading<NewPoem>(this, (signal) => this.read(signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("poemId")) void this.given.now();
  }

  override render() {
    const words = studioWords[this.language];
    const back = this.poemId === null ? "/studio" : `/studio/poems/${this.poemId}`;
    return html`
      <a class="back" href=${formatRoute(back)}>${icons.chevron()} ${this.poemId === null ? words.backToPoems : words.backToPoem}</a>
      <div class="title"><h1>${this.poemId === null ? words.newPoem : words.editPoem}</h1></div>
      ${looks(this.given, this.language, ghostLines(4, "3.5rem"), (poem) => this.form(poem, back))}
    `;
  }

  private form(poem: NewPoem, back: string) {
    const words = studioWords[this.language];
    return html`<form class="panel card" novalidate @submit=${this.onSave} @input=${this.onInput}>
      ${this.line("title", words.poemTitle, poem.title, 500)} ${this.line("author", words.author, poem.author, 200)}
      ${this.line("source_lang", words.languageTag, poem.source_lang, 5)}
      <div class="field">
        <label for="original_text">${words.text}</label>
        <textarea id="original_text" name="original_text" rows="12" maxlength="50000" required aria-describedby="text-help original_text-wrong" aria-invalid=${Boolean(this.wrong.original_text)} .defaultValue=${poem.original_text}></textarea>
        <p id="text-help" class="hint">${words.textHelp}</p>
        <p id="original_text-wrong" class="wrong">${this.wrong.original_text ?? nothing}</p>
      </div>
      ${this.failure ? problem(this.failure, this.language) : nothing}
      <div class="actions">
        <button class="button primary" type="submit" aria-disabled=${this.busy}>${words.save}</button>
        <a class="button quiet" href=${formatRoute(back)} @click=${() => (this.draft.text = "")}>${words.cancel}</a>
      </div>
    </form>`;
  }

  private line(name: Name, label: string, value: string, longest: number) {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input id=${name} name=${name} maxlength=${longest} required autocomplete="off" spellcheck="false" autocapitalize="none" aria-describedby=${`${name}-wrong`} aria-invalid=${Boolean(this.wrong[name])} .defaultValue=${value} />
      <p id=${`${name}-wrong`} class="wrong">${this.wrong[name] ?? nothing}</p>
    </div>`;
  }

  private get draft(): Draft {
    return new Draft(`studio.poem.${this.poemId ?? "new"}`);
  }

  /** What was typed before, else the poem as it is stored. */
  private async read(signal: AbortSignal): Promise<NewPoem> {
    const typed = fields(parseJson(this.draft.text));
    const stored = this.poemId === null ? null : await readPoem(this.client, this.poemId, signal);
    return {
      title: typed.text("title") || (stored?.title ?? ""),
      author: typed.text("author") || (stored?.author ?? ""),
      source_lang: typed.text("source_lang") || (stored?.lang ?? ""),
      original_text: typed.text("original_text") || (stored?.text ?? ""),
    };
  }

  private values(): NewPoem {
    const form = new FormData(this.renderRoot.querySelector("form") ?? undefined);
    const text = (name: Name): string => String(form.get(name) ?? "");
    // A form's line ends are CRLF only when it is sent by the browser itself.
    return { title: text("title").trim(), author: text("author").trim(), source_lang: text("source_lang").trim(), original_text: text("original_text") };
  }

  private onInput(): void {
    this.draft.text = JSON.stringify(this.values());
    if (Object.keys(this.wrong).length > 0) this.wrong = this.faults(this.values());
  }

  private faults(poem: NewPoem): Partial<Record<Name, string>> {
    const words = studioWords[this.language];
    const wrong: Partial<Record<Name, string>> = {};
    for (const name of ["title", "author", "source_lang", "original_text"] as const) if (poem[name].trim() === "") wrong[name] = words.missing;
    if (!wrong.source_lang && !LANGUAGE.test(poem.source_lang)) wrong.source_lang = words.badTag;
    return wrong;
  }

  private async onSave(event: Event): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const poem = this.values();
    this.wrong = this.faults(poem);
    const [first] = Object.keys(this.wrong);
    if (first) return this.renderRoot.querySelector<HTMLElement>(`#${first}`)?.focus();
    this.busy = true;
    this.failure = null;
    try {
      const stored = await savePoem(this.client, this.poemId, poem);
      this.draft.text = "";
      this.context.router.navigate(`/studio/poems/${stored.id}`, undefined, true);
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.busy = false;
    }
  }
}

function styles() {
  return css`
    form {
      display: grid;
      grid-template-columns: minmax(0, 2fr) minmax(0, 1fr) 15rem;
      gap: var(--space-3) var(--space-4);
      max-width: 56rem;
    }

    form > :nth-child(n + 4) {
      grid-column: 1 / -1;
    }

    .field {
      align-content: start;
    }

    textarea {
      font: 400 var(--text-l) / 1.7 var(--serif);
    }

    @media (max-width: 56rem) {
      form {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `;
}
