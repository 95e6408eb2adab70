import { LitElement, html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { mark, markStyles } from "../design/mark";
import { tokens } from "../design/tokens";
import { commonWords, describeFailure } from "../i18n/common";
import { consoleWords } from "../i18n/console";
import { Preferences } from "../preferences/preferences";
import { languageButton, themeButton } from "../preferences/switches";
import { Failure } from "../transport/failure";
import { ApiClient } from "./client";
import { consoleStyles } from "./console-styles";
import { pageRegistry } from "./pages";
import type { ConsoleContext, ConsolePage, ConsolePageElement, Group } from "./registry";
import { HashRouter, formatRoute } from "./router";
import { Session } from "./session";
import "./login";

/** The console: log-in, navigation, and the page that the address names. `base`: the stack's root. */
@customElement("trivet-console")
export class TrivetConsole extends LitElement {
  @property() base = "../";
  readonly preferences = new Preferences();
  @state() private opened: { page: ConsolePage; element: ConsolePageElement } | null = null;
  @state() private loadFailed = false;
  @state() private failure: Failure | null = null;
  @state() private menuOpen = false;
  @query(".content") private readonly content!: HTMLElement;
  private readonly registry = pageRegistry();
  private readonly router = new HashRouter();
  private context!: ConsoleContext;
  private session!: Session;

  static override styles = [tokens, controls, markStyles, consoleStyles];

  override connectedCallback(): void {
    super.connectedCallback();
    const client = new ApiClient(new URL(this.base, document.baseURI));
    this.context = { client, preferences: this.preferences, router: this.router };
    this.session = new Session(client);
    this.session.addEventListener("change", () => void this.follow());
    this.router.addEventListener("change", () => void this.follow());
    this.preferences.addEventListener("change", () => this.requestUpdate());
    this.router.start();
    void this.resume();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.router.stop();
  }

  override render() {
    const { state } = this.session;
    if (this.failure) return this.unreachable(this.failure);
    if (state === "asking") return html`<div class="middle">${mark(56, true)}</div>`;
    if (state === "out") return this.login();
    // A session that ended leaves the page as it is, with all that was typed, below the log-in.
    return html`${this.frame(state === "ended")} ${state === "ended" ? html`<div class="cover">${this.login()}</div>` : nothing}`;
  }

  protected override updated(_changed: PropertyValues): void {
    const { language, theme } = this.preferences;
    const title = consoleWords[language].title;
    const page = this.session.state === "in" ? this.opened?.page.title[language] : undefined;
    this.lang = language === "zh" ? "zh-CN" : "en";
    document.title = page ? `${page} · ${title}` : title;
    if (theme === "auto") this.removeAttribute("theme");
    else this.setAttribute("theme", theme);
    this.preferences.applyTo(document.documentElement);
  }

  private login() {
    return html`<trivet-login .session=${this.session} .preferences=${this.preferences}></trivet-login>`;
  }

  private frame(inert: boolean) {
    const words = consoleWords[this.preferences.language];
    return html`
      <div class="frame" ?inert=${inert} @keydown=${this.onKey}>
        <div class="bar">
          <button
            class="button quiet icon"
            type="button"
            aria-label=${this.menuOpen ? words.closeMenu : words.openMenu}
            aria-expanded=${this.menuOpen}
            aria-controls="side"
            @click=${() => (this.menuOpen = !this.menuOpen)}
          >
            ${icons.menu()}
          </button>
          ${this.brand()}
        </div>
        <div class="shade" ?hidden=${!this.menuOpen} @click=${this.closeMenu}></div>
        <aside id="side" ?data-open=${this.menuOpen}>${this.brand()} ${this.navigation()} ${this.foot()}</aside>
        <main class="content" tabindex="-1">${this.page()}</main>
      </div>
    `;
  }

  private brand() {
    return html`<span class="brand">
      ${mark(26)} <span>Trivet <small>${consoleWords[this.preferences.language].console}</small></span>
    </span>`;
  }

  private navigation() {
    const words = consoleWords[this.preferences.language];
    const names: Record<Group, string> = {
      observe: words.groupObserve,
      knowledge: words.groupKnowledge,
      studio: words.groupStudio,
      system: words.groupSystem,
    };
    return html`<nav aria-label=${words.pages}>
      ${this.registry.groups().map(
        ({ group, pages }) => html`<section>
          <h2>${names[group]}</h2>
          <ul>
            ${pages.map((page) => this.entry(page))}
          </ul>
        </section>`,
      )}
    </nav>`;
  }

  private entry(page: ConsolePage) {
    const here = this.opened?.page === page;
    return html`<li>
      <a href=${formatRoute(page.path)} aria-current=${here ? "page" : nothing} @click=${this.closeMenu}>
        ${page.icon()} ${page.title[this.preferences.language]}
      </a>
    </li>`;
  }

  private foot() {
    const words = consoleWords[this.preferences.language];
    return html`<div class="foot">
      <a href=${this.context.client.root.href} target="_blank" rel="noopener">${icons.chat()} ${words.chatPage}</a>
      <button type="button" @click=${this.onLogOut}>${icons.leave()} ${words.logOut}</button>
      <div class="switches">${languageButton(this.preferences)} ${themeButton(this.preferences)}</div>
    </div>`;
  }

  private page() {
    const words = consoleWords[this.preferences.language];
    if (this.loadFailed) {
      return html`<div class="middle" role="alert">
        <p>${words.pageFailed}</p>
        <button class="button" type="button" @click=${() => location.reload()}>${icons.retry()} ${words.reload}</button>
      </div>`;
    }
    if (this.opened) return this.opened.element;
    if (this.registry.match(this.router.route)) return html`<div class="middle" role="status">${mark(40, true)}<span class="unseen">${words.loadingPage}</span></div>`;
    return html`<div class="middle">
      <p>${words.noSuchPage}</p>
      <a class="button" href=${formatRoute("/")}>${words.toOverview}</a>
    </div>`;
  }

  private unreachable(failure: Failure) {
    const { language } = this.preferences;
    return html`<div class="middle" role="alert">
      ${mark(56)}
      <p>${describeFailure(failure, language)}</p>
      <button class="button" type="button" @click=${() => void this.resume()}>${icons.retry()} ${commonWords[language].retry}</button>
    </div>`;
  }

  private async resume(): Promise<void> {
    this.failure = null;
    try {
      await this.session.resume();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failure = error;
    }
  }

  /** Opens the page of the address; a page that is open learns of an address below it. */
  private async follow(): Promise<void> {
    if (this.session.state === "out") this.opened = null;
    this.requestUpdate();
    if (this.session.state !== "in") return;
    const { route } = this.router;
    const match = this.registry.match(route);
    this.loadFailed = false;
    if (!match) this.opened = null;
    else if (this.opened?.page === match.page) this.opened.element.route = { ...route, path: match.rest };
    else await this.open(match.page, match.rest);
  }

  private async open(page: ConsolePage, rest: string): Promise<void> {
    const moved = this.opened !== null;
    this.opened = null;
    try {
      const element = new (await page.load())();
      if (this.registry.match(this.router.route)?.page !== page) return; // gone elsewhere meanwhile
      element.context = this.context;
      element.route = { ...this.router.route, path: rest };
      this.opened = { page, element };
    } catch (error) {
      console.error(error);
      this.loadFailed = true;
    }
    await this.updateComplete;
    if (moved) this.content.focus();
  }

  private async onLogOut(): Promise<void> {
    this.menuOpen = false;
    try {
      await this.session.logOut();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failure = error;
    }
  }

  private readonly closeMenu = (): void => {
    this.menuOpen = false;
  };

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape") this.menuOpen = false;
  }
}
