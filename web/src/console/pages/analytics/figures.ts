import { css, html, type CSSResultGroup } from "lit";
import { customElement, property } from "lit/decorators.js";
import { analyticsWords } from "../../../i18n/analytics";
import { formatNumber, formatPercent, formatSeconds, formatShort, formatUsd } from "../../parts/format";
import { PagePart } from "../../parts/page-part";
import { tileGrid, tileStyles, type Tile } from "../../parts/tiles";
import "../../parts/chart";
import { periodName } from "../../parts/period";
import type { Figures, Report, Times } from "../../parts/report";

interface Measure {
  name: string;
  of: (figures: Figures) => number;
  format: (value: number) => string;
  trouble?: boolean;
}

/** A range in figures, and each of them over time. */
@customElement("trivet-figures")
export class FiguresPart extends PagePart {
  @property({ attribute: false }) report!: Report;

  static override styles: CSSResultGroup = [PagePart.styles, tileStyles, styles()];

  override render() {
    return html`${tileGrid(this.tiles())} ${this.overTime()} ${this.table()}`;
  }

  private tiles(): Tile[] {
    const { words } = this;
    const { totals, firstToken, duration } = this.report;
    const share = (part: number, whole: number): string => (whole > 0 ? formatPercent(part / whole, this.locale) : "");
    const ofQuestions = share(totals.errors, totals.questions);
    const ofSearches = share(totals.zeroHits, totals.searches);
    return [
      { name: words.questions, value: this.number(totals.questions) },
      { name: words.sessions, value: this.number(totals.sessions) },
      { name: words.searches, value: this.number(totals.searches) },
      { name: words.zeroHits, value: this.number(totals.zeroHits), more: ofSearches && words.shareOfSearches(ofSearches), ...troubled(totals.zeroHits) },
      { name: words.lowScores, value: this.number(totals.lowScores) },
      { name: words.votes, value: `${this.number(totals.thumbsUp)} · ${this.number(totals.thumbsDown)}` },
      { name: words.firstToken, value: this.seconds(firstToken.p50), more: this.slowest(firstToken) },
      { name: words.duration, value: this.seconds(duration.p50), more: this.slowest(duration) },
      { name: words.errors, value: this.number(totals.errors), more: ofQuestions && words.shareOfQuestions(ofQuestions), ...troubled(totals.errors) },
      { name: words.fallbacks, value: this.number(totals.fallbacks) },
      { name: words.tokens, value: this.number(tokens(totals)), more: words.tokensInOut(this.short(totals.inputTokens), this.short(totals.outputTokens)) },
      { name: words.cost, value: formatUsd(totals.costUsd, this.locale) },
    ];
  }

  private overTime() {
    const { words } = this;
    const number = (value: number): string => this.number(value);
    const small: Measure[] = [
      { name: words.searches, of: ({ searches }) => searches, format: number },
      { name: words.tokens, of: tokens, format: (value) => this.short(value) },
      { name: words.cost, of: ({ costUsd }) => costUsd, format: (value) => formatUsd(value, this.locale) },
      { name: words.zeroHits, of: ({ zeroHits }) => zeroHits, format: number, trouble: true },
      { name: words.errors, of: ({ errors }) => errors, format: number, trouble: true },
      { name: words.votesDown, of: ({ thumbsDown }) => thumbsDown, format: number, trouble: true },
    ];
    return html`<section aria-labelledby="time">
      <h2 id="time">${words.overTime}</h2>
      <div class="panel">${this.chart({ name: words.questions, of: ({ questions }) => questions, format: number }, false)}</div>
      <div class="small">${small.map((measure) => html`<div class="panel">${this.chart(measure, true)}</div>`)}</div>
    </section>`;
  }

  private chart({ name, of, format, trouble }: Measure, small: boolean) {
    const { words, language } = this;
    const { periods, totals } = this.report;
    const points = periods.map((period) => ({ label: periodName(period.label, language), value: of(period) }));
    return html`<trivet-chart
      ?small=${small}
      tone=${trouble ? "trouble" : ""}
      .name=${name}
      .total=${words.chartTotal(format(of(totals)))}
      .points=${points}
      .format=${format}
      .kind=${words.chartRole}
      .hint=${words.chartHint}
    ></trivet-chart>`;
  }

  private table() {
    const { words, language } = this;
    const names = [words.questions, words.sessions, words.searches, words.zeroHits, words.lowScores, words.errors, words.fallbacks, words.cacheHits, words.votes, words.tokens, words.cost];
    return html`<details class="panel">
      <summary>${words.asTable}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${words.asTable}>
        <table>
          <thead>
            <tr>
              <th scope="col">${words.period}</th>
              ${names.map((name) => html`<th scope="col" class="number">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${this.report.periods.map(
              (period) => html`<tr>
                <th scope="row">${periodName(period.label, language, true)}</th>
                ${this.cells(period).map((cell) => html`<td class="number">${cell}</td>`)}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
  }

  private cells(of: Figures): string[] {
    const counts = [of.questions, of.sessions, of.searches, of.zeroHits, of.lowScores, of.errors, of.fallbacks, of.cacheHits];
    const votes = `${this.number(of.thumbsUp)} · ${this.number(of.thumbsDown)}`;
    return [...counts.map((count) => this.number(count)), votes, this.number(tokens(of)), formatUsd(of.costUsd, this.locale)];
  }

  private get words() {
    return analyticsWords[this.language];
  }

  private slowest({ p95 }: Times): string {
    return p95 === null ? "" : this.words.within95(this.seconds(p95));
  }

  private seconds(value: number | null): string {
    return value === null ? "–" : formatSeconds(value, this.locale);
  }

  private number(value: number): string {
    return formatNumber(value, this.locale);
  }

  private short(value: number): string {
    return formatShort(value, this.locale);
  }
}

const tokens = ({ inputTokens, outputTokens }: Figures): number => inputTokens + outputTokens;

const troubled = (count: number): Pick<Tile, "tone"> => (count > 0 ? { tone: "trouble" } : {});

function styles() {
  return css`
    .small {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
      gap: var(--space-3);
      margin-block: var(--space-3);
    }

    @media (min-width: 64rem) {
      .small {
        grid-template-columns: repeat(3, minmax(0, 1fr));
      }
    }

    summary {
      padding: var(--space-3) var(--space-5);
      color: var(--ink-soft);
      font-size: var(--text-s);
      cursor: pointer;
    }

    .scroll {
      max-height: 30rem;
      overflow: auto;
      border-top: 1px solid var(--line);
    }

    thead th {
      position: sticky;
      inset-block-start: 0;
      background: var(--surface);
    }

    tbody th {
      color: var(--ink);
      font-weight: 400;
    }

    :is(th, td) {
      padding: var(--space-2) var(--space-3);
    }

    td {
      white-space: nowrap;
    }
  `;
}
