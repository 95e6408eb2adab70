import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { conversationsWords } from "../../../i18n/conversations";
import { formatNumber, formatTime, formatUsd } from "../../parts/format";
import { Further } from "../../parts/further";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import { FILTERS, joined, readConversations, type Conversation, type ConversationPage, type Wanted } from "./conversations";
import { endingName, endingSign } from "./endings";

/** Conversations that fit, the newest first. What is looked for stands in the address. */
@customElement("trivet-conversation-list")
export class ConversationList extends PagePart {
  @property({ attribute: false }) query = new URLSearchParams();
  private readonly page = new Reading(this, (signal) => readConversations(this.client, this.wanted, "", signal));
  private readonly further = new Further(this, this.page, (before, signal) =>
    before.nextCursor ? readConversations(this.client, this.wanted, before.nextCursor, signal).then((next) => joined(before, next)) : null,
  );
  private showing: string | null = null;
  private known: Pick<ConversationPage, "assistants" | "endings"> = { assistants: [], endings: [] };

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) void this.page.now(); // shown again: there may be new ones
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    this.known = this.page.value ?? this.known; // the choices stay while others are read
    const wanted = JSON.stringify(this.wanted);
    if (this.showing === wanted) return;
    this.showing = wanted;
    this.page.value = null;
    this.further.forget();
    void this.page.now();
  }

  override render() {
    const words = conversationsWords[this.language];
    return html`
      <div class="title">
        <div>
          <h1>${words.title}</h1>
          <p class="faint">${words.lead}</p>
        </div>
      </div>
      ${this.filters()} ${looks(this.page, this.language, ghostLines(8, "5.5rem"), (page) => this.list(page))}
    `;
  }

  private get wanted(): Wanted {
    return Object.fromEntries(FILTERS.map((name) => [name, this.query.get(name) ?? ""])) as unknown as Wanted;
  }

  private get filtered(): boolean {
    return FILTERS.some((name) => this.query.get(name));
  }

  private filters() {
    const words = conversationsWords[this.language];
    const { text, from, to, visitor } = this.wanted;
    return html`<form role="search" @submit=${this.onFind} @change=${this.onChange}>
      <div class="row">
        <div class="field grow">
          <label for="text">${words.search}</label>
          <input id="text" name="text" type="search" .value=${text} placeholder=${words.searchExample} maxlength="200" autocomplete="off" />
        </div>
        <button class="button" type="submit">${words.find}</button>
      </div>
      <div class="row narrow">
        <div class="field">
          <label for="from">${words.from}</label>
          <input id="from" name="from" type="date" .value=${from} />
        </div>
        <div class="field">
          <label for="to">${words.to}</label>
          <input id="to" name="to" type="date" .value=${to} />
        </div>
        ${this.choice("assistant", words.assistant, words.anyAssistant, this.known.assistants, (name) => name)}
        ${this.choice("ending", words.ending, words.anyEnding, this.known.endings, (name) => endingName(name, this.language))}
      </div>
      ${visitor
        ? html`<p class="chip"><span>${words.ofVisitor(visitor.slice(0, 8))}</span> <button class="button quiet" type="button" @click=${() => this.go({ ...this.wanted, visitor: "" })}>${icons.close()} ${words.anyVisitor}</button></p>`
        : nothing}
    </form>`;
  }

  /** What is asked for stays among the choices while these are read. */
  private choice(name: "assistant" | "ending", label: string, any: string, known: readonly string[], said: (name: string) => string) {
    const chosen = this.wanted[name];
    const shown = chosen === "" || known.includes(chosen) ? known : [chosen, ...known];
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <select id=${name} name=${name}>
        <option value="" ?selected=${chosen === ""}>${any}</option>
        ${shown.map((item) => html`<option value=${item} ?selected=${item === chosen}>${said(item)}</option>`)}
      </select>
    </div>`;
  }

  private list(page: ConversationPage) {
    const words = conversationsWords[this.language];
    const more = page.items.length === 0 ? words.lookFurther : words.more;
    return html`${page.items.length === 0
      ? this.empty(page)
      : html`<ul class="panel conversations">
          ${page.items.map((conversation) => this.entry(conversation))}
        </ul>`}
    ${this.further.look(Boolean(page.nextCursor), more, this.language)}`;
  }

  private entry(conversation: Conversation) {
    const words = conversationsWords[this.language];
    const { question, matching, endings } = conversation;
    const others = endings.filter(([ending]) => ending !== "complete");
    return html`<li>
      <div class="what">
        <a href=${formatRoute(`/conversations/${conversation.id}`)} ?data-none=${question === null}>${question ?? words.notKept}</a>
        ${matching !== null && matching !== question && this.wanted.text !== "" ? html`<p class="matching"><span class="faint">${words.matching}</span> ${matching}</p>` : nothing}
        <p class="facts">${others.map(([ending, count]) => endingSign(ending, this.language, count))} ${this.votes(conversation)} <span class="hint">${this.facts(conversation)}</span></p>
      </div>
      <p class="when"><time datetime=${conversation.last}>${formatTime(conversation.last, this.locale)}</time><span class="faint">${words.questions(conversation.questions)}</span></p>
    </li>`;
  }

  private votes({ thumbsUp, thumbsDown }: Conversation) {
    const words = conversationsWords[this.language];
    const vote = (count: number, sign: unknown, said: string, tone: string) =>
      count > 0 ? html`<span class="vote" data-tone=${tone} title=${said}>${sign}<span aria-hidden="true">${count}</span><span class="unseen">${said}</span></span>` : nothing;
    return html`${vote(thumbsUp, icons.thumbUp(), words.thumbsUp(thumbsUp), "good")} ${vote(thumbsDown, icons.thumbDown(), words.thumbsDown(thumbsDown), "bad")}`;
  }

  private facts({ assistants, models, tokens, costUsd }: Conversation): string {
    const words = conversationsWords[this.language];
    const told = [...assistants, ...models, tokens > 0 ? words.tokens(formatNumber(tokens, this.locale)) : "", costUsd > 0 ? formatUsd(costUsd, this.locale) : ""];
    return told.filter((fact) => fact !== "").join(" · ");
  }

  private empty({ nextCursor }: ConversationPage) {
    const words = conversationsWords[this.language];
    if (this.filtered) {
      return html`<div class="panel empty">
        <p><strong>${nextCursor ? words.noMatchYet : words.noMatch}</strong></p>
        <p>${words.noMatchHelp}</p>
        <p><button class="button" type="button" @click=${() => this.go(null)}>${words.clear}</button></p>
      </div>`;
    }
    return html`<div class="panel empty">
      <p><strong>${words.none}</strong></p>
      <p>${words.noneHelp}</p>
      <p><a class="button primary" href=${this.client.root.href} target="_blank" rel="noopener">${icons.chat()} ${words.openChat}</a></p>
    </div>`;
  }

  private onFind(event: Event): void {
    event.preventDefault();
    this.go(this.typed());
  }

  /** A date or a choice is taken at once; words wait for Enter. */
  private onChange(event: Event): void {
    if ((event.target as HTMLElement).id !== "text") this.go(this.typed());
  }

  private typed(): Wanted {
    const form = new FormData(this.renderRoot.querySelector("form") ?? undefined);
    const given = FILTERS.filter((name) => name !== "visitor").map((name) => [name, String(form.get(name) ?? "").trim()]);
    return { ...this.wanted, ...Object.fromEntries(given) };
  }

  private go(wanted: Wanted | null): void {
    const query = new URLSearchParams(wanted ? FILTERS.filter((name) => wanted[name] !== "").map((name) => [name, wanted[name]]) : []);
    this.context.router.navigate("/conversations", query);
  }
}

function styles() {
  return css`
    form {
      display: grid;
      gap: var(--space-3);
      margin-bottom: var(--space-5);
    }

    .narrow .field {
      flex: 1 1 10rem;
    }

    .chip {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-self: start;
      gap: var(--space-2);
      padding-inline-start: var(--space-4);
      border-radius: 999px;
      background: var(--patina-wash);
      color: var(--patina-strong);
      font-weight: 550;
      font-size: var(--text-s);
    }

    .conversations > li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      gap: var(--space-1) var(--space-5);
      padding: var(--space-4) var(--space-5);
    }

    .conversations > li + li {
      border-top: 1px solid var(--line);
    }

    .what > a {
      display: -webkit-box;
      overflow: hidden;
      color: var(--ink);
      font-weight: 550;
      text-decoration: none;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 2;
      overflow-wrap: anywhere;
    }

    .what > a:hover {
      color: var(--patina-strong);
      text-decoration: underline;
    }

    .what > a[data-none] {
      color: var(--ink-soft);
      font-weight: 400;
    }

    .matching {
      margin-top: var(--space-1);
      color: var(--ink-soft);
      font-size: var(--text-s);
      overflow-wrap: anywhere;
    }

    .facts {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
      margin-top: var(--space-1);
    }

    .facts .hint {
      min-width: 0;
      overflow-wrap: anywhere;
    }

    .vote {
      display: inline-flex;
      align-items: center;
      gap: var(--space-1);
      font-weight: 550;
      font-size: var(--text-s);
    }

    .vote[data-tone="good"] {
      color: var(--patina-strong);
    }

    .vote[data-tone="bad"] {
      color: var(--danger);
    }

    .when {
      display: grid;
      align-content: start;
      color: var(--ink-soft);
      font-size: var(--text-s);
      text-align: end;
      font-variant-numeric: lining-nums tabular-nums;
    }

    .empty {
      display: grid;
      justify-items: start;
      gap: var(--space-3);
    }

    @media (max-width: 46rem) {
      .conversations > li {
        grid-template-columns: minmax(0, 1fr);
        padding: var(--space-4);
      }

      .when {
        display: flex;
        gap: var(--space-3);
      }

      .narrow > .field.field.field {
        flex: 1 1 calc(50% - var(--space-3));
      }
    }
  `;
}
