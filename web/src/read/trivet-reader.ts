import { LitElement, css, html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { answerStyles } from "../chat/answer-styles";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { mark, markStyles } from "../design/mark";
import { tokens } from "../design/tokens";
import { commonWords, describeFailure } from "../i18n/common";
import { readWords } from "../i18n/read";
import { copyCode } from "../markdown/copy-code";
import { MarkdownRenderer } from "../markdown/render";
import { Follow } from "../preferences/follow";
import { Preferences } from "../preferences/preferences";
import { languageButton, themeButton } from "../preferences/switches";
import { Failure, failureFromResponse, failureFromThrown } from "../transport/failure";
import { anchorHeadings, documentPath, formatDocument, parseDocument, picturePath, type GuideDocument } from "./document";

/** Shows one document of the guide, at the heading that the address names: where the sources of an answer lead. */
@customElement("trivet-reader")
export class TrivetReader extends LitElement {
  @property() base = "../";
  readonly preferences = new Preferences();
  @state() private shown: GuideDocument | null = parseDocument(location.search);
  @state() private source: string | null = null;
  @state() private failure: Failure | null = null;
  @query("article") private readonly article!: HTMLElement;
  private readonly renderer = new MarkdownRenderer();

  static override styles = [tokens, controls, markStyles, answerStyles, styles()];

  constructor() {
    super();
    new Follow(this, () => this.preferences);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("hashchange", this.toAnchor);
    this.preferences.addEventListener("change", this.toLanguage);
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.toAnchor);
    this.preferences.removeEventListener("change", this.toLanguage);
  }

  override render() {
    const words = readWords[this.preferences.language];
    return html`
      <header>
        <a class="brand" href=${this.root.href}>${mark(28, this.waiting)} <span>Trivet</span></a>
        <a class="button" href=${this.root.href}>${icons.chat()} ${words.ask}</a>
        ${languageButton(this.preferences)} ${themeButton(this.preferences)}
      </header>
      <main>
        ${this.waiting ? html`<p class="unseen" role="status">${words.loading}</p>` : nothing}
        ${this.shown && this.failure?.kind !== "not_found" ? this.problem() : html`<p class="missing">${words.missing}</p>`}
        <article class="answer" @click=${this.onClick} lang=${this.shown?.language === "zh" ? "zh-CN" : "en"}></article>
      </main>
    `;
  }

  protected override updated(changed: PropertyValues): void {
    const { language, theme } = this.preferences;
    this.lang = language === "zh" ? "zh-CN" : "en";
    if (theme === "auto") this.removeAttribute("theme");
    else this.setAttribute("theme", theme);
    this.preferences.applyTo(document.documentElement);
    if (changed.has("source")) this.draw();
  }

  private get root(): URL {
    return new URL(this.base, document.baseURI);
  }

  private get waiting(): boolean {
    return this.shown !== null && this.source === null && this.failure === null;
  }

  private problem() {
    if (!this.failure) return nothing;
    const { language } = this.preferences;
    return html`<div role="alert">
      <p>${describeFailure(this.failure, language)}</p>
      <button class="button" type="button" @click=${() => void this.load()}>${icons.retry()} ${commonWords[language].retry}</button>
    </div>`;
  }

  private onClick(event: Event): void {
    void copyCode(event, commonWords[this.preferences.language]);
  }

  private async load(): Promise<void> {
    if (!this.shown) return;
    this.failure = null;
    try {
      const response = await fetch(new URL(documentPath(this.shown), this.root));
      if (!response.ok) throw await failureFromResponse(response);
      this.source = await response.text();
    } catch (error) {
      const failure = failureFromThrown(error);
      if (!(failure instanceof Failure)) throw failure;
      this.failure = failure;
    }
  }

  private draw(): void {
    if (this.source === null) return;
    const { language } = this.preferences;
    const words = commonWords[language];
    const picture = (address: string): string | null => {
      const path = picturePath(address);
      return path && new URL(path, this.root).href;
    };
    this.article.replaceChildren(this.renderer.fragment(this.source, { words, sources: [], topHeading: 1, picture }));
    anchorHeadings(this.article.querySelectorAll("h1, h2, h3, h4, h5, h6"));
    const heading = this.article.querySelector("h1")?.textContent ?? readWords[language].title;
    document.title = `${heading} · Trivet`;
    this.toAnchor();
  }

  private readonly toAnchor = (): void => {
    const anchor = decodeURIComponent(location.hash.slice(1));
    for (const marked of this.article.querySelectorAll(".sought")) marked.classList.remove("sought");
    const heading = [...this.article.querySelectorAll("[id]")].find(({ id }) => id === anchor);
    heading?.classList.add("sought");
    heading?.scrollIntoView();
  };

  /** The guide is there in both languages, under the same names. */
  private readonly toLanguage = (): void => {
    const { language } = this.preferences;
    if (!this.shown || this.shown.language === language) return;
    this.shown = { ...this.shown, language };
    history.replaceState(null, "", formatDocument(this.shown));
    void this.load();
  };
}

function styles() {
  return css`
    :host {
      display: block;
      height: 100%;
      overflow-y: auto;
      background: var(--paper);
    }

    header {
      position: sticky;
      z-index: 1;
      top: 0;
      display: flex;
      align-items: center;
      gap: var(--space-1);
      padding: var(--space-3) max(var(--space-4), env(safe-area-inset-right)) var(--space-3)
        max(var(--space-5), env(safe-area-inset-left));
      background: var(--paper);
    }

    .brand {
      display: flex;
      align-items: center;
      gap: var(--space-2);
      margin-inline-end: auto;
      color: inherit;
      font: 600 1.3125rem / 1 var(--serif);
      letter-spacing: -0.01em;
      text-decoration: none;
    }

    a.button {
      color: inherit;
      text-decoration: none;
    }

    main {
      max-width: 44rem;
      margin-inline: auto;
      padding: var(--space-5) var(--space-5) 50vh;
    }

    .missing {
      color: var(--ink-soft);
    }

    .answer img {
      display: block;
      max-width: 100%;
      height: auto;
      border: 1px solid var(--line);
      border-radius: var(--radius-m);
    }

    .answer h1 {
      margin-bottom: var(--space-5);
      font: 400 var(--text-2xl) / 1.2 var(--serif);
      letter-spacing: -0.015em;
    }

    .answer h2 {
      margin: var(--space-6) 0 var(--space-2);
      font: 600 var(--text-l) / 1.35 var(--serif);
      scroll-margin-top: 5rem;
    }

    .sought {
      width: fit-content;
      margin-inline-start: calc(-1 * var(--space-3));
      padding-inline: var(--space-3);
      border-radius: var(--radius-s);
      background: var(--ember-wash);
    }

    @media (max-width: 34rem) {
      header .button:not(.icon, .quiet) {
        display: none;
      }
    }
  `;
}
