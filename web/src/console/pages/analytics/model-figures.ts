import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property } from "lit/decorators.js";
import { analyticsWords } from "../../../i18n/analytics";
import { formatNumber, formatSeconds, formatUsd } from "../../parts/format";
import { PagePart } from "../../parts/page-part";
import type { ModelFigures, Report, Times } from "../../parts/report";
import "./model-ends";
import { modelName } from "./model-name";

/** A line of the table; `within`: below its provider's own. */
interface Row {
  line: ModelFigures;
  within: boolean;
}

/** By provider and model: how much and how fast; below it, how that ended. */
@customElement("trivet-model-figures")
export class ModelFiguresPart extends PagePart {
  @property({ attribute: false }) report!: Report;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override render() {
    return html`${this.models()} <trivet-model-ends .context=${this.context} .report=${this.report}></trivet-model-ends>`;
  }

  private models() {
    const { words } = this;
    return html`<section aria-labelledby="models">
      <h2 id="models" class="first">${words.byModel}</h2>
      ${this.report.models.length === 0
        ? html`<p class="panel empty">${words.noModels}</p>`
        : html`<div class="panel scroll" tabindex="0" role="region" aria-labelledby="models">
            <table>
              ${this.head()}
              <tbody>
                ${this.rows().map((row) => this.row(row))}
              </tbody>
            </table>
          </div>
          <p class="hint below">${words.percentiles}</p>`}
    </section>`;
  }

  private head() {
    const { words } = this;
    const single = [words.questions, words.errors, words.tokensIn, words.tokensOut, words.cost];
    const last = [words.fallbacks, words.cacheHits];
    const tall = (name: string) => html`<th scope="col" rowspan="2" class="number">${name}</th>`;
    const percentiles = ["p50", "p95", "p99"].map((name, place) => html`<th scope="col" class="number ${place === 0 ? "begins" : ""}">${name}</th>`);
    return html`<thead>
      <tr>
        <th scope="col" rowspan="2" class="name">${words.model}</th>
        ${single.map(tall)}
        <th scope="colgroup" colspan="3" class="group">${words.firstTokenColumn}</th>
        <th scope="colgroup" colspan="3" class="group">${words.durationColumn}</th>
        ${last.map(tall)}
      </tr>
      <tr>
        ${percentiles} ${percentiles}
      </tr>
    </thead>`;
  }

  /** Each provider's models below the provider's own line, which a single model does not need. */
  private rows(): Row[] {
    const { providers, models } = this.report;
    const known = new Set(providers.map(({ provider }) => provider));
    const grouped = providers.flatMap((provider): Row[] => {
      const own = models.filter((model) => model.provider === provider.provider);
      if (own.length < 2) return own.map((line) => ({ line, within: false }));
      return [{ line: provider, within: false }, ...own.map((line) => ({ line, within: true }))];
    });
    return [...grouped, ...models.filter(({ provider }) => !known.has(provider)).map((line) => ({ line, within: false }))];
  }

  private row({ line, within }: Row) {
    const { words } = this;
    const counts = [line.questions, line.errors, line.inputTokens, line.outputTokens];
    return html`<tr class=${line.model ? (within ? "within" : "") : "sum"}>
      <th scope="row" class="name">${within ? line.model : modelName(line, words)}
        ${line.embeddings > 0 ? html`<small>${words.embeddings(this.number(line.embeddings))}</small>` : nothing}</th>
      ${counts.map((count, place) => html`<td class="number" data-tone=${place === 1 && count > 0 ? "trouble" : nothing}>${this.number(count)}</td>`)}
      <td class="number">${formatUsd(line.costUsd, this.locale)}</td>
      ${this.times(line.firstToken)} ${this.times(line.duration)}
      <td class="number begins">${this.number(line.fallbacks)}</td>
      <td class="number">${this.number(line.cacheHits)}</td>
    </tr>`;
  }

  private times({ p50, p95, p99 }: Times) {
    return [p50, p95, p99].map((value, place) => html`<td class="number ${place === 0 ? "begins" : ""}">${this.seconds(value)}</td>`);
  }

  private get words() {
    return analyticsWords[this.language];
  }

  private seconds(value: number | null): string {
    return value === null ? "–" : formatSeconds(value, this.locale);
  }

  private number(value: number): string {
    return formatNumber(value, this.locale);
  }
}

function styles() {
  return css`
    .first {
      margin-top: 0;
    }

    :is(th, td) {
      padding: var(--space-2);
    }

    :is(th, td):last-child,
    th.name {
      padding-inline: var(--space-4);
    }

    thead th {
      vertical-align: bottom;
    }

    td {
      white-space: nowrap;
    }

    .group {
      padding-bottom: 0;
      border-inline-start: 1px solid var(--line);
      text-align: center;
    }

    .below {
      margin-top: var(--space-2);
    }

    .begins {
      border-inline-start: 1px solid var(--line);
    }

    th.name {
      position: sticky;
      z-index: 1;
      inset-inline-start: 0;
      min-width: 12rem;
      max-width: 18rem;
      background: var(--surface);
      overflow-wrap: anywhere;
      white-space: normal;
    }

    tbody th {
      color: var(--ink);
      font-weight: 550;
    }

    tr.within th {
      padding-inline-start: var(--space-5);
      font-weight: 400;
    }

    tr.sum :is(th, td) {
      background: var(--sunken);
    }

    th small {
      display: block;
      color: var(--ink-faint);
      font: 400 var(--text-xs) / 1.4 var(--sans);
    }

    td[data-tone="trouble"] {
      color: var(--amber);
      font-weight: 600;
    }

    @media (max-width: 40rem) {
      th.name {
        min-width: 8.5rem;
        max-width: 8.5rem;
      }
    }
  `;
}
