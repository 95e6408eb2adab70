import { LitElement, html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { copyText } from "../design/clipboard";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { mark, markStyles } from "../design/mark";
import { chatWords } from "../i18n/chat";
import { commonWords, describeFailure } from "../i18n/common";
import { copyCode } from "../markdown/copy-code";
import { GrowingMarkdown } from "../markdown/growing";
import type { MarkdownRenderer, RenderOptions } from "../markdown/render";
import type { Language } from "../preferences/preferences";
import { answerStyles } from "./answer-styles";
import type { Turn } from "./conversation";
import type { Deliver, Opinion } from "./feedback";
import { sourceAddress } from "./source";
import { turnStyles } from "./turn-styles";
import "./feedback";
import "./question";
import "./sources";

const COPIED_FOR_MS = 1600;

/** One question with its answer. Fires "retry" and "revise" (detail: id and new words). `deliver` takes opinions. */
@customElement("trivet-turn")
export class TrivetTurn extends LitElement {
  @property({ attribute: false }) turn!: Turn;
  @property({ attribute: false }) renderer: MarkdownRenderer | null = null;
  @property({ attribute: false }) deliver: ((turn: Turn, opinion: Opinion) => Promise<void>) | null = null;
  @property({ attribute: false }) root = "";
  @property() language: Language = "en";
  @property({ type: Boolean }) last = false;
  @property({ type: Boolean }) busy = false;
  @state() private copied = false;
  @query(".answer") private readonly host!: HTMLElement;
  private growing: GrowingMarkdown | null = null;

  static override styles = [controls, markStyles, answerStyles, turnStyles];

  override render() {
    const { turn } = this;
    const running = turn.state === "waiting" || turn.state === "writing";
    return html`
      <article aria-busy=${running}>
        <trivet-question
          .text=${turn.question}
          .language=${this.language}
          .locked=${this.busy}
          @revise=${this.onRevise}
        ></trivet-question>
        <div class="reply">
          <div class="emblem">${mark(22, running)}</div>
          <div class="body">
            ${this.sources()} ${this.reasoning()} ${this.waiting()}
            <div class="answer" @click=${this.onClick} ?hidden=${turn.answer === ""}></div>
            ${this.note()} ${this.failure()} ${running ? nothing : this.actions()}
          </div>
        </div>
      </article>
    `;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const anotherTurn = changed.has("turn") && changed.get("turn")?.id !== this.turn.id;
    if (anotherTurn || changed.has("language")) this.begin();
    if (changed.has("turn") || changed.has("language") || changed.has("renderer")) this.draw();
  }

  private begin(): void {
    this.growing?.stop();
    this.growing = null;
  }

  private draw(): void {
    const { answer, state } = this.turn;
    if (answer === "") return;
    if (!this.renderer) {
      this.host.textContent = answer;
      return;
    }
    this.growing ??= new GrowingMarkdown(this.host, this.renderer, this.options());
    if (state === "writing") this.growing.grow(answer);
    else this.growing.finish(answer);
  }

  private options(): RenderOptions {
    const sources = this.turn.citations.map(({ index, title, url }) => ({
      index,
      title,
      href: sourceAddress(url, this.root),
    }));
    return { words: commonWords[this.language], sources };
  }

  private sources() {
    if (this.turn.citations.length === 0) return nothing;
    return html`<trivet-sources .citations=${this.turn.citations} .root=${this.root} .language=${this.language}></trivet-sources>`;
  }

  private reasoning() {
    const { reasoning } = this.turn;
    if (reasoning === "") return nothing;
    return html`<details class="reasoning">
      <summary>${icons.chevron()} ${chatWords[this.language].reasoning}</summary>
      <div>${reasoning}</div>
    </details>`;
  }

  private waiting() {
    const words = chatWords[this.language];
    if (this.turn.state !== "waiting") return nothing;
    const known = this.turn.citations.length > 0 || this.turn.reasoning !== "";
    return html`<p class="waiting">${known ? words.thinking : words.searching}</p>`;
  }

  private note() {
    const words = chatWords[this.language];
    const { state, finishReason } = this.turn;
    if (state === "stopped") return html`<p class="note">${words.stopped}</p>`;
    if (finishReason === "length") return html`<p class="note">${words.lengthLimit}</p>`;
    if (finishReason === "content_filter") return html`<p class="note">${words.filtered}</p>`;
    return nothing;
  }

  private failure() {
    const { failure, requestId } = this.turn;
    if (!failure) return nothing;
    const words = commonWords[this.language];
    const reference = failure.requestId ?? requestId;
    return html`<div class="failure">
      <p class="what">${icons.alert()} <span>${describeFailure(failure, this.language)}</span></p>
      ${failure.message || reference
        ? html`<details>
            <summary>${icons.chevron()} ${words.details}</summary>
            ${failure.message ? html`<p>${failure.message}</p>` : nothing}
            ${reference ? html`<p>${words.reference(reference)}</p>` : nothing}
          </details>`
        : nothing}
      ${this.last ? html`<button class="button retry" type="button" @click=${this.onRetry}>${icons.retry()} ${words.retry}</button>` : nothing}
    </div>`;
  }

  private actions() {
    const { answer, failure } = this.turn;
    const words = chatWords[this.language];
    const again = this.last && !failure;
    if (answer === "" && !again) return nothing;
    return html`<div class="actions">
      ${answer
        ? html`<button class="button quiet" type="button" @click=${this.onCopyAnswer}>
            ${this.copied ? icons.check() : icons.copy()} ${this.copied ? commonWords[this.language].copied : words.copyAnswer}
          </button>`
        : nothing}
      ${again
        ? html`<button class="button quiet" type="button" @click=${this.onRetry}>${icons.retry()} ${words.askAgain}</button>`
        : nothing}
      ${answer && this.turn.requestId && this.deliver
        ? html`<trivet-feedback .language=${this.language} .rating=${this.turn.rating} .deliver=${this.onOpinion}></trivet-feedback>`
        : nothing}
    </div>`;
  }

  private readonly onOpinion: Deliver = async (opinion) => this.deliver?.(this.turn, opinion);

  private onRevise(event: CustomEvent<string>): void {
    const detail = { id: this.turn.id, question: event.detail };
    this.dispatchEvent(new CustomEvent("revise", { bubbles: true, composed: true, detail }));
  }

  private onRetry(): void {
    this.dispatchEvent(new CustomEvent("retry", { bubbles: true, composed: true }));
  }

  private async onCopyAnswer(): Promise<void> {
    if (!(await copyText(this.turn.answer))) return;
    this.copied = true;
    setTimeout(() => (this.copied = false), COPIED_FOR_MS);
  }

  private onClick(event: Event): void {
    void copyCode(event, commonWords[this.language]);
  }
}
