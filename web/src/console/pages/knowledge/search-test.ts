import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { knowledgeWords } from "../../../i18n/knowledge";
import "../../parts/copy-button";
import { Draft } from "../../parts/draft";
import { formatScore } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import { collectionField } from "./collection-field";
import { readCollections } from "./library";
import { MODES, compare, goldenLine, pieces, type Comparison, type Hit, type Mode, type Row } from "./tester";

/** One question in three ways of searching, side by side. The question stands in the address. */
@customElement("trivet-search-test")
export class SearchTest extends PagePart {
  @property() collection = "site";
  @property() question = "";
  @state() private right = new Set<string>();
  @query("#question") private readonly field!: HTMLInputElement;
  private readonly collections = new Reading(this, (signal) => readCollections(this.client, signal));
  private readonly comparison = new Reading(this, (signal) => compare(this.client, this.collection, this.question, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.collections.now();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("question") && !changed.has("collection")) return;
    this.comparison.set(null);
    this.right = new Set();
    if (this.question !== "") void this.comparison.now();
  }

  override render() {
    const words = knowledgeWords[this.language];
    return html`
      <p class="hint lead">${words.testerHelp}</p>
      <form class="row" role="search" @submit=${this.onAsk}>
        ${collectionField(this.collections.value, this.collection, this.language, (name) => this.ask(this.field.value, name))}
        <div class="field grow">
          <label for="question">${words.question}</label>
          <input id="question" .defaultValue=${this.question} placeholder=${words.questionExample} maxlength="4000" autocomplete="off" />
        </div>
        <button class="button primary" type="submit">${words.test}</button>
      </form>
      ${this.question === ""
        ? html`<p class="panel empty">${words.testerEmpty}</p>`
        : looks(this.comparison, this.language, ghostLines(5, "6rem"), (found) => this.found(found))}
    `;
  }

  private found({ rows, tookMs, degraded }: Comparison) {
    const words = knowledgeWords[this.language];
    if (rows.length === 0) return html`<div class="panel empty"><p><strong>${words.nothingFound}</strong></p><p>${words.nothingFoundHelp}</p></div>`;
    const names = this.ways();
    return html`
      ${degraded.length > 0 ? html`<p class="note" role="status">${words.degradedNow}</p>` : nothing}
      <p class="faint took">${MODES.map((mode) => `${names[mode]} ${words.took(Math.round(tookMs[mode]))}`).join(" · ")}</p>
      ${this.golden(rows)}
      <ol class="rows">
        ${rows.map((row) => this.row(row))}
      </ol>
    `;
  }

  private golden(rows: Row[]) {
    const words = knowledgeWords[this.language];
    const sources = rows.filter(({ hit }) => this.right.has(hit.id)).map(({ hit }) => hit.source);
    if (sources.length === 0) return nothing;
    const line = goldenLine(this.question, [...new Set(sources)]);
    return html`<section class="panel card golden" aria-labelledby="golden">
      <h3 id="golden">${words.golden}</h3>
      <pre tabindex="0">${line}</pre>
      <p class="hint">${words.goldenHelp}</p>
      <div class="actions">
        <trivet-copy primary .text=${`${line}\n`} .language=${this.language}></trivet-copy>
        <button class="button" type="button" @click=${() => this.evaluate(line)}>${words.toEvaluation}</button>
      </div>
    </section>`;
  }

  private row({ hit, ranks, dense, lexical }: Row) {
    const words = knowledgeWords[this.language];
    const query = new URLSearchParams({ collection: this.collection, passage: String(hit.position) });
    const score: Record<Mode, number | null> = { hybrid: hit.relevance, dense, lexical };
    const marked = this.right.has(hit.id);
    return html`<li class="panel hit" ?data-right=${marked}>
      <dl class="ranks">
        ${MODES.map((mode) => this.rank(mode, ranks[mode], score[mode]))}
      </dl>
      <div class="passage">
        <h3>${hit.title}</h3>
        <p class="source">${hit.source}</p>
        <p class="snippet">${pieces(hit.snippet, hit.highlights).map(({ text, marked }) => (marked ? html`<mark>${text}</mark>` : text))}</p>
        <div class="actions">
          <button class="button right" type="button" aria-pressed=${marked} aria-label=${words.markRight(hit.title)} @click=${() => this.mark(hit)}>
            ${icons.check()} ${words.right}
          </button>
          ${hit.documentId ? html`<a class="button quiet" href=${formatRoute(`/knowledge/documents/${hit.documentId}`, query)}>${words.seePassages}</a>` : nothing}
        </div>
      </div>
    </li>`;
  }

  private rank(mode: Mode, place: number | null, score: number | null) {
    const words = knowledgeWords[this.language];
    const name = this.ways()[mode];
    const said = place === null ? words.unranked(name) : words.rank(name, place);
    return html`<div data-place=${place === null ? "none" : place === 1 ? "first" : "some"}>
      <dt>${name}</dt>
      <dd><span class="unseen">${said}</span><span class="place" aria-hidden="true">${place ?? "–"}</span>${score === null || place === null ? nothing : html`<span class="score">${formatScore(score, this.locale)}</span>`}</dd>
    </div>`;
  }

  private ways(): Record<Mode, string> {
    const words = knowledgeWords[this.language];
    return { hybrid: words.fused, dense: words.dense, lexical: words.lexical };
  }

  private mark({ id }: Hit): void {
    const right = new Set(this.right);
    if (!right.delete(id)) right.add(id);
    this.right = right;
  }

  private onAsk(event: Event): void {
    event.preventDefault();
    const question = this.field.value.trim();
    if (question === this.question && question !== "") void this.comparison.now();
    else this.ask(question, this.collection);
  }

  private ask(question: string, collection: string): void {
    const query = new URLSearchParams({ collection, ...(question.trim() ? { q: question.trim() } : {}) });
    this.context.router.navigate("/knowledge/tester", query);
  }

  /** The line joins those that wait to be evaluated. */
  private evaluate(line: string): void {
    const draft = new Draft("knowledge.golden");
    const lines = draft.text.split("\n").filter((known) => known.trim() !== "" && known !== line);
    draft.text = [...lines, line, ""].join("\n");
    this.context.router.navigate("/knowledge/evaluations", new URLSearchParams({ collection: this.collection }));
  }
}

function styles() {
  return css`
    .lead {
      max-width: 46rem;
      margin-bottom: var(--space-4);
    }

    form {
      margin-bottom: var(--space-4);
    }

    form .field:first-child {
      flex: 0 1 12rem;
    }

    .took {
      margin-bottom: var(--space-3);
    }

    .note {
      margin-bottom: var(--space-3);
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-s);
      background: var(--amber-wash);
      font-size: var(--text-s);
    }

    .rows {
      display: grid;
      gap: var(--space-3);
    }

    .hit {
      display: grid;
      grid-template-columns: 13.5rem minmax(0, 1fr);
    }

    .hit[data-right] {
      border-color: var(--patina);
      box-shadow: inset 0 0 0 1px var(--patina);
    }

    .ranks {
      display: grid;
      grid-template-columns: repeat(3, minmax(0, 1fr));
      align-content: start;
      padding: var(--space-4) 0 var(--space-4) var(--space-4);
    }

    .ranks > div {
      text-align: center;
    }

    dt {
      color: var(--ink-soft);
      font-size: var(--text-xs);
    }

    dd {
      display: grid;
    }

    .place {
      font: 400 1.75rem / 1.3 var(--serif);
      font-variant-numeric: lining-nums;
    }

    [data-place="first"] .place {
      color: var(--patina-strong);
      font-weight: 600;
    }

    [data-place="none"] .place {
      color: var(--ink-faint);
    }

    .score {
      color: var(--ink-faint);
      font-size: var(--text-xs);
      font-variant-numeric: tabular-nums;
    }

    .passage {
      display: grid;
      gap: var(--space-1);
      min-width: 0;
      padding: var(--space-4) var(--space-5);
    }

    h3 {
      font-weight: 600;
      font-size: var(--text-m);
      line-height: 1.4;
      overflow-wrap: anywhere;
    }

    .source {
      color: var(--ink-faint);
      font: 400 var(--text-xs) / 1.5 var(--mono);
      overflow-wrap: anywhere;
    }

    .snippet {
      max-width: 46rem;
      margin: var(--space-1) 0 var(--space-2);
      color: var(--ink-soft);
      font-size: var(--text-s);
      overflow-wrap: anywhere;
    }

    mark {
      border-radius: 2px;
      background: var(--amber-wash);
      color: var(--ink);
      font-weight: 550;
    }

    .right svg {
      opacity: 0.35;
    }

    .right[aria-pressed="true"] {
      border-color: transparent;
      background: var(--patina);
      color: var(--on-patina);
    }

    .right[aria-pressed="true"] svg {
      opacity: 1;
    }

    .golden {
      display: grid;
      gap: var(--space-3);
      margin-bottom: var(--space-4);
      background: var(--patina-wash);
    }

    pre {
      margin: 0;
      padding: var(--space-3);
      border-radius: var(--radius-s);
      background: var(--surface);
      font: 400 var(--text-s) / 1.5 var(--mono);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }

    @media (max-width: 40rem) {
      .hit {
        grid-template-columns: minmax(0, 1fr);
      }

      .ranks {
        padding: var(--space-3) var(--space-4) 0;
      }

      .ranks > div {
        text-align: start;
      }

      dd {
        display: flex;
        align-items: baseline;
        gap: var(--space-2);
      }

      .place {
        font-size: 1.375rem;
      }

      .passage {
        padding: var(--space-2) var(--space-4) var(--space-4);
      }
    }
  `;
}
