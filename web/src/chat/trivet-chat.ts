import { LitElement, html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { mark, markStyles } from "../design/mark";
import { tokens } from "../design/tokens";
import { chatWords } from "../i18n/chat";
import { describeFailure } from "../i18n/common";
import { MarkdownRenderer } from "../markdown/render";
import { Preferences } from "../preferences/preferences";
import { languageButton, themeButton } from "../preferences/switches";
import { Conversation, type Turn } from "./conversation";
import { chatStyles } from "./chat-styles";
import type { TrivetComposer } from "./composer";
import { UNKNOWN_SITE, isTrialModel, onlyTrialModels, readSite, type Site } from "./site";
import "./composer";
import "./turn";

/** So close to the end, new text keeps the newest line in view. */
const PINNED_WITHIN_PX = 64;

/**
 * A chat with one assistant.
 *
 * `assistant`: its name. `base`: the stack's root, relative to the page ("./" by default).
 * Themes: the custom properties in design/tokens.ts whose names begin with `--trivet-`.
 */
@customElement("trivet-chat")
export class TrivetChat extends LitElement {
  @property() assistant = "site";
  @property() base = "./";
  @property({ attribute: false }) preferences = new Preferences();
  @state() private site: Site | null = null;
  @state() private trial = false;
  @state() private pinned = true;
  @query(".scroll") private readonly scroller!: HTMLElement;
  @query("trivet-composer") private readonly composer!: TrivetComposer;
  private readonly renderer = new MarkdownRenderer();
  private readonly conversation = new Conversation(
    () => this.root,
    () => `assistant/${this.assistant}`,
  );

  static override styles = [tokens, controls, markStyles, chatStyles];

  private get root(): URL {
    return new URL(this.base, document.baseURI);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.conversation.addEventListener("change", this.refresh);
    this.preferences.addEventListener("change", this.refresh);
    this.addEventListener("keydown", this.onKey);
    void this.learn();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.conversation.removeEventListener("change", this.refresh);
    this.preferences.removeEventListener("change", this.refresh);
    this.removeEventListener("keydown", this.onKey);
    this.conversation.stop();
  }

  override render() {
    const { language } = this.preferences;
    const { turns, busy } = this.conversation;
    return html`
      <div class="frame">
        ${this.head()}
        <main class="scroll" @scroll=${this.onScroll}>
          <div class="column">${turns.length === 0 ? this.welcome() : this.turns()}</div>
        </main>
        <footer>
          ${this.pinned || turns.length === 0 ? nothing : this.jump()}
          <div class="column">
            <trivet-composer .language=${language} .busy=${busy} @ask=${this.onAsk} @stop=${this.onStop}></trivet-composer>
            ${this.note()}
          </div>
        </footer>
        <div class="unseen" role="status">${this.announcement()}</div>
      </div>
    `;
  }

  /** At most one drawing a frame while an answer streams, however many pieces arrive. */
  protected override async scheduleUpdate(): Promise<void> {
    if (this.conversation.busy) await new Promise(requestAnimationFrame);
    await super.scheduleUpdate();
  }

  protected override updated(_changed: PropertyValues): void {
    const { language, theme } = this.preferences;
    this.lang = language === "zh" ? "zh-CN" : "en";
    if (theme === "auto") this.removeAttribute("theme");
    else this.setAttribute("theme", theme);
    void this.keepPinned();
  }

  protected override async firstUpdated(): Promise<void> {
    await this.composer.updateComplete;
    // On a touch screen the keyboard would jump up.
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) this.composer.focus();
  }

  private head() {
    const words = chatWords[this.preferences.language];
    return html`<header>
      <span class="brand">${mark(28)} <span>Trivet</span></span>
      <button
        class="button quiet icon"
        type="button"
        aria-label=${words.newConversation}
        title=${words.newConversation}
        ?disabled=${this.conversation.turns.length === 0}
        @click=${this.onReset}
      >
        ${icons.fresh()}
      </button>
      ${languageButton(this.preferences)} ${themeButton(this.preferences)}
    </header>`;
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
          (question) => html`<li><button type="button" @click=${() => this.ask(question)}>${question}</button></li>`,
        )}
      </ul>
    </section>`;
  }

  private turns() {
    const { language } = this.preferences;
    const { turns } = this.conversation;
    return html`<section class="turns" aria-label=${chatWords[language].conversation} @retry=${this.onRetry}>
      <h1 class="unseen">${chatWords[language].conversation}</h1>
      ${repeat(
        turns,
        ({ id }) => id,
        (turn, index) => html`<trivet-turn
          .turn=${turn}
          .renderer=${this.renderer}
          .root=${this.root.href}
          .language=${language}
          .last=${index === turns.length - 1}
        ></trivet-turn>`,
      )}
    </section>`;
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

  /** Spoken once when an answer begins and once, whole, when it has ended; never per piece. */
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
    const [site, trial] = await Promise.allSettled([readSite(this.root), onlyTrialModels(this.root)]);
    this.site = site.status === "fulfilled" ? site.value : UNKNOWN_SITE;
    if (trial.status === "fulfilled") this.trial = trial.value;
  }

  private readonly refresh = (): void => {
    const model = this.conversation.turns.at(-1)?.model;
    if (model && !model.startsWith("assistant/")) this.trial = isTrialModel(model);
    this.requestUpdate();
  };

  private ask(question: string): void {
    this.pinned = true;
    void this.conversation.ask(question);
    this.composer.focus();
  }

  private onAsk(event: CustomEvent<string>): void {
    this.ask(event.detail);
  }

  private onRetry(): void {
    this.pinned = true;
    void this.conversation.retry();
    this.composer.focus();
  }

  private onStop(): void {
    this.conversation.stop();
  }

  private onReset(): void {
    this.conversation.reset();
    this.composer.focus();
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.conversation.busy || event.isComposing) return;
    event.preventDefault();
    this.conversation.stop();
  };

  private onScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.pinned = scrollHeight - scrollTop - clientHeight < PINNED_WITHIN_PX;
  }

  private toNewest(): void {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: "smooth" });
    this.composer.focus();
  }

  /** The last turn draws itself after us: scroll once it has. */
  private async keepPinned(): Promise<void> {
    if (!this.pinned) return;
    await this.renderRoot.querySelector<LitElement>("trivet-turn:last-of-type")?.updateComplete;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

/** Markdown without its marks. */
const spoken = ({ answer }: Turn): string => answer.replace(/[*_`#>|~]+/g, "").trim();
