import { LitElement, html, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { mark, markStyles } from "../design/mark";
import { tokens } from "../design/tokens";
import { chatWords } from "../i18n/chat";
import { describeFailure } from "../i18n/common";
import type { MarkdownRenderer } from "../markdown/render";
import { Preferences, type Language } from "../preferences/preferences";
import { languageButton, themeButton } from "../preferences/switches";
import { askChat } from "../transport/completion";
import { VisitorCredential } from "../transport/credential";
import { sendFeedback } from "../transport/feedback";
import { chatStyles } from "./chat-styles";
import type { TrivetComposer } from "./composer";
import { Conversation, type Turn } from "./conversation";
import { BrowserStore } from "./conversation-store";
import type { Opinion } from "./feedback";
import { launcher, launcherStyles } from "./launcher";
import { Narrow } from "./narrow";
import { Newest } from "./newest";
import { UNKNOWN_SITE, isTrialModel, onlyTrialModels, readSite, type Site } from "./site";
import { VisibleHeight } from "./visible-height";
import "./composer";
import "./contact";
import "./turn";

const SPOKEN_CHARACTERS = 800;

export type ChatMode = "inline" | "button";

/**
 * A chat with one assistant, inline or behind a button in the corner of a page.
 *
 * Attributes: see docs/widget.md. Methods: `show`, `hide`, `ask`, `stop`, `reset`. Events, all bubbling: `trivet-open`,
 * `trivet-close`, `trivet-question`, `trivet-answer`, `trivet-failure`, `trivet-feedback`.
 * Themes: the custom properties in design/tokens.ts whose names begin with `--trivet-`.
 */
export class TrivetChat extends LitElement {
  /** The stack's root where the element names none: set by the script that defines it. */
  static home = "./";

  @property() assistant = "site";
  @property() key = "";
  @property() base = "";
  @property({ reflect: true }) mode: ChatMode = "inline";
  @property() language: Language | "" = "";
  @property({ type: Number, attribute: "contact-after" }) contactAfter = 3;
  @property({ attribute: false }) preferences = new Preferences();
  @state() private site: Site | null = null;
  @state() private trial = false;
  @state() private opened = false;
  @state() private offline = false;
  @state() private contactHidden = false;
  @state() private renderer: MarkdownRenderer | null = null;
  @query(".scroll") private readonly scroller!: HTMLElement | null;
  @query("trivet-composer") private readonly composer!: TrivetComposer | null;
  @query(".launcher") private readonly button!: HTMLButtonElement | null;
  private readonly newest = new Newest(this, () => this.scroller);
  private readonly credential = new VisitorCredential(() => this.root, () => this.key);
  private readonly conversation = new Conversation(
    () => this.root,
    () => `assistant/${this.assistant}`,
    askChat,
    new BrowserStore(() => `trivet.chat.${this.root.href}#${this.assistant}`),
    this.credential.headers,
  );

  static override styles = [tokens, controls, markStyles, chatStyles, launcherStyles];

  constructor() {
    super();
    new VisibleHeight(this);
    new Narrow(this, () => this.renderRoot?.querySelector(".frame") ?? null);
  }

  /** The conversation so far. */
  get turns(): readonly Turn[] {
    return this.conversation.turns;
  }

  private get root(): URL {
    return this.base ? new URL(this.base, document.baseURI) : new URL(TrivetChat.home, document.baseURI);
  }

  private get behindButton(): boolean {
    return this.mode === "button";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.language) this.preferences.prefer(this.language);
    this.conversation.addEventListener("change", this.refresh);
    this.preferences.addEventListener("change", this.refresh);
    this.addEventListener("keydown", this.onKey);
    for (const name of ["online", "offline"]) addEventListener(name, this.onNetwork);
    addEventListener("pagehide", this.onLeave);
    this.onNetwork();
    this.conversation.restore();
    if (!this.behindButton || this.conversation.turns.length > 0) void this.learn().then(() => this.loadRenderer());
    else void this.learn();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.conversation.removeEventListener("change", this.refresh);
    this.preferences.removeEventListener("change", this.refresh);
    this.removeEventListener("keydown", this.onKey);
    for (const name of ["online", "offline"]) removeEventListener(name, this.onNetwork);
    removeEventListener("pagehide", this.onLeave);
    this.conversation.stop();
  }

  /** Opens the panel behind the button. */
  show(): void {
    if (this.opened) return;
    this.opened = true;
    this.tell("open");
    void this.loadRenderer();
    void this.updateComplete.then(() => this.composer?.updateComplete).then(() => this.composer?.focus());
  }

  /** Closes the panel; an answer under way goes on. */
  hide(): void {
    if (!this.opened) return;
    this.opened = false;
    this.tell("close");
    void this.updateComplete.then(() => this.button?.focus());
  }

  /** Asks, as if a person had typed it; resolves when the answer has ended. */
  async ask(question: string): Promise<void> {
    if (this.behindButton) this.show();
    await this.run(() => this.conversation.ask(question), question);
  }

  /** Ends the answer under way; what has come of it stays. */
  stop(): void {
    this.conversation.stop();
  }

  /** Begins a new conversation. */
  reset(): void {
    this.conversation.reset();
    this.contactHidden = false;
    this.composer?.focus();
  }

  override render() {
    if (!this.behindButton) return this.frame();
    const words = chatWords[this.preferences.language];
    const name = this.opened ? words.close : words.open(this.assistantName);
    const toggle = (): void => (this.opened ? this.hide() : this.show());
    return html`${this.opened
      ? html`<div class="panel" id="panel" role="dialog" aria-label=${words.panel(this.assistantName)}>${this.frame()}</div>`
      : nothing}
    ${launcher(name, this.opened, toggle)}`;
  }

  private frame() {
    const { language } = this.preferences;
    const { turns, busy } = this.conversation;
    return html`
      <div class="frame">
        ${this.head()}
        <main class="scroll" @scroll=${this.newest.onScroll}>
          <div class="column">${turns.length === 0 ? this.welcome() : this.conversationView()}</div>
        </main>
        <footer>
          ${this.newest.pinned || turns.length === 0 ? nothing : this.jump()}
          <div class="column">
            ${this.offline ? html`<p class="offline" role="status">${icons.alert()} ${chatWords[language].offline}</p>` : nothing}
            <trivet-composer .language=${language} .busy=${busy} @ask=${this.onAsk} @stop=${this.stop}></trivet-composer>
            ${this.note()}
          </div>
        </footer>
        <div class="unseen" role="status">${this.announcement()}</div>
      </div>
    `;
  }

  /** At most one drawing a frame while an answer streams, however many pieces arrive. */
  protected override async scheduleUpdate(): Promise<void> {
    if (this.conversation.busy && !document.hidden) await new Promise(requestAnimationFrame);
    await super.scheduleUpdate();
  }

  protected override updated(): void {
    const { language, theme } = this.preferences;
    const lang = language === "zh" ? "zh-CN" : "en";
    // Setting what is there already would renew the style of the whole conversation.
    if (this.lang !== lang) this.lang = lang;
    if (theme === "auto") this.removeAttribute("theme");
    else this.setAttribute("theme", theme);
  }

  protected override async firstUpdated(): Promise<void> {
    await this.composer?.updateComplete;
    // On a touch screen the keyboard would jump up; on a foreign page the focus is not ours to take.
    const ours = this.base !== "" && !this.behindButton;
    if (ours && matchMedia("(hover: hover) and (pointer: fine)").matches) this.composer?.focus();
  }

  private get assistantName(): string {
    return (this.site ?? UNKNOWN_SITE).name[this.preferences.language];
  }

  private head() {
    const words = chatWords[this.preferences.language];
    return html`<header>
      <span class="brand">${mark(28)} <span>${this.behindButton ? this.assistantName : "Trivet"}</span></span>
      <button
        class="button quiet icon"
        type="button"
        aria-label=${words.newConversation}
        title=${words.newConversation}
        ?disabled=${this.conversation.turns.length === 0}
        @click=${this.reset}
      >
        ${icons.fresh()}
      </button>
      ${languageButton(this.preferences)} ${this.behindButton ? this.closer() : themeButton(this.preferences)}
    </header>`;
  }

  private closer() {
    const { close } = chatWords[this.preferences.language];
    return html`<button class="button quiet icon" type="button" aria-label=${close} title=${close} @click=${this.hide}>
      ${icons.close()}
    </button>`;
  }

  private welcome() {
    const { language } = this.preferences;
    const words = chatWords[language];
    // Nothing for the blink of an eye, rather than another name and a jump.
    if (!this.site) return nothing;
    const questions = this.site.suggestions[language];
    return html`<section class="welcome">
      <div class="heat-haze">${mark(84)}</div>
      <h1>${words.welcome(this.site.name[language])}</h1>
      <p>${words.invitation}</p>
      <ul aria-label=${words.suggestions} ?hidden=${questions.length === 0}>
        ${questions.map(
          (question) => html`<li><button type="button" @click=${() => this.put(question)}>${question}</button></li>`,
        )}
      </ul>
    </section>`;
  }

  private conversationView() {
    const { language } = this.preferences;
    const { turns, busy } = this.conversation;
    return html`<section class="turns" aria-label=${chatWords[language].conversation} @retry=${this.onRetry} @revise=${this.onRevise}>
      <h1 class="unseen">${chatWords[language].conversation}</h1>
      ${repeat(
        turns,
        ({ id }) => id,
        (turn, index) => html`<trivet-turn
          .turn=${turn}
          .renderer=${this.renderer}
          .deliver=${this.deliver}
          .root=${this.root.href}
          .language=${language}
          .last=${index === turns.length - 1}
          .busy=${busy}
        ></trivet-turn>`,
      )}
      ${this.contact()}
    </section>`;
  }

  private contact() {
    const contact = this.site?.contact;
    const answered = this.conversation.turns.filter(({ state }) => state === "complete").length;
    const due = this.contactAfter > 0 && answered >= this.contactAfter && !this.conversation.busy;
    if (!contact || !due || this.contactHidden) return nothing;
    return html`<trivet-contact
      .contact=${contact}
      .language=${this.preferences.language}
      @dismiss=${() => (this.contactHidden = true)}
    ></trivet-contact>`;
  }

  private jump() {
    const words = chatWords[this.preferences.language];
    return html`<button class="button jump" type="button" @click=${this.toNewest}>${icons.down()} ${words.toNewest}</button>`;
  }

  private note() {
    const words = chatWords[this.preferences.language];
    if (this.trial) return html`<p class="note trial">${words.trialNote}</p>`;
    return html`<p class="note keys">${this.conversation.busy ? words.keysBusy : words.keys}</p>`;
  }

  /** Spoken once when an answer begins and once when it has ended; never per piece. */
  private announcement(): string {
    const { language } = this.preferences;
    const words = chatWords[language];
    const turn = this.conversation.turns.at(-1);
    if (!turn) return "";
    if (turn.failure) return describeFailure(turn.failure, language);
    if (turn.state === "stopped") return words.stopped;
    return turn.state === "complete" ? words.answered(spoken(turn)) : words.answering;
  }

  /** What is nice to know: neither failure hinders a chat. */
  private async learn(): Promise<void> {
    const headers = await this.credential.headers().catch(() => ({}));
    const asked = [readSite(this.root, this.assistant, headers), onlyTrialModels(this.root, headers)] as const;
    const [site, trial] = await Promise.allSettled(asked);
    this.site = site.status === "fulfilled" ? site.value : UNKNOWN_SITE;
    if (trial.status === "fulfilled") this.trial = trial.value;
  }

  /** What draws Markdown is heavy, so it comes after the first paint. Without it an answer is shown as plain text. */
  private async loadRenderer(): Promise<void> {
    if (this.renderer) return;
    const loaded = await import("../markdown/render").catch(() => null); // no network: the next answer tries again
    if (loaded) this.renderer ??= new loaded.MarkdownRenderer();
  }

  private readonly refresh = (): void => {
    const model = this.conversation.turns.at(-1)?.model;
    if (model && !model.startsWith("assistant/")) this.trial = isTrialModel(model);
    this.requestUpdate();
  };

  private put(question: string): void {
    void this.run(() => this.conversation.ask(question), question);
  }

  /** One answer from its question to its end, told to the page around. */
  private async run(answer: () => Promise<void>, question: string): Promise<void> {
    this.newest.pin();
    void this.loadRenderer();
    this.tell("question", { question });
    this.composer?.focus();
    await answer();
    const turn = this.conversation.turns.at(-1);
    if (turn?.failure) this.tell("failure", { question, kind: turn.failure.kind, requestId: turn.requestId });
    else if (turn) this.tell("answer", answerDetail(turn));
  }

  private readonly deliver = async (turn: Turn, opinion: Opinion): Promise<void> => {
    const before = turn.rating;
    this.conversation.rate(turn.id, opinion.rating);
    try {
      const feedback = { requestId: turn.requestId ?? "", ...opinion };
      await sendFeedback(this.root, feedback, await this.credential.headers());
    } catch (error) {
      this.conversation.rate(turn.id, before);
      throw error;
    }
    this.tell("feedback", { requestId: turn.requestId, ...opinion });
  };

  private tell(name: string, detail: Record<string, unknown> = {}): void {
    this.dispatchEvent(new CustomEvent(`trivet-${name}`, { bubbles: true, composed: true, detail }));
  }

  private onAsk(event: CustomEvent<string>): void {
    this.put(event.detail);
  }

  private onRetry(): void {
    const question = this.conversation.turns.at(-1)?.question ?? "";
    void this.run(() => this.conversation.retry(), question);
  }

  private onRevise(event: CustomEvent<{ id: number; question: string }>): void {
    const { id, question } = event.detail;
    void this.run(() => this.conversation.revise(id, question), question);
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.isComposing) return;
    if (this.conversation.busy) this.stop();
    else if (this.behindButton && this.opened) this.hide();
    else return;
    event.preventDefault();
  };

  private readonly onNetwork = (): void => {
    this.offline = navigator.onLine === false;
  };

  /** An answer under way ends here, before the browser breaks its connection and it looks like a failure. */
  private readonly onLeave = (): void => {
    this.conversation.stop();
    this.conversation.keep();
  };

  private toNewest(): void {
    if (this.conversation.busy) this.newest.pin();
    else this.scroller?.scrollTo({ top: this.scroller.scrollHeight, behavior: "smooth" });
    this.composer?.focus();
  }
}

/** Makes `<trivet-chat>` known. `home`: the stack's root, for elements that name no `base`. */
export function defineChat(home: string): void {
  TrivetChat.home = home;
  if (!customElements.get("trivet-chat")) customElements.define("trivet-chat", TrivetChat);
}

const answerDetail = ({ question, answer, state, citations, requestId, model }: Turn): Record<string, unknown> => ({
  question,
  answer,
  state,
  citations,
  requestId,
  model,
});

/** Markdown without its marks; of a long answer the beginning, for nobody can stop an announcement and go on later. */
function spoken({ answer }: Turn): string {
  const text = answer.slice(0, 2 * SPOKEN_CHARACTERS).replace(/[*_`#>|~]+/g, "").trim();
  if (text.length <= SPOKEN_CHARACTERS) return text;
  const cut = text.slice(0, SPOKEN_CHARACTERS);
  return `${cut.slice(0, Math.max(cut.search(/[.!?。！？][^.!?。！？]*$/) + 1, SPOKEN_CHARACTERS / 2))} …`;
}
