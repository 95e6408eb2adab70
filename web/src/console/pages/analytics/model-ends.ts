import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property } from "lit/decorators.js";
import { analyticsWords } from "../../../i18n/analytics";
import { formatNumber, formatPercent } from "../../parts/format";
import { PagePart } from "../../parts/page-part";
import type { ModelFigures, Report } from "../../parts/report";
import { formatRoute } from "../../router";
import { endingName } from "../conversations/endings";
import { modelName } from "./model-name";

/** How each model's answers ended, and what went wrong. */
@customElement("trivet-model-ends")
export class ModelEndsPart extends PagePart {
  @property({ attribute: false }) report!: Report;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override render() {
    return html`${this.endings()} ${this.errors()}`;
  }

  private endings() {
    const { words, language } = this;
    const lines = this.report.models.filter(({ endings }) => endings.length > 0);
    if (lines.length === 0) return nothing;
    return html`<section aria-labelledby="endings">
      <h2 id="endings">${words.endings}</h2>
      <ul class="panel endings">
        ${lines.map(
          (line) => html`<li>
            <span class="name">${modelName(line, words)}</span>
            <div class="told">
              <div class="strip" aria-hidden="true">${line.endings.map(([ending, count]) => html`<i data-ending=${ending} .style=${`flex-grow: ${count}`}></i>`)}</div>
              <ul class="legend">
                ${line.endings.map(
                  ([ending, count]) => html`<li>
                    <i data-ending=${ending} aria-hidden="true"></i><a href=${endedSo(ending)}>${ending === "unknown" ? words.end_unknown : endingName(ending, language)}</a>
                    <b>${this.number(count)}</b>
                  </li>`,
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
    const { words } = this;
    const counted = models
      .map((model): [string, number] => [modelName(model, words), new Map(model.errorKinds).get(kind) ?? 0])
      .filter(([, count]) => count > 0);
    if (counted.length === 0) return nothing;
    return html`<p class="hint">${counted.map(([name, count]) => `${name} ${this.number(count)}`).join(" · ")}</p>`;
  }

  private meaning(kind: string): string {
    const told: Record<string, string | ((...values: never[]) => string)> = this.words;
    const meaning = told[`error_${kind}`];
    return typeof meaning === "string" ? meaning : this.words.error_other;
  }

  private get words() {
    return analyticsWords[this.language];
  }

  private number(value: number): string {
    return formatNumber(value, this.locale);
  }
}

/** The conversations with an answer that ended so. */
const endedSo = (ending: string): string => formatRoute("/conversations", new URLSearchParams({ ending }));

function styles() {
  return css`
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
      background: var(--ending);
    }

    .legend {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-1) var(--space-4);
      margin-top: var(--space-2);
    }

    .legend li {
      display: inline-flex;
      align-items: center;
      gap: var(--space-2);
    }

    .legend i {
      width: 0.625rem;
      height: 0.625rem;
      border-radius: 2px;
      background: var(--ending);
    }

    .legend a {
      color: inherit;
      text-decoration: none;
    }

    .legend a:hover {
      text-decoration: underline;
    }

    .legend b,
    .count {
      font-weight: 600;
      font-variant-numeric: lining-nums tabular-nums;
    }

    i {
      --ending: var(--line-strong);
    }

    [data-ending="complete"] {
      --ending: var(--patina);
    }

    [data-ending="truncated"] {
      --ending: var(--amber);
    }

    [data-ending="error"] {
      --ending: var(--danger);
    }

    [data-ending="refused"] {
      --ending: color-mix(in srgb, var(--danger) 50%, var(--surface));
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
      .endings > li,
      .errors li {
        padding-inline: var(--space-4);
      }
    }
  `;
}
