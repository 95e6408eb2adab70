import { css, html, svg, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { analyticsWords } from "../../../i18n/analytics";
import { formatNumber, formatPercent } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { periodName } from "../../parts/period";
import { Reading } from "../../parts/reading";
import type { Report } from "../../parts/report";
import type { Question } from "./question";
import { readIntents, type Intent, type Intents } from "./unanswered";

/** What questions are about, and how that changes. */
@customElement("trivet-subjects")
export class SubjectsPart extends PagePart {
  /** Read again with it. */
  @property({ attribute: false }) report!: Report;
  @property({ attribute: false }) question!: Question;
  private readonly intents = new Reading(this, (signal) => readIntents(this.client, this.question, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("report")) void this.intents.now();
  }

  override render() {
    const { words } = this;
    return html`<section aria-labelledby="intents">
      <h2 id="intents">${words.intents}</h2>
      ${looks(this.intents, this.language, ghostLines(4), (intents) => this.intentTable(intents))}
      <p class="hint">${words.intentsLead}</p>
    </section>`;
  }

  private intentTable({ intents, labels }: Intents) {
    const { words, language } = this;
    if (intents.length === 0) return html`<p class="panel empty">${words.noIntents}</p>`;
    const span = [labels[0], labels.at(-1)].map((label) => periodName(label ?? "", language)).join(" – ");
    return html`<div class="panel scroll" tabindex="0" role="region" aria-labelledby="intents">
      <table>
        <thead>
          <tr>
            <th scope="col">${words.intent}</th>
            <th scope="col" class="number">${words.questions}</th>
            <th scope="col" class="share">${words.share}</th>
            <th scope="col">${words.overTime} <span class="faint">${span}</span></th>
          </tr>
        </thead>
        <tbody>
          ${intents.map((intent) => this.intentRow(intent))}
        </tbody>
      </table>
    </div>`;
  }

  private intentRow({ name, count, share, series }: Intent) {
    return html`<tr>
      <th scope="row">${this.intentName(name)}</th>
      <td class="number">${this.number(count)}</td>
      <td class="share">
        <span class="meter"><i .style=${`inline-size: ${share * 100}%`}></i></span>
        <span>${formatPercent(share, this.locale)}</span>
      </td>
      <td>${sparkline(series)}</td>
    </tr>`;
  }

  /** A subject that the operator has named is shown by that name. */
  private intentName(name: string): string {
    const known: Record<string, string | ((...values: never[]) => string)> = this.words;
    const told = known[`intent_${name}`];
    return typeof told === "string" ? told : name.replaceAll("_", " ");
  }

  private get words() {
    return analyticsWords[this.language];
  }

  private number(value: number): string {
    return formatNumber(value, this.locale);
  }
}

/** A line that rises and falls, without a scale: the share and the number stand beside it. */
function sparkline(series: readonly number[]) {
  const most = Math.max(1, ...series);
  const step = 100 / Math.max(1, series.length - 1);
  const points = series.map((value, place) => `${(place * step).toFixed(2)},${(23 - (value / most) * 22).toFixed(2)}`);
  return html`<svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<polyline points=${points.length > 1 ? points.join(" ") : `0,${points[0]?.split(",")[1] ?? 23} 100,${points[0]?.split(",")[1] ?? 23}`} vector-effect="non-scaling-stroke"></polyline>`}
  </svg>`;
}

function styles() {
  return css`
    section > .hint {
      margin-top: var(--space-2);
    }

    tbody th,
    th .faint {
      font-weight: 400;
    }

    tbody th {
      color: var(--ink);
    }

    tbody :is(th, td) {
      vertical-align: middle;
    }

    td.share {
      white-space: nowrap;
      font-variant-numeric: lining-nums tabular-nums;
    }

    .share .meter {
      display: inline-block;
      width: 6rem;
      margin-inline-end: var(--space-2);
      vertical-align: middle;
    }

    .sparkline {
      width: 100%;
      min-width: 8rem;
      height: 1.5rem;
    }

    .sparkline polyline {
      fill: none;
      stroke: var(--patina);
      stroke-width: 1.5;
      stroke-linejoin: round;
    }

    @media (max-width: 40rem) {
      .share .meter {
        display: none;
      }
    }
  `;
}
