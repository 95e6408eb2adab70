import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { knowledgeWords } from "../../../i18n/knowledge";
import type { Failure } from "../../../transport/failure";
import { Draft } from "../../parts/draft";
import { formatScore, formatTime } from "../../parts/format";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { collectionField } from "./collection-field";
import { evaluate, parseGolden, previousRuns, readRuns, type Measures, type Run } from "./evaluations";
import { readCollections } from "./library";
import { MODES, type Mode } from "./tester";

/** Differences below this are no news. */
const NOTABLE = 0.005;

/** How well golden queries find their passages, each run beside the one before it. */
@customElement("trivet-evaluations")
export class Evaluations extends PagePart {
  @property() collection = "site";
  @state() private busy = false;
  @state() private failure: Failure | null = null;
  @state() private lineProblem = "";
  @query("#golden") private readonly field!: HTMLTextAreaElement;
  private readonly draft = new Draft("knowledge.golden");
  private readonly collections = new Reading(this, (signal) => readCollections(this.client, signal));
  private readonly runs = new Reading(this, (signal) => readRuns(this.client, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.collections.now();
    void this.runs.now();
    if (this.hasUpdated) this.field.value = this.draft.text; // a line may have come from the search test
  }

  override render() {
    const words = knowledgeWords[this.language];
    return html`
      <form class="panel card" @submit=${this.onEvaluate}>
        <div class="field">
          <label for="golden">${words.goldenQueries}</label>
          <textarea
            id="golden"
            rows="5"
            spellcheck="false"
            autocapitalize="none"
            aria-describedby="golden-help golden-problem"
            aria-invalid=${this.lineProblem !== ""}
            .defaultValue=${this.draft.text}
            @input=${() => (this.draft.text = this.field.value)}
          ></textarea>
          <p id="golden-help" class="hint">${words.goldenQueriesHelp}</p>
          <p id="golden-problem" class="wrong" role="alert">${this.lineProblem}</p>
        </div>
        <div class="row">
          ${collectionField(this.collections.value, this.collection, this.language, (name) =>
            this.context.router.navigate("/knowledge/evaluations", new URLSearchParams({ collection: name })),
          )}
          <div class="field">
            <label for="mode">${words.mode}</label>
            <select id="mode" name="mode">
              ${MODES.map((mode) => html`<option value=${mode}>${this.way(mode)}</option>`)}
            </select>
          </div>
          <button class="button primary" type="submit" aria-disabled=${this.busy}>${this.busy ? words.evaluating : words.evaluate}</button>
        </div>
        ${this.failure ? problem(this.failure, this.language) : nothing}
      </form>
      <h2>${words.history}</h2>
      ${looks(this.runs, this.language, ghostLines(3, "7rem"), (runs) => this.history(runs))}
    `;
  }

  private history(runs: Run[]) {
    const words = knowledgeWords[this.language];
    if (runs.length === 0) return html`<div class="panel empty"><p><strong>${words.noRuns}</strong></p><p>${words.noRunsHelp}</p></div>`;
    const before = previousRuns(runs);
    return html`<ol class="runs">
      ${runs.map((run) => this.run(run, before.get(run.id)))}
    </ol>`;
  }

  private run(run: Run, before: Run | undefined) {
    const words = knowledgeWords[this.language];
    const { overall } = run;
    const tiles: [string, keyof Measures][] = [
      [words.recall(1), "recallAt1"],
      [words.recall(3), "recallAt3"],
      [words.recall(10), "recallAt10"],
      ["MRR", "mrrAt10"],
      ["nDCG", "ndcgAt10"],
    ];
    return html`<li class="panel run">
      <header>
        <p class="when">${formatTime(run.createdAt, this.locale)}</p>
        <p class="faint"><code>${run.collection}</code> · ${this.way(run.mode)} · ${words.questions} ${overall.questions}${run.model ? html` · <code>${run.model}</code>` : nothing}</p>
      </header>
      <dl>
        ${tiles.map(([name, key]) => html`<div><dt>${name}</dt><dd>${formatScore(Number(overall[key]), this.locale)} ${before ? this.change(Number(overall[key]) - Number(before.overall[key])) : nothing}</dd></div>`)}
      </dl>
      ${run.pairs.length > 1 ? this.pairs(run.pairs) : nothing}
    </li>`;
  }

  private change(by: number) {
    const words = knowledgeWords[this.language];
    if (Math.abs(by) < NOTABLE) return html`<span class="change"><span class="unseen">${words.same}</span><span aria-hidden="true">=</span></span>`;
    const points = formatScore(Math.abs(by), this.locale);
    const better = by > 0;
    return html`<span class="change" data-tone=${better ? "good" : "bad"}>
      <span class="unseen">${better ? words.better(points) : words.worse(points)}</span><span aria-hidden="true">${better ? "▲" : "▼"} ${points}</span>
    </span>`;
  }

  private pairs(pairs: Measures[]) {
    const words = knowledgeWords[this.language];
    return html`<details>
      <summary>${words.byLanguages}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${words.byLanguages}>
        <table>
          <thead>
            <tr>
              <th scope="col">${words.language}</th>
              <th scope="col" class="number">${words.questions}</th>
              <th scope="col" class="number">${words.recall(1)}</th>
              <th scope="col" class="number">${words.recall(3)}</th>
              <th scope="col" class="number">MRR</th>
            </tr>
          </thead>
          <tbody>
            ${pairs.map(
              (pair) => html`<tr>
                <td>${words.languages(pair.queryLang, pair.documentLang)}</td>
                <td class="number">${pair.questions}</td>
                <td class="number">${formatScore(pair.recallAt1, this.locale)}</td>
                <td class="number">${formatScore(pair.recallAt3, this.locale)}</td>
                <td class="number">${formatScore(pair.mrrAt10, this.locale)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
  }

  private way(mode: string): string {
    const words = knowledgeWords[this.language];
    const names: Record<Mode, string> = { hybrid: words.fused, dense: words.dense, lexical: words.lexical };
    return names[mode as Mode] ?? mode;
  }

  private async onEvaluate(event: Event): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const words = knowledgeWords[this.language];
    const { queries, line } = parseGolden(this.field.value);
    this.lineProblem = line === null ? (queries.length === 0 ? words.noLines : "") : words.badLine(line);
    if (this.lineProblem !== "") return this.field.focus();
    const mode = String(new FormData(event.target as HTMLFormElement).get("mode"));
    this.busy = true;
    this.failure = null;
    try {
      await evaluate(this.client, this.collection, mode, queries);
      await this.runs.now();
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.busy = false;
    }
  }
}

function styles() {
  return css`
    form {
      display: grid;
      gap: var(--space-4);
    }

    form .row .field {
      flex: 0 1 12rem;
    }

    textarea {
      font-family: var(--mono);
    }

    .runs {
      display: grid;
      gap: var(--space-3);
    }

    .run header {
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      justify-content: space-between;
      gap: 0 var(--space-4);
      padding: var(--space-3) var(--space-5) 0;
    }

    .when {
      font-weight: 550;
    }

    code {
      font: 400 var(--text-xs) / 1.5 var(--mono);
    }

    dl {
      display: flex;
      flex-wrap: wrap;
      padding: var(--space-2) var(--space-5) var(--space-4);
    }

    dl > div {
      flex: 1 1 7rem;
    }

    dt {
      color: var(--ink-soft);
      font-size: var(--text-xs);
    }

    dd {
      font: 400 1.375rem / 1.3 var(--serif);
      font-variant-numeric: lining-nums tabular-nums;
    }

    .change {
      color: var(--ink-faint);
      font: 550 var(--text-xs) / 1 var(--sans);
    }

    .change[data-tone="good"] {
      color: var(--patina-strong);
    }

    .change[data-tone="bad"] {
      color: var(--danger);
    }

    .run details {
      border-top: 1px solid var(--line);
    }

    .run summary {
      padding: var(--space-2) var(--space-5);
      color: var(--ink-soft);
      font-size: var(--text-s);
      cursor: pointer;
    }
  `;
}
