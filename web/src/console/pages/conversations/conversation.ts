import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { conversationsWords } from "../../../i18n/conversations";
import { formatNumber, formatScore, formatSeconds, formatTime, formatUsd } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import "./answer-text";
import { isCut, readConversation, readPassages, type Passage, type Turn, type WholeConversation } from "./conversations";
import { endingSign } from "./endings";

/** One conversation whole. `listed`: what was looked for in the list, for the way back. */
@customElement("trivet-conversation")
export class ConversationView extends PagePart {
  @property() conversation = "";
  @property({ attribute: false }) listed = new URLSearchParams();
  private readonly whole = new Reading(this, (signal) => this.read(signal));
  private readonly passages = new Reading(this, (signal) => readPassages(this.client, this.whole.value?.turns ?? [], signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("conversation")) return;
    this.whole.value = this.passages.value = null;
    void this.whole.now().then(() => this.passages.now());
  }

  override render() {
    const words = conversationsWords[this.language];
    return html`
      <a class="back" href=${formatRoute("/conversations", this.listed)}>${icons.chevron()} ${words.back}</a>
      ${this.whole.failure?.kind === "not_found" && this.whole.value === null
        ? html`<div class="panel empty"><p><strong>${words.gone}</strong></p><p>${words.goneHelp}</p></div>`
        : looks(this.whole, this.language, ghostLines(4, "8rem"), (whole) => this.shown(whole))}
    `;
  }

  private read(signal: AbortSignal): Promise<WholeConversation> {
    return readConversation(this.client, this.conversation, signal);
  }

  private shown(whole: WholeConversation) {
    const words = conversationsWords[this.language];
    return html`
      <div class="title"><h1>${whole.turns[0]?.question ?? words.title}</h1></div>
      ${this.head(whole)} ${this.notes(whole)} ${whole.earlier > 0 ? html`<p class="hint earlier">${words.earlier(whole.earlier)}</p>` : nothing}
      <ol class="turns">
        ${whole.turns.map((turn) => this.turn(turn))}
      </ol>
    `;
  }

  private head(whole: WholeConversation) {
    const words = conversationsWords[this.language];
    const seconds = (new Date(whole.last).getTime() - new Date(whole.started).getTime()) / 1000;
    const total = (value: (turn: Turn) => number | null): number => whole.turns.reduce((sum, turn) => sum + (value(turn) ?? 0), 0);
    const tokens = total((turn) => turn.inputTokens) + total((turn) => turn.outputTokens);
    return html`<dl class="panel head">
      ${this.figure(words.began, formatTime(whole.started, this.locale))} ${this.figure(words.lasted, this.span(seconds))}
      ${this.figure(words.allTokens, formatNumber(tokens, this.locale))}
      ${this.figure(words.cost, formatUsd(total((turn) => turn.costUsd), this.locale))}
      ${whole.visitor ? this.figure(words.visitor, html`<a href=${this.ofVisitor(whole, whole.visitor)} title=${words.visitorHelp}>${whole.visitor.slice(0, 8)}<span class="unseen"> ${words.othersOfVisitor}</span></a>`) : nothing}
    </dl>`;
  }

  private figure(title: string, value: unknown, name = "") {
    return html`<div data-name=${name || nothing}><dt>${title}</dt><dd>${value}</dd></div>`;
  }

  /** Minutes and hours where seconds would be long to read. */
  private span(seconds: number): string {
    const unit = seconds < 90 ? "second" : seconds < 5400 ? "minute" : "hour";
    const size = { second: 1, minute: 60, hour: 3600 }[unit];
    return new Intl.NumberFormat(this.locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: unit === "hour" ? 1 : 0 }).format(seconds / size);
  }

  /** A visitor's id is good for one day of UTC; the list's days are the reader's. */
  private ofVisitor({ started, last }: WholeConversation, visitor: string): string {
    const day = (time: string): string => new Date(time).toLocaleDateString("sv-SE");
    return formatRoute("/conversations", new URLSearchParams({ visitor, from: day(started), to: day(last) }));
  }

  private notes({ storesQuestions, storesAnswers, turns }: WholeConversation) {
    const words = conversationsWords[this.language];
    const note = (text: string, address: string) => html`<p class="note">${text} <a href=${address}>${words.toSetting}</a></p>`;
    const setting = (part: string, name: string): string => formatRoute(`/settings/${part}`, new URLSearchParams({ q: name }));
    return html`${!storesAnswers && turns.every(({ answer }) => answer === null) ? note(words.answersNotKept, setting("common", "TRIVET_STORE_ANSWERS")) : nothing}
    ${storesQuestions ? nothing : note(words.questionsNotKept, setting("analytics", "ANALYTICS_STORE_QUESTIONS"))}`;
  }

  private turn(turn: Turn) {
    const words = conversationsWords[this.language];
    return html`<li>
      <div class="asked">
        <p class="label">${words.asked} <time datetime=${turn.time}>${formatTime(turn.time, this.locale)}</time></p>
        <p class="question" ?data-none=${turn.question === null}>${turn.question ?? words.notKept}</p>
      </div>
      <article class="panel answered">
        <p class="label">${words.answered} ${turn.ending === "complete" ? nothing : endingSign(turn.ending, this.language)} ${this.error(turn)} ${this.vote(turn)}</p>
        ${this.answer(turn)} ${turn.comment ? html`<blockquote>${turn.comment}</blockquote>` : nothing} ${this.sources(turn)} ${this.figures(turn)}
      </article>
    </li>`;
  }

  private error({ errorType, status }: Turn) {
    if (!errorType) return nothing;
    const words = conversationsWords[this.language];
    return html`<span class="hint"><code>${errorType}</code>${status ? html` · ${words.status(status)}` : nothing}</span>`;
  }

  private vote({ rating }: Turn) {
    const words = conversationsWords[this.language];
    if (!rating) return nothing;
    return html`<span class="vote" data-tone=${rating === "up" ? "good" : "bad"}>${rating === "up" ? icons.thumbUp() : icons.thumbDown()} ${rating === "up" ? words.helpful : words.notHelpful}</span>`;
  }

  private answer(turn: Turn) {
    const words = conversationsWords[this.language];
    if (turn.answer === null) {
      const none = ["error", "refused"].includes(turn.ending) && !turn.outputTokens;
      return html`<p class="none">${none ? words.noAnswer : words.answerNotKept}</p>`;
    }
    const known = this.passages.value;
    const sources = (turn.citations ?? []).map((id, place) => {
      const passage = known?.get(id);
      return { index: place + 1, title: passage?.title ?? words.passageGone, href: passage ? this.address(passage) : null };
    });
    return html`<trivet-answer-text .text=${turn.answer} .sources=${sources} .language=${this.language}></trivet-answer-text>
      ${isCut(turn.answer) ? html`<p class="hint">${words.cut}</p>` : nothing}`;
  }

  private sources(turn: Turn) {
    const words = conversationsWords[this.language];
    if (turn.citations === null) return turn.assistant ? nothing : html`<p class="hint">${words.noAssistant}</p>`;
    return html`<div class="sources">
      ${turn.citations.length === 0 ? html`<p class="hint">${words.nothingFound}</p>` : html`<h2>${words.passages}</h2>${this.cited(turn.citations)}`}
      ${turn.searches.length > 0
        ? html`<details>
            <summary>${words.searches(turn.searches.length)}</summary>
            <ul>
              ${turn.searches.map(({ query, found, topScore }) => html`<li>${words.searchedFor(query, found, topScore === null ? "" : formatScore(topScore, this.locale))}</li>`)}
            </ul>
          </details>`
        : nothing}
    </div>`;
  }

  private cited(citations: readonly string[]) {
    const words = conversationsWords[this.language];
    const known = this.passages.value;
    if (!known) return html`<p class="hint">${this.passages.failure ? words.passagesFailed : words.passagesLoading}</p>`;
    return html`<ol class="cited">
      ${citations.map((id) => {
        const passage = known.get(id);
        return passage
          ? html`<li><a href=${this.address(passage)}>${passage.title}</a> <span class="source">${passage.source}</span></li>`
          : html`<li class="hint">${words.passageGone} <code>${id}</code></li>`;
      })}
    </ol>`;
  }

  private address({ documentId, position, collection }: Passage): string {
    return formatRoute(`/knowledge/documents/${documentId}`, new URLSearchParams({ collection, passage: String(position) }));
  }

  private figures(turn: Turn) {
    const words = conversationsWords[this.language];
    const seconds = (value: number | null): string => (value === null ? words.noFigure : this.precise(value));
    const count = (value: number | null): string => (value === null ? words.noFigure : formatNumber(value, this.locale));
    const notes = [turn.fallbackFrom ? words.insteadOf(turn.fallbackFrom) : "", turn.attempts > 1 ? words.attempts(turn.attempts) : ""].filter((note) => note !== "");
    return html`<dl class="figures">
      ${this.figure(words.firstToken, seconds(turn.firstTokenSeconds))} ${this.figure(words.duration, seconds(turn.durationSeconds))}
      ${this.figure(words.tokensIn, count(turn.inputTokens))}
      ${this.figure(words.tokensOut, html`${count(turn.outputTokens)}${turn.estimated ? html` <span class="hint">${words.estimated}</span>` : nothing}`)}
      ${this.figure(words.cost, turn.costUsd === null ? words.noFigure : formatUsd(turn.costUsd, this.locale))}
      ${turn.model ? this.figure(words.model, html`<code>${turn.model}</code>${notes.length > 0 ? html` <span class="hint">${notes.join(", ")}</span>` : nothing}`, "model") : nothing}
      ${this.figure(words.request, html`<code>${turn.requestId}</code>`, "request")}
    </dl>`;
  }

  /** A first token comes within parts of a second. */
  private precise(seconds: number): string {
    if (seconds >= 1) return formatSeconds(seconds, this.locale);
    return new Intl.NumberFormat(this.locale, { style: "unit", unit: "millisecond", unitDisplay: "short", maximumFractionDigits: 0 }).format(seconds * 1000);
  }
}

function styles() {
  return css`
    .title {
      margin-bottom: var(--space-4);
    }

    h1 {
      display: -webkit-box;
      overflow: hidden;
      font-size: var(--text-xl);
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 3;
      overflow-wrap: anywhere;
    }

    .head,
    .figures {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-3) var(--space-6);
      font-size: var(--text-s);
    }

    .head {
      padding: var(--space-4) var(--space-5);
    }

    dt {
      color: var(--ink-soft);
      font-size: var(--text-xs);
    }

    dd {
      font-weight: 550;
      font-variant-numeric: lining-nums tabular-nums;
      overflow-wrap: anywhere;
    }

    .note {
      margin-top: var(--space-3);
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-s);
      background: var(--sunken);
      font-size: var(--text-s);
    }

    .earlier {
      margin-top: var(--space-4);
    }

    .turns {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-6);
      margin-top: var(--space-5);
    }

    .turns > li {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-3);
    }

    .label {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
      color: var(--ink-soft);
      font-size: var(--text-xs);
    }

    .asked {
      display: grid;
      justify-items: end;
      gap: var(--space-1);
      margin-inline-start: 12%;
    }

    .question {
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-m) var(--radius-m) var(--radius-s) var(--radius-m);
      background: var(--patina-wash);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }

    .question[data-none],
    .none {
      color: var(--ink-soft);
    }

    .answered {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-4);
      padding: var(--space-4) var(--space-5);
    }

    trivet-answer-text {
      max-width: 46rem;
    }

    .vote {
      display: inline-flex;
      align-items: center;
      gap: var(--space-1);
      margin-inline-start: auto;
      font-weight: 550;
    }

    .vote[data-tone="good"] {
      color: var(--patina-strong);
    }

    .vote[data-tone="bad"] {
      color: var(--danger);
    }

    blockquote {
      margin: 0;
      padding-inline-start: var(--space-3);
      border-inline-start: 2px solid var(--line-strong);
      color: var(--ink-soft);
      font-size: var(--text-s);
      overflow-wrap: anywhere;
    }

    .sources {
      display: grid;
      gap: var(--space-2);
      font-size: var(--text-s);
    }

    .sources h2 {
      margin: 0;
      color: var(--ink-soft);
      font: 550 var(--text-s) / 1.5 var(--sans);
    }

    .cited {
      display: grid;
      gap: var(--space-1);
      padding-inline-start: 1.5rem;
      list-style: decimal;
    }

    .cited li {
      padding-inline-start: var(--space-1);
      overflow-wrap: anywhere;
    }

    .source,
    code {
      color: var(--ink-faint);
      font: 400 var(--text-xs) / 1.5 var(--mono);
      overflow-wrap: anywhere;
    }

    summary {
      color: var(--ink-soft);
      cursor: pointer;
    }

    details li {
      padding-top: var(--space-1);
      color: var(--ink-soft);
      overflow-wrap: anywhere;
    }

    .figures {
      padding-top: var(--space-3);
      border-top: 1px solid var(--line);
    }

    .figures code {
      color: inherit;
      font-size: var(--text-s);
    }

    .figures .hint {
      font-weight: 400;
    }

    @media (max-width: 40rem) {
      .head,
      .answered {
        padding: var(--space-4);
      }

      .head,
      .figures {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: var(--space-3);
      }

      .figures > :is([data-name="model"], [data-name="request"]) {
        grid-column: 1 / -1;
      }

      .asked {
        margin-inline-start: var(--space-5);
      }
    }
  `;
}
