import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { copyText } from "../../design/clipboard";
import { controls } from "../../design/controls";
import { icons } from "../../design/icons";
import { commonWords } from "../../i18n/common";
import type { Language } from "../../preferences/preferences";

const SHOWN_MS = 2000;

/** Copies `text` and says that it did. `label`: what is copied, where "Copy" alone does not say it. */
@customElement("trivet-copy")
export class CopyButton extends LitElement {
  @property({ attribute: false }) text = "";
  @property() language: Language = "en";
  @property() label = "";
  @property({ type: Boolean }) primary = false;
  @state() private copied = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  static override shadowRootOptions: ShadowRootInit = { ...LitElement.shadowRootOptions, delegatesFocus: true };

  static override styles = [
    controls,
    css`
      :host {
        display: inline-block;
      }
    `,
  ];

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  override render() {
    const words = commonWords[this.language];
    return html`<button class="button ${this.primary ? "primary" : ""}" type="button" @click=${this.onClick}>
        ${this.copied ? icons.check() : icons.copy()} ${this.copied ? words.copied : this.label || words.copy}
      </button>
      <span class="unseen" role="status">${this.copied ? words.copied : ""}</span>`;
  }

  private async onClick(): Promise<void> {
    this.copied = await copyText(this.text);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.copied = false), SHOWN_MS);
  }
}
