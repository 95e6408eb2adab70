import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property } from "lit/decorators.js";
import { analyticsWords } from "../../../i18n/analytics";
import { formatNumber, formatPercent, formatSeconds, formatUsd } from "../../parts/format";
import { PagePart } from "../../parts/page-part";
import { formatRoute } from "../../router";
import type { Counts, ModelFigures, Report, Times } from "../../parts/report";

const ENDINGS = ["complete", "client_disconnect", "truncated", "error", "refused"] as const;

/** A line of the table; `within`: below its provider's own. */
interface Row {
  line: ModelFigures;
  within: boolean;
}

/** By provider and model: how much, how fast, how it ended, and what went wrong. */
@customElement("trivet-model-figures")
export class ModelFiguresPart extends PagePart {
  @property({ attribute: false }) report!: Report;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override render() {
    return html`${this.models()} ${this.endings()} ${this.errors()}`;
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
      <th scope="row" class="name">${within ? line.model : this.nameOf(line)}
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

  private endings() {
    const { words } = this;
    const lines = this.report.models.filter(({ endings }) => endings.length > 0);
    if (lines.length === 0) return nothing;
    return html`<section aria-labelledby="endings">
      <h2 id="endings">${words.endings}</h2>
      <ul class="panel endings">
        ${lines.map(
          (line) => html`<li>
            <span class="name">${this.nameOf(line)}</span>
            <div class="told">
              <div class="strip" aria-hidden="true">
                ${line.endings.map(([reason, count]) => html`<i data-reason=${known(reason)} .style=${`flex-grow: ${count}`}></i>`)}
              </div>
              <ul class="reasons">
                ${line.endings.map(
                  ([reason, count]) => html`<li><i data-reason=${known(reason)} aria-hidden="true"></i><a href=${endedSo(reason)}>${this.ending(reason)}</a> <b>${this.number(count)}</b></li>`,
                )}
              </ul>
            </div>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  private errors() {
    const { words } = this;
    const { errorKinds, totals, models } = this.report;
    const share = (count: number): string => (totals.questions > 0 ? formatPercent(Math.min(1, count / totals.questions), this.locale) : "–");
    return html`<section aria-labelledby="errors">
      <h2 id="errors">${words.errorKinds}</h2>
      ${errorKinds.length === 0
        ? html`<p class="panel empty">${words.noErrors}</p>`
        : html`<ul class="panel errors">
            ${errorKinds.map(
              ([kind, count]) => html`<li>
                <span class="count">${this.number(count)}</span>
                <div>
                  <p><code>${kind}</code> <span class="hint">${words.shareOfQuestions(share(count))}</span></p>
                  <p>${this.meaning(kind)}</p>
                  ${this.sources(models, kind)}
                </div>
              </li>`,
            )}
          </ul>`}
    </section>`;
  }

  /** The models that the errors of a kind are of. */
  private sources(models: readonly ModelFigures[], kind: string) {
    const counted = models.map((model): [string, number] => [this.nameOf(model), new Map(model.errorKinds).get(kind) ?? 0]).filter(([, count]) => count > 0);
    if (counted.length === 0) return nothing;
    return html`<p class="hint">${counted.map(([name, count]) => `${name} ${this.number(count)}`).join(" · ")}</p>`;
  }

  private nameOf({ provider, model }: ModelFigures): string {
    if (!model) return this.words.allOf(provider || "–");
    return provider ? `${provider}/${model}` : model;
  }

  private ending(reason: string): string {
    const { words } = this;
    const name = known(reason);
    if (name !== "other") return words[`end_${name}`];
    return reason === "unknown" ? words.end_unknown : reason.replaceAll("_", " ");
  }

  private meaning(kind: string): string {
    const told: Record<string, string | ((...values: never[]) => string)> = this.words;
    const meaning = told[`error_${kind}`];
    return typeof meaning === "string" ? meaning : this.words.error_other;
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

/** The conversations with an answer that ended so. */
const endedSo = (reason: string): string => formatRoute("/conversations", new URLSearchParams({ ending: reason }));

const known = (reason: Counts[number][0]): (typeof ENDINGS)[number] | "other" => ENDINGS.find((name) => name === reason) ?? "other";

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

    .endings > li {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-2) var(--space-5);
      padding: var(--space-4) var(--space-5);
      font-size: var(--text-s);
    }

    .endings > li + li,
    .errors li + li {
      border-top: 1px solid var(--line);
    }

    .endings .name {
      font-weight: 550;
      overflow-wrap: anywhere;
    }

    .strip {
      display: flex;
      gap: 2px;
      height: 0.625rem;
      overflow: hidden;
      border-radius: 999px;
      background: var(--sunken);
    }

    .strip i {
      min-width: 3px;
      background: var(--reason);
    }

    .reasons {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-1) var(--space-4);
      margin-top: var(--space-2);
    }

    .reasons li {
      display: inline-flex;
      align-items: center;
      gap: var(--space-2);
    }

    .reasons i {
      width: 0.625rem;
      height: 0.625rem;
      border-radius: 2px;
      background: var(--reason);
    }

    .reasons a {
      color: inherit;
      text-decoration: none;
    }

    .reasons a:hover {
      text-decoration: underline;
    }

    .reasons b,
    .count {
      font-weight: 600;
      font-variant-numeric: lining-nums tabular-nums;
    }

    i {
      --reason: var(--line-strong);
    }

    [data-reason="complete"] {
      --reason: var(--patina);
    }

    [data-reason="truncated"] {
      --reason: var(--amber);
    }

    [data-reason="error"] {
      --reason: var(--danger);
    }

    [data-reason="refused"] {
      --reason: color-mix(in srgb, var(--danger) 50%, var(--surface));
    }

    .errors li {
      display: grid;
      grid-template-columns: minmax(3rem, auto) minmax(0, 1fr);
      gap: var(--space-4);
      padding: var(--space-4) var(--space-5);
      font-size: var(--text-s);
    }

    .errors .count {
      font: 400 1.25rem / 1.3 var(--serif);
    }

    .errors p + p {
      margin-top: var(--space-1);
    }

    code {
      font: 500 var(--text-s) / 1.4 var(--mono);
      overflow-wrap: anywhere;
    }

    @media (min-width: 48rem) {
      .endings > li {
        grid-template-columns: 16rem minmax(0, 1fr);
      }
    }

    @media (max-width: 40rem) {
      th.name {
        min-width: 8.5rem;
        max-width: 8.5rem;
      }

      .endings > li,
      .errors li {
        padding-inline: var(--space-4);
      }
    }
  `;
}
