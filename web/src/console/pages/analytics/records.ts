import { css, html, type CSSResultGroup } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { analyticsWords } from "../../../i18n/analytics";
import { PagePart } from "../../parts/page-part";
import "./cleaning";
import { dayIn } from "../../parts/period";
import type { Question } from "./question";
import type { Report } from "../../parts/report";

/** The records themselves: a file of those that the page shows, and the end of old ones. */
@customElement("trivet-records")
export class RecordsPart extends PagePart {
  @property({ attribute: false }) report!: Report;
  @property({ attribute: false }) question!: Question;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override render() {
    const { words, question, locale } = this;
    const { start, end } = this.report;
    return html`
      <section aria-labelledby="export">
        <h2 id="export">${words.exporting}</h2>
        <div class="panel card">
          <p>${words.exportLead(dayIn(start, question.tz, locale), dayIn(end, question.tz, locale, true))}</p>
          <div class="files">
            ${this.file("csv", words.exportCsv, words.exportCsvHelp)} ${this.file("jsonl", words.exportJsonl, words.exportJsonlHelp)}
          </div>
        </div>
      </section>
      <section aria-labelledby="cleanup">
        <h2 id="cleanup">${words.cleanup}</h2>
        <trivet-cleaning class="panel card" .context=${this.context} .tz=${question.tz}></trivet-cleaning>
      </section>
    `;
  }

  private file(format: string, label: string, help: string) {
    return html`<div>
      <a class="button" href=${this.address(format)} download>${icons.down()} ${label}</a>
      <p class="hint">${help}</p>
    </div>`;
  }

  /** The range as the service has told it, so that the file and the figures are of the same records. */
  private address(format: string): string {
    const { kind } = this.question;
    const address = new URL("api/analytics/export", this.client.root);
    const { start, end } = this.report;
    const query = { format, ...(start ? { date_from: start } : {}), ...(end ? { date_to: end } : {}), ...(kind ? { kind } : {}) };
    address.search = new URLSearchParams(query).toString();
    return address.href;
  }

  private get words() {
    return analyticsWords[this.language];
  }
}

function styles() {
  return css`
    section:first-of-type h2 {
      margin-top: 0;
    }

    .files {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-4) var(--space-6);
      margin-top: var(--space-4);
    }

    .files .hint {
      margin-top: var(--space-2);
    }

    trivet-cleaning {
      display: block;
    }
  `;
}
