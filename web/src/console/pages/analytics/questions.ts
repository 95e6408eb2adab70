import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { analyticsWords } from "../../../i18n/analytics";
import { formatNumber } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { timeIn } from "../../parts/period";
import { Reading } from "../../parts/reading";
import type { Report } from "../../parts/report";
import { formatRoute } from "../../router";
import type { Question } from "./question";
import "./subjects";
import { REASONS, readUnanswered, type Reason, type Unanswered } from "./unanswered";

/** The service looks for no longer text. */
const MOST_TEXT = 200;

/** What people ask: most often, without an answer, and about what. */
@customElement("trivet-asked")
export class AskedPart extends PagePart {
  @property({ attribute: false }) report!: Report;
  @property({ attribute: false }) question!: Question;
  @state() private reason: Reason = "zero_hit";
  private readonly unanswered = new Reading(this, (signal) => readUnanswered(this.client, this.reason, this.question, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  /** Read when it is opened, with the report when that is read again, and for another reason. */
  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("reason")) this.unanswered.set(null);
    if (changed.has("reason") || changed.has("report")) void this.unanswered.now();
  }

  override render() {
    return html`<div class="two">${this.top()} ${this.without()}</div>
      <trivet-subjects .context=${this.context} .report=${this.report} .question=${this.question}></trivet-subjects>`;
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

  private get words() {
    return analyticsWords[this.language];
  }

  private number(value: number): string {
    return formatNumber(value, this.locale);
  }
}

/** A question that leads to the conversations in which it was asked. */
const conversations = (text: string) => html`<a class="quiet" href=${formatRoute("/conversations", new URLSearchParams({ text: text.slice(0, MOST_TEXT) }))}>${text}</a>`;

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
  `;
}
