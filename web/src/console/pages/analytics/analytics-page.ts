import { LitElement, css, html, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controls } from "../../../design/controls";
import { analyticsWords } from "../../../i18n/analytics";
import { Follow } from "../../../preferences/follow";
import { pageStyles } from "../../page-styles";
import { formatNumber, formatSeconds, formatUsd } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { partStyles } from "../../parts/part-styles";
import { Reading } from "../../parts/reading";
import type { ConsoleContext, ConsolePageElement } from "../../registry";
import type { Route } from "../../router";
import { barChart, chartStyles } from "./chart";
import { RANGES_DAYS, offers, parseQuestion, readReport, type Figures, type Question, type Report, type Times } from "./report";

/** What was asked in a range, how fast and at what cost. The address holds the range: `?days=7&by=day`. */
@customElement("trivet-analytics")
export class AnalyticsPage extends LitElement implements ConsolePageElement {
  @property({ attribute: false }) context!: ConsoleContext;
  @property({ attribute: false }) route!: Route;
  private readonly report = new Reading(this, (signal) => readReport(this.context.client, this.question, signal));
  private shown = "";

  static override styles = [controls, pageStyles, partStyles, chartStyles, styles()];

  constructor() {
    super();
    new Follow(this, () => this.context.preferences);
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const asked = JSON.stringify(this.question);
    if (asked === this.shown) return;
    this.shown = asked;
    this.report.set(null);
    void this.report.now();
  }

  override render() {
    const { words, question } = this;
    const exported = (format: string): string => new URL(`api/analytics/export?format=${format}`, this.context.client.root).href;
    return html`
      <div class="title">
        <div>
          <h1>${words.page}</h1>
          <p class="faint">${words.lead(question.tz)}</p>
        </div>
        <div class="row">
          <div class="field">
            <label for="days">${words.range}</label>
            <select id="days" @change=${(event: Event) => this.go({ days: Number(chosen(event)) })}>
              ${RANGES_DAYS.map((days) => html`<option value=${days} ?selected=${days === question.days}>${words.lastDays(days)}</option>`)}
            </select>
          </div>
          <div class="field">
            <label for="by">${words.groupBy}</label>
            <select id="by" @change=${(event: Event) => this.go({ by: chosen(event) })}>
              ${offers(question.days).map((by) => html`<option value=${by} ?selected=${by === question.groupBy}>${words[by]}</option>`)}
            </select>
          </div>
        </div>
      </div>
      ${looks(this.report, this.context.preferences.language, ghostLines(4, "6rem"), (report) => this.drawn(report))}
      <p class="actions exports">
        <a class="button" href=${exported("csv")} download>${words.exportCsv}</a>
        <a class="button" href=${exported("jsonl")} download>${words.exportJsonl}</a>
      </p>
    `;
  }

  private get words() {
    return analyticsWords[this.context.preferences.language];
  }

  private get locale(): string {
    return this.context.preferences.language === "zh" ? "zh-CN" : "en";
  }

  private get question(): Question {
    return parseQuestion(this.route.query, Intl.DateTimeFormat().resolvedOptions().timeZone);
  }

  private go({ days = this.question.days, by = "" }: { days?: number; by?: string }): void {
    const query = new URLSearchParams({ days: String(days), ...(by ? { by } : {}) });
    this.context.router.navigate("/analytics", query);
  }

  private drawn(report: Report) {
    const { words } = this;
    if (report.totals.questions === 0 && report.totals.searches === 0) {
      return html`<div class="panel empty">
        <p>${words.nothing}</p>
        <p><a href=${this.context.client.root.href} target="_blank" rel="noopener">${words.openChat}</a></p>
      </div>`;
    }
    return html`${this.tiles(report)} ${this.overTime(report)} ${this.top(report)} ${this.models(report)} ${this.errors(report)}`;
  }

  private tiles({ totals, sessions, firstToken, duration }: Report) {
    const { words } = this;
    const tiles: [string, string, string?][] = [
      [words.questions, this.number(totals.questions)],
      [words.searches, this.number(totals.searches)],
      [words.zeroHits, this.number(totals.zeroHits)],
      [words.sessions, this.number(sessions)],
      [words.errors, this.number(totals.errors)],
      [words.tokens, this.number(totals.tokens)],
      [words.cost, formatUsd(totals.costUsd, this.locale)],
      [words.firstToken, this.seconds(firstToken.p50), this.slowest(firstToken)],
      [words.duration, this.seconds(duration.p50), this.slowest(duration)],
    ];
    return html`<dl class="tiles panel">
      ${tiles.map(([name, value, more]) => html`<div><dt>${name}</dt><dd>${value}${more ? html`<small>${more}</small>` : nothing}</dd></div>`)}
    </dl>`;
  }

  private overTime({ periods }: Report) {
    const { words } = this;
    const bars = periods.map(({ label, questions }) => ({ label, value: questions }));
    const most = this.number(Math.max(0, ...bars.map(({ value }) => value)));
    return html`<section aria-labelledby="time">
      <h2 id="time">${words.overTime}</h2>
      <div class="panel">
        ${barChart(bars, words.chart(most), (value) => this.number(value))}
        <details>
          <summary>${words.figures}</summary>
          ${this.table(words.period, periods)}
        </details>
      </div>
    </section>`;
  }

  private table(head: string, lines: readonly (Figures & { firstToken?: Times })[]) {
    const { words } = this;
    const timed = lines.some(({ firstToken }) => firstToken);
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${head}>
      <table>
        <thead>
          <tr>
            <th scope="col">${head}</th>
            ${[words.questions, words.errors, words.tokens, words.cost].map((name) => html`<th scope="col" class="figure">${name}</th>`)}
            ${timed ? html`<th scope="col" class="figure">${words.firstToken}</th>` : nothing}
          </tr>
        </thead>
        <tbody>
          ${lines.map(
            (line) => html`<tr>
              <td>${line.label}</td>
              <td class="figure">${this.number(line.questions)}</td>
              <td class="figure">${this.number(line.errors)}</td>
              <td class="figure">${this.number(line.tokens)}</td>
              <td class="figure">${formatUsd(line.costUsd, this.locale)}</td>
              ${timed ? html`<td class="figure">${this.seconds(line.firstToken?.p50 ?? null)}</td>` : nothing}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  private top({ top }: Report) {
    const { words } = this;
    return html`<section aria-labelledby="top">
      <h2 id="top">${words.top}</h2>
      ${top.length === 0
        ? html`<p class="panel empty">${words.noTop}</p>`
        : html`<div class="panel scroll" tabindex="0" role="region" aria-labelledby="top">
            <table>
              <thead>
                <tr><th scope="col">${words.question}</th><th scope="col" class="figure">${words.count}</th><th scope="col" class="figure">${words.zeroHits}</th></tr>
              </thead>
              <tbody>
                ${top.map(
                  ({ text, count, zeroHits }) => html`<tr>
                    <td class="asked">${text}</td><td class="figure">${this.number(count)}</td><td class="figure">${this.number(zeroHits)}</td>
                  </tr>`,
                )}
              </tbody>
            </table>
          </div>`}
    </section>`;
  }

  private models({ models }: Report) {
    if (models.length === 0) return nothing;
    const { words } = this;
    return html`<section aria-labelledby="models">
      <h2 id="models">${words.models}</h2>
      <div class="panel">${this.table(words.model, models)}</div>
    </section>`;
  }

  private errors({ errorKinds }: Report) {
    if (errorKinds.length === 0) return nothing;
    return html`<section aria-labelledby="errors">
      <h2 id="errors">${this.words.errorKinds}</h2>
      <dl class="tiles panel">
        ${errorKinds.map(([kind, count]) => html`<div><dt><code>${kind}</code></dt><dd>${this.number(count)}</dd></div>`)}
      </dl>
    </section>`;
  }

  private slowest({ p95 }: Times): string {
    return p95 === null ? "" : this.words.slowest(this.seconds(p95));
  }

  private seconds(value: number | null): string {
    return value === null ? "–" : formatSeconds(value, this.locale);
  }

  private number(value: number): string {
    return formatNumber(value, this.locale);
  }
}

const chosen = (event: Event): string => (event.target as HTMLSelectElement).value;

function styles() {
  return css`
    .tiles {
      display: flex;
      flex-wrap: wrap;
      gap: 1px;
      overflow: hidden;
    }

    .title .field {
      flex: 1 1 8rem;
    }

    .tiles > div {
      flex: 1 1 8.25rem;
      padding: var(--space-4);
      /* Draws the lines between the tiles, not at the edge. */
      box-shadow: 0 0 0 1px var(--line);
    }

    dt {
      color: var(--ink-soft);
      font-size: var(--text-s);
      overflow-wrap: anywhere;
    }

    dt code {
      font: 400 var(--text-xs) / 1.4 var(--mono);
    }

    dd {
      margin-top: var(--space-1);
      font: 400 1.5rem / 1.2 var(--serif);
      font-variant-numeric: lining-nums tabular-nums;
    }

    dd small {
      display: block;
      margin-top: var(--space-1);
      color: var(--ink-faint);
      font: 400 var(--text-xs) / 1.4 var(--sans);
    }

    summary {
      padding: var(--space-3) var(--space-5);
      border-top: 1px solid var(--line);
      color: var(--ink-soft);
      font-size: var(--text-s);
      cursor: pointer;
    }

    .figure {
      font-variant-numeric: tabular-nums;
      text-align: end;
      white-space: nowrap;
    }

    .asked {
      min-width: 8rem;
      overflow-wrap: anywhere;
    }

    .exports {
      margin-top: var(--space-6);
    }
  `;
}
