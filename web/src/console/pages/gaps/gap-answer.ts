import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { mark, markStyles } from "../../../design/mark";
import { gapsWords } from "../../../i18n/gaps";
import { parseJson, type Failure } from "../../../transport/failure";
import { Draft } from "../../parts/draft";
import { fields } from "../../parts/json";
import { problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { asFailure } from "../../parts/reading";
import { answerGap, languageOf, type Gap, type GapAnswer } from "./gaps";

/** A person's answer to a gap. Dispatches "gap-answered" with the gap as it is then. */
@customElement("trivet-gap-answer")
export class GapAnswerForm extends PagePart {
  @property({ attribute: false }) gap!: Gap;
  @state() private busy = false;
  @state() private missing = false;
  @state() private failure: Failure | null = null;

  static override styles: CSSResultGroup = [PagePart.styles, markStyles, styles()];

  override render() {
    const words = gapsWords[this.language];
    const { gap } = this;
    const typed = fields(parseJson(this.draft.text));
    const lang = typed.text("lang") || languageOf(gap.question);
    return html`<form @submit=${this.onSend} @input=${this.onInput} aria-busy=${this.busy}>
      <div class="row">
        <div class="field grow">
          <label for="title">${words.answerTitle}</label>
          <input id="title" name="title" maxlength="200" autocomplete="off" .defaultValue=${typed.text("title") || gap.question.slice(0, 200)} />
        </div>
        <div class="field">
          <label for="lang">${words.language}</label>
          <select id="lang" name="lang">
            <option value="zh" ?selected=${lang === "zh"}>${words.chinese}</option>
            <option value="en" ?selected=${lang === "en"}>${words.english}</option>
          </select>
        </div>
        <div class="field">
          <label for="collection">${words.collection}</label>
          <input id="collection" name="collection" maxlength="63" pattern="[a-z0-9][a-z0-9_\\-]{0,62}" required autocomplete="off" autocapitalize="none" spellcheck="false" .defaultValue=${typed.text("collection") || gap.collection} />
        </div>
      </div>
      <div class="field">
        <label for="content">${words.answer}</label>
        <textarea id="content" name="content" rows="7" maxlength="100000" lang=${lang} aria-describedby="content-help content-wrong" aria-invalid=${this.missing} .defaultValue=${typed.text("content")}></textarea>
        <p id="content-help" class="hint">${words.answerHelp}</p>
        <p id="content-wrong" class="wrong" role="alert">${this.missing ? words.missing : ""}</p>
      </div>
      ${this.failure ? problem(this.failure, this.language) : nothing}
      <div class="actions">
        <button class="button primary" type="submit" aria-disabled=${this.busy}>${words.send}</button>
        ${this.busy ? html`${mark(24, true)}<span class="hint" role="status">${words.sending} ${words.sendingHelp}</span>` : nothing}
      </div>
    </form>`;
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLElement>("#content")?.focus();
  }

  private get draft(): Draft {
    return new Draft(`gaps.${this.gap.id}`);
  }

  private values(): GapAnswer {
    const form = new FormData(this.renderRoot.querySelector("form") ?? undefined);
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    return { title: text("title") || this.gap.question.slice(0, 200), content: text("content"), collection: text("collection"), lang: text("lang") };
  }

  private onInput(): void {
    this.draft.text = JSON.stringify(this.values());
    this.missing = false;
  }

  private async onSend(event: Event): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const answer = this.values();
    this.missing = answer.content === "";
    if (this.missing) return this.renderRoot.querySelector<HTMLElement>("#content")?.focus();
    this.busy = true;
    this.failure = null;
    try {
      const gap = await answerGap(this.client, this.gap.id, answer);
      this.draft.text = "";
      this.dispatchEvent(new CustomEvent("gap-answered", { detail: gap }));
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
      gap: var(--space-3);
      margin-top: var(--space-4);
      padding-top: var(--space-4);
      border-top: 1px solid var(--line);
    }

    .row .field:not(.grow) {
      flex: 0 1 9rem;
    }
  `;
}
