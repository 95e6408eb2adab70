import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { copyText } from "../design/clipboard";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { mark, markStyles } from "../design/mark";
import { commonWords, describeFailure } from "../i18n/common";
import { consoleWords } from "../i18n/console";
import { Follow } from "../preferences/follow";
import type { Preferences } from "../preferences/preferences";
import { languageButton, themeButton } from "../preferences/switches";
import { Failure } from "../transport/failure";
import type { Session } from "./session";

const TOKEN_FILE = "data/admin-token";

/** Asks for the administrator's token. The token goes to the server once and is kept nowhere on the page. */
@customElement("trivet-login")
export class TrivetLogin extends LitElement {
  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) preferences!: Preferences;
  @state() private shown = false;
  @state() private busy = false;
  @state() private copied = false;
  @state() private failure: Failure | null = null;
  @query("#token") private readonly field!: HTMLInputElement;

  static override styles = [controls, markStyles, styles()];

  constructor() {
    super();
    new Follow(this, () => this.preferences);
  }

  override render() {
    const { language } = this.preferences;
    const words = consoleWords[language];
    return html`
      <div class="switches">${languageButton(this.preferences)} ${themeButton(this.preferences)}</div>
      <main>
        <div class="emblem">${mark(56, this.busy)}</div>
        <h1>${words.title}</h1>
        ${this.session.state === "ended" ? html`<p class="ended" role="status">${words.sessionEnded}</p>` : nothing}
        <form method="post" @submit=${this.onSubmit}>
          <!-- Gives a password manager a name to keep the token under. -->
          <input class="unseen" name="username" autocomplete="username" value="administrator" tabindex="-1" aria-hidden="true" readonly />
          <label for="token">${words.token}</label>
          <div class="field">
            <input
              id="token"
              name="token"
              type=${this.shown ? "text" : "password"}
              autocomplete="current-password"
              autocapitalize="none"
              spellcheck="false"
              required
              aria-describedby="help problem"
              aria-invalid=${this.failure?.kind === "unauthenticated"}
            />
            <button
              class="button quiet icon"
              type="button"
              aria-pressed=${this.shown}
              aria-label=${words.showToken}
              title=${this.shown ? words.hideToken : words.showToken}
              @click=${() => (this.shown = !this.shown)}
            >
              ${icons.eye()}
            </button>
          </div>
          <p id="problem" class="problem" role="alert">${this.problem()}</p>
          <button class="button primary" type="submit" ?disabled=${this.busy}>
            ${this.busy ? words.loggingIn : words.logIn}
          </button>
        </form>
        <p id="help" class="help">
          ${words.tokenHelp}
          <span class="path">
            <code>${TOKEN_FILE}</code>
            <button
              class="button quiet icon"
              type="button"
              aria-label=${commonWords[language].copy}
              title=${this.copied ? commonWords[language].copied : commonWords[language].copy}
              @click=${this.onCopy}
            >
              ${this.copied ? icons.check() : icons.copy()}
            </button>
          </span>
        </p>
      </main>
    `;
  }

  protected override firstUpdated(): void {
    this.field.focus();
  }

  private problem() {
    if (!this.failure) return nothing;
    const { language } = this.preferences;
    const wrong = this.failure.kind === "unauthenticated";
    return html`${icons.alert()} ${wrong ? consoleWords[language].wrongToken : describeFailure(this.failure, language)}`;
  }

  private async onSubmit(event: Event): Promise<void> {
    event.preventDefault();
    this.busy = true;
    this.failure = null;
    try {
      await this.session.logIn(this.field.value.trim());
      this.field.value = "";
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failure = error;
      this.field.select();
    } finally {
      this.busy = false;
    }
  }

  private async onCopy(): Promise<void> {
    this.copied = await copyText(TOKEN_FILE);
  }
}

function styles() {
  return css`
    :host {
      display: grid;
      grid-template-rows: auto 1fr;
      height: 100%;
      overflow-y: auto;
      background: var(--paper);
    }

    .switches {
      display: flex;
      justify-content: flex-end;
      gap: var(--space-1);
      padding: var(--space-3) var(--space-4);
    }

    main {
      width: min(100%, 25rem);
      margin: auto;
      padding: var(--space-4) var(--space-5) var(--space-8);
    }

    .emblem {
      display: grid;
      justify-content: center;
    }

    h1 {
      margin: var(--space-4) 0 var(--space-5);
      font: 400 var(--text-2xl) / 1.2 var(--serif);
      letter-spacing: -0.015em;
      text-align: center;
    }

    .ended {
      margin-bottom: var(--space-4);
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-m);
      background: var(--amber-wash);
      font-size: var(--text-s);
    }

    form {
      display: grid;
      padding: var(--space-5);
      border: 1px solid var(--line);
      border-radius: var(--radius-l);
      background: var(--surface);
      box-shadow: var(--shadow);
    }

    label {
      margin-bottom: var(--space-2);
      font-weight: 550;
      font-size: var(--text-s);
    }

    .field {
      display: flex;
      align-items: center;
      border: 1.5px solid var(--line-strong);
      border-radius: var(--radius-m);
      background: var(--paper);
    }

    .field:focus-within {
      border-color: var(--patina);
      box-shadow: 0 0 0 1px var(--patina);
    }

    input {
      flex: 1;
      min-width: 0;
      padding: var(--space-3) 0 var(--space-3) var(--space-3);
      border: 0;
      background: transparent;
      font-family: var(--mono);
      font-size: max(var(--text-s), 16px);
    }

    input:focus-visible {
      /* The field around it shows the focus. */
      outline: 0;
    }

    .problem {
      display: flex;
      gap: var(--space-2);
      align-items: flex-start;
      min-height: var(--space-5);
      padding-block: var(--space-2);
      color: var(--danger);
      font-size: var(--text-s);
    }

    .help {
      margin-top: var(--space-5);
      color: var(--ink-soft);
      font-size: var(--text-s);
      text-align: center;
    }

    .path {
      display: flex;
      align-items: center;
      justify-content: center;
    }

    .path .button {
      width: 2.25rem;
      min-height: 2.25rem;
    }

    code {
      font-size: var(--text-s);
      font-family: var(--mono);
    }
  `;
}
