import { LitElement, html, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { TrivetChat } from "../chat/trivet-chat";
import { copyText } from "../design/clipboard";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { mark, markStyles } from "../design/mark";
import { tokens } from "../design/tokens";
import { commonWords } from "../i18n/common";
import { widgetWords } from "../i18n/widget";
import { Preferences } from "../preferences/preferences";
import { languageButton, themeButton } from "../preferences/switches";
import { guideStyles } from "./guide-styles";

type Words = (typeof widgetWords)["en"];
type Row = readonly [name: string, meaning: keyof Words];

const ATTRIBUTES: readonly Row[] = [
  ["assistant", "assistant"],
  ["key", "key"],
  ["mode", "mode"],
  ["base", "base"],
  ["language", "language"],
  ["contact-after", "contactAfter"],
];
const METHODS: readonly Row[] = [
  ["show()", "show"],
  ["hide()", "hide"],
  ["ask(question)", "askMethod"],
  ["stop()", "stop"],
  ["reset()", "reset"],
  ["turns", "turns"],
];
const EVENTS: readonly Row[] = [
  ["trivet-open", "open"],
  ["trivet-close", "close"],
  ["trivet-question", "question"],
  ["trivet-answer", "answer"],
  ["trivet-failure", "failure"],
  ["trivet-feedback", "feedback"],
];
const STYLES: readonly Row[] = [
  ["--trivet-accent", "accent"],
  ["--trivet-paper, --trivet-surface", "grounds"],
  ["--trivet-ink", "ink"],
  ["--trivet-font, --trivet-display-font", "fonts"],
  ["--trivet-radius", "radius"],
  ["--trivet-edge", "edge"],
  ["--trivet-layer", "layer"],
];
const MOST_HEARD = 8;
const COPIED_FOR_MS = 1600;

/** How to put the chat on a site: the lines to copy, what the element takes, says and does, tried out in place. */
@customElement("trivet-widget-guide")
export class TrivetWidgetGuide extends LitElement {
  @property() base = "../";
  @property({ attribute: false }) preferences = new Preferences();
  @state() private heard: string[] = [];
  @state() private copied = "";

  static override styles = [tokens, controls, markStyles, guideStyles];

  override connectedCallback(): void {
    super.connectedCallback();
    for (const [name] of EVENTS) addEventListener(name, this.onHeard);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const [name] of EVENTS) removeEventListener(name, this.onHeard);
    this.preferences.removeEventListener("change", this.redraw);
  }

  override willUpdate(): void {
    this.preferences.addEventListener("change", this.redraw); // the same listener counts once
  }

  override updated(): void {
    const { language, theme } = this.preferences;
    this.lang = language === "zh" ? "zh-CN" : "en";
    this.toggleAttribute("theme", theme !== "auto");
    if (theme !== "auto") this.setAttribute("theme", theme);
  }

  override render() {
    const words = widgetWords[this.preferences.language];
    return html`
      <header>
        <a class="brand" href=${this.root.href}>${mark(28)} <span>Trivet</span></a>
        ${languageButton(this.preferences)} ${themeButton(this.preferences)}
      </header>
      <main>
        <h1>${words.title}</h1>
        <p class="lead">${words.invitation}</p>
        <h2>${words.twoLines}</h2>
        ${this.code(this.lines)}
        <p>${words.keyNote}</p>
        ${this.code("scripts/trivet keys create website --assistant site --origin https://www.example.com")}
        <p>${words.cspNote}</p>
        ${this.trial(words)} ${this.table(words.attributes, ATTRIBUTES)} ${this.table(words.methods, METHODS)}
        ${this.table(words.events, EVENTS, words.eventsNote)} ${this.table(words.styles, STYLES)}
      </main>
    `;
  }

  private get root(): URL {
    return new URL(this.base, document.baseURI);
  }

  private get lines(): string {
    const script = `<script type="module" src="${new URL("widget.js", this.root).href}"></script>`;
    return `${script}\n<trivet-chat mode="button" assistant="site" key="pk_…"></trivet-chat>`;
  }

  private trial(words: Words): TemplateResult {
    return html`<section aria-labelledby="try">
      <h2 id="try">${words.tryIt}</h2>
      <p>${words.tryItNote}</p>
      <p class="buttons">
        <button class="button primary" type="button" @click=${() => this.chat?.show()}>${icons.chat()} ${words.openChat}</button>
        <button class="button" type="button" @click=${() => this.chat?.ask(words.sampleQuestion)}>${words.askFromPage}</button>
      </p>
      <h3 id="heard">${words.heard}</h3>
      <ol class="heard" aria-labelledby="heard">
        ${this.heard.length === 0 ? html`<li class="none">${words.nothingHeard}</li>` : this.heard.map((line) => html`<li>${line}</li>`)}
      </ol>
    </section>`;
  }

  private code(text: string): TemplateResult {
    const { copy, copied, code } = commonWords[this.preferences.language];
    return html`<div class="code">
      <pre tabindex="0" role="region" aria-label=${code}><code>${text}</code></pre>
      <button class="button quiet" type="button" @click=${() => this.copy(text)}>
        ${this.copied === text ? icons.check() : icons.copy()} ${this.copied === text ? copied : copy}
      </button>
    </div>`;
  }

  private table(title: string, rows: readonly Row[], note = ""): TemplateResult {
    const words = widgetWords[this.preferences.language];
    return html`<section>
      <h2>${title}</h2>
      ${note ? html`<p>${note}</p>` : ""}
      <table>
        <thead>
          <tr>
            <th scope="col">${words.name}</th>
            <th scope="col">${words.meaning}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([name, meaning]) => html`<tr>
              <th scope="row"><code>${name}</code></th>
              <td>${words[meaning]}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </section>`;
  }

  private get chat(): TrivetChat | null {
    const found = document.querySelector("trivet-chat");
    return found instanceof TrivetChat ? found : null;
  }

  private async copy(text: string): Promise<void> {
    if (!(await copyText(text))) return;
    this.copied = text;
    setTimeout(() => (this.copied = ""), COPIED_FOR_MS);
  }

  private readonly onHeard = (event: Event): void => {
    const detail: unknown = event instanceof CustomEvent ? event.detail : {};
    this.heard = [`${event.type} ${JSON.stringify(detail).slice(0, 160)}`, ...this.heard].slice(0, MOST_HEARD);
  };

  private readonly redraw = (): void => this.requestUpdate();
}
