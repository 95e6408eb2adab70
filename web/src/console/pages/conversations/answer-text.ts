import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { answerStyles } from "../../../chat/answer-styles";
import { controls } from "../../../design/controls";
import { commonWords } from "../../../i18n/common";
import { copyCode } from "../../../markdown/copy-code";
import type { MarkdownRenderer, RenderSource } from "../../../markdown/render";
import type { Language } from "../../../preferences/preferences";

/** An answer as a visitor saw it. Plain until what draws Markdown has come. */
@customElement("trivet-answer-text")
export class AnswerText extends LitElement {
  @property({ attribute: false }) text = "";
  @property({ attribute: false }) sources: readonly RenderSource[] = [];
  @property() language: Language = "en";
  @state() private renderer: MarkdownRenderer | null = null;

  static override styles = [
    controls,
    answerStyles,
    css`
      :host {
        display: block;
      }

      .plain {
        white-space: pre-wrap;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void import("../../../markdown/render").then(
      ({ MarkdownRenderer }) => (this.renderer = new MarkdownRenderer()),
      () => undefined, // it stays plain
    );
  }

  override render() {
    const { copy, code } = commonWords[this.language];
    if (!this.renderer) return html`<div class="answer plain">${this.text}</div>`;
    const options = { words: { copy, code }, sources: this.sources, topHeading: 4 };
    return html`<div class="answer" @click=${this.onClick}>${this.renderer.fragment(this.text, options)}</div>`;
  }

  private onClick(event: Event): void {
    void copyCode(event, commonWords[this.language]);
  }
}
