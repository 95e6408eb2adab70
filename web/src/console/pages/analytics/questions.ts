import { css, html, nothing, svg, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { analyticsWords } from "../../../i18n/analytics";
import { formatNumber, formatPercent } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import { periodName, timeIn } from "../../parts/period";
import type { Question } from "./question";
import type { Report } from "../../parts/report";
import { REASONS, readIntents, readUnanswered, type Intent, type Intents, type Reason, type Unanswered } from "./unanswered";

/** The service looks for no longer text. */
const MOST_TEXT = 200;

/** What people ask: most often, without an answer, and about what. */
@customElement("trivet-asked")
export class AskedPart extends PagePart {
  @property({ attribute: false }) report!: Report;
  @property({ attribute: false }) question!: Question;
  @state() private reason: Reason = "zero_hit";
  private readonly unanswered = new Reading(this, (signal) => readUnanswered(this.client, this.reason, this.question, signal));
  private readonly intents = new Reading(this, (signal) => readIntents(this.client, this.question, signal));
  private shown = "";
  private shownIntents = "";

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(_changed: PropertyValues): void {
    const { days, groupBy, tz } = this.question;
    const asked = JSON.stringify([days, tz, this.reason, this.report.start]);
    if (asked !== this.shown) read(this.unanswered);
    this.shown = asked;
    const intents = JSON.stringify([days, groupBy, tz]);
    if (intents !== this.shownIntents) read(this.intents);
    this.shownIntents = intents;
  }

  override render() {
    return html`<div class="two">${this.top()} ${this.without()}</div>
      ${this.subjects()}`;
  }

  private top() {
    const { words } = this;
    const { top, topMissed } = this.report;
    const most = Math.max(1, ...top.map(({ count }) => count));
    return html`<section aria-labelledby="top">
      <h2 id="top">${words.top}</h2>
      ${top.length === 0
        ? html`<p class="panel empty">${words.noTop}</p>`
        : html`<ol class="panel asked">
            ${top.map(
              ({ text, count, zeroHits }) => html`<li>
                <span class="bar" .style=${`inline-size: ${(count / most) * 100}%`} aria-hidden="true"></span>
                <span class="text">${conversations(text)}</span>
                ${zeroHits > 0 ? html`<span class="state" data-tone="warn">${words.zeroHits} ${this.number(zeroHits)}</span>` : nothing}
                <span class="count">${this.number(count)}<span class="unseen"> ${words.count}</span></span>
              </li>`,
            )}
          </ol>`}
      ${topMissed > 0 ? html`<p class="hint">${words.missedAtMost(this.number(topMissed))}</p>` : nothing}
    </section>`;
  }

  private without() {
    const { words } = this;
    return html`<section aria-labelledby="without">
      <h2 id="without">${words.unanswered}</h2>
      <div class="reasons" role="group" aria-label=${words.reason}>
        ${REASONS.map(
          (reason) => html`<button type="button" class="button" aria-pressed=${reason === this.reason} @click=${() => (this.reason = reason)}>${words[reason]}</button>`,
        )}
      </div>
      ${looks(this.unanswered, this.language, ghostLines(4), (questions) => this.unansweredList(questions))}
      <p class="hint">${words.unansweredLead}</p>
    </section>`;
  }

  private unansweredList(questions: readonly Unanswered[]) {
    const { words } = this;
    if (questions.length === 0) return html`<p class="panel empty">${words.noneUnanswered}</p>`;
    return html`<ol class="panel asked">
      ${questions.map(
        (question) => html`<li>
          <span class="text">${conversations(question.text)}<small>${words.lastAsked} ${timeIn(question.lastAsked, this.question.tz, this.locale)}</small></span>
          ${this.gap(question)}
          <span class="count">${this.number(question.count)}<span class="unseen"> ${words.count}</span></span>
        </li>`,
      )}
    </ol>`;
  }

  private gap({ gapId, answered, text }: Unanswered) {
    const { words } = this;
    if (answered) return html`<span class="state" data-tone="good">${words.isAnswered}</span>`;
    if (gapId === null) return html`<span class="hint">${words.waitsForGap}</span>`;
    return html`<a class="answer" href=${formatRoute(`/gaps/${gapId}`)} aria-label=${`${words.answerThis}: ${text}`}>${words.answerThis}</a>`;
  }

  private subjects() {
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

/** A question that leads to the conversations in which it was asked. */
const conversations = (text: string) => html`<a class="quiet" href=${formatRoute("/conversations", new URLSearchParams({ text: text.slice(0, MOST_TEXT) }))}>${text}</a>`;

function read<T>(reading: Reading<T>): void {
  reading.set(null);
  void reading.now();
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
    .two {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: 0 var(--space-5);
    }

    @media (min-width: 64rem) {
      .two {
        grid-template-columns: repeat(2, minmax(0, 1fr));
      }
    }

    .two h2 {
      margin-top: 0;
    }

    @media (max-width: 64rem) {
      .two section + section {
        margin-top: var(--space-6);
      }
    }

    section > .hint {
      margin-top: var(--space-2);
    }

    .asked {
      overflow: hidden;
    }

    .asked li {
      position: relative;
      display: flex;
      align-items: center;
      gap: var(--space-3);
      min-height: 2.75rem;
      padding: var(--space-2) var(--space-4);
      font-size: var(--text-s);
    }

    .asked li + li {
      border-top: 1px solid var(--line);
    }

    .asked .bar {
      position: absolute;
      inset-block: 0;
      inset-inline-start: 0;
      background: var(--patina-wash);
      opacity: 0.6;
    }

    .asked .text {
      position: relative;
      flex: 1;
      min-width: 0;
      overflow-wrap: anywhere;
    }

    .quiet {
      color: inherit;
      text-decoration: none;
    }

    .quiet:hover {
      text-decoration: underline;
    }

    .asked small {
      display: block;
      color: var(--ink-faint);
      font-size: var(--text-xs);
    }

    .asked :is(.state, .count, .answer, .hint) {
      position: relative;
      flex: none;
    }

    .count {
      min-width: 2.5rem;
      font-weight: 600;
      font-variant-numeric: lining-nums tabular-nums;
      text-align: end;
    }

    .reasons {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-2);
      margin-bottom: var(--space-3);
    }

    .reasons .button {
      min-height: 2.25rem;
      padding-inline: var(--space-3);
    }

    .reasons [aria-pressed="true"] {
      border-color: var(--patina);
      background: var(--patina-wash);
      color: var(--patina-strong);
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
