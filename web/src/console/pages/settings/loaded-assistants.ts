import { css, html, type CSSResultGroup } from "lit";
import { customElement } from "lit/decorators.js";
import { settingsWords } from "../../../i18n/settings";
import { formatNumber, formatScore } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import { TEXTS, readLoaded, type Loaded, type LoadedAssistant } from "./loaded";
import { loadedProblem } from "./loaded-problem";

/** Assistants as assistants.yaml was loaded, with their words in both languages. */
@customElement("trivet-loaded-assistants")
export class LoadedAssistants extends PagePart {
  private readonly loaded = new Reading(this, (signal) => readLoaded(this.client, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.loaded.now();
  }

  override render() {
    return looks(this.loaded, this.language, ghostLines(2, "14rem"), (loaded) => this.all(loaded));
  }

  private all({ assistants, assistantsProblem }: Loaded) {
    const words = settingsWords[this.language];
    const problem = loadedProblem(words.problemAssistants, assistantsProblem);
    if (assistants.length === 0) return html`${problem}<div class="panel empty"><p><strong>${words.noAssistants}</strong></p><p>${words.noAssistantsHelp}</p></div>`;
    return html`${problem}
      <ul class="assistants">
        ${assistants.map((assistant) => this.assistant(assistant))}
      </ul>`;
  }

  private assistant(assistant: LoadedAssistant) {
    const words = settingsWords[this.language];
    return html`<li class="panel card">
      <h3>${assistant.name} <code class="faint">assistant/${assistant.name}</code></h3>
      <dl>${this.facts(assistant).map(([title, value]) => html`<div><dt>${title}</dt><dd>${value}</dd></div>`)}</dl>
      <details>
        <summary>${words.wordsOf}</summary>
        ${TEXTS.map((name) => this.text(words[name], assistant.texts[name]))}
      </details>
    </li>`;
  }

  private facts(assistant: LoadedAssistant): (readonly [string, unknown])[] {
    const words = settingsWords[this.language];
    const number = (value: number): string => formatNumber(value, this.locale);
    const collection = formatRoute("/knowledge/documents", new URLSearchParams({ collection: assistant.collection }));
    return [
      [words.model, assistant.model ? html`<code>${assistant.model}</code>` : words.theDefaultModel],
      [words.collection, html`<a href=${collection}>${assistant.collection}</a>`],
      [words.topK, number(assistant.topK)],
      [words.minScore, assistant.minScore === null ? words.collectionDefault : formatScore(assistant.minScore, this.locale)],
      [words.longest, words.tokens(number(assistant.maxTokens))],
      [words.temperature, number(assistant.temperature)],
      [words.history, words.historyOf(assistant.maxHistoryMessages, number(assistant.maxHistoryCharacters))],
      [words.bounds, words.characters(`${number(assistant.maxPassageCharacters)}, ${number(assistant.maxQuestionCharacters)}`)],
      [words.rewrite, assistant.rewriteModel ? html`<code>${assistant.rewriteModel}</code>` : words.noRewrite],
    ];
  }

  private text(title: string, both: Record<"zh" | "en", string>) {
    return html`<section>
      <h4>${title}</h4>
      <div class="both"><pre lang="zh-CN">${both.zh}</pre><pre lang="en">${both.en}</pre></div>
    </section>`;
  }
}

function styles() {
  return css`
    .problem {
      margin-bottom: var(--space-4);
    }

    .assistants {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-4);
    }

    .card {
      display: grid;
      gap: var(--space-4);
    }

    h3 {
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      gap: 0 var(--space-3);
      font: 600 var(--text-l) / 1.3 var(--serif);
    }

    h4 {
      margin: var(--space-4) 0 var(--space-2);
      font-weight: 550;
      font-size: var(--text-s);
    }

    code {
      font: 400 var(--text-s) / 1.5 var(--mono);
      overflow-wrap: anywhere;
    }

    dl {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr));
      gap: var(--space-3) var(--space-5);
      font-size: var(--text-s);
    }

    dt {
      color: var(--ink-soft);
    }

    dd {
      font-weight: 550;
    }

    summary {
      color: var(--ink-soft);
      font-size: var(--text-s);
      cursor: pointer;
    }

    .both {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr));
      gap: var(--space-3);
    }

    pre {
      margin: 0;
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-s);
      background: var(--sunken);
      font: 400 var(--text-s) / 1.6 var(--sans);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }
  `;
}
