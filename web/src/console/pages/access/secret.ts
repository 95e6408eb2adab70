import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property } from "lit/decorators.js";
import { accessWords } from "../../../i18n/access";
import { formatTime } from "../../parts/format";
import "../../parts/copy-button";
import { PagePart } from "../../parts/page-part";
import { oldWorks, type Key } from "./keys";

/** A new secret, shown this once. Dispatches "secret-stored" when a person says that it is. */
@customElement("trivet-secret")
export class Secret extends PagePart {
  @property({ attribute: false }) key!: Key;
  @property() secret = "";
  /** Whether it stands in the place of an older one. */
  @property({ type: Boolean }) rotated = false;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override render() {
    const words = accessWords[this.language];
    const until = oldWorks(this.key, new Date()) ? this.key.oldSecretUntil : null;
    return html`<section class="panel card" aria-labelledby="once">
      <h2 id="once" tabindex="-1">${words.shownOnce}</h2>
      <p class="hint">${words.shownOnceHelp}</p>
      <p class="secret"><code>${this.secret}</code></p>
      ${this.rotated ? html`<p class="hint">${until ? words.oldWorksUntil(formatTime(until, this.locale)) : words.oldIsOver}</p>` : nothing}
      <div class="actions">
        <trivet-copy primary .text=${this.secret} .language=${this.language} .label=${words.copyKey}></trivet-copy>
        <button class="button" type="button" @click=${() => this.dispatchEvent(new CustomEvent("secret-stored"))}>${words.stored}</button>
      </div>
    </section>`;
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLElement>("#once")?.focus();
  }
}

function styles() {
  return css`
    section {
      display: grid;
      gap: var(--space-3);
      border-color: var(--patina);
      box-shadow: inset 3px 0 0 var(--patina);
    }

    h2 {
      margin: 0;
      outline: 0;
    }

    .secret {
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-s);
      background: var(--sunken);
    }

    code {
      font: 500 var(--text-m) / 1.5 var(--mono);
      overflow-wrap: anywhere;
      user-select: all;
    }
  `;
}
