import { LitElement, css, html } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { chatWords } from "../i18n/chat";
import type { Language } from "../preferences/preferences";

const TALLEST_PX = 200;

/**
 * Where a question is typed.
 *
 * Fires "ask" (detail: the text) and "stop". While an answer is under way, typing goes on and sending waits.
 */
@customElement("trivet-composer")
export class TrivetComposer extends LitElement {
  @property() language: Language = "en";
  @property({ type: Boolean }) busy = false;
  @state() private text = "";
  @query("textarea") private readonly area!: HTMLTextAreaElement;

  static override styles = [controls, styles()];

  override focus(options?: FocusOptions): void {
    this.area?.focus(options);
  }

  override render() {
    const words = chatWords[this.language];
    return html`
      <form @submit=${this.onSubmit}>
        <label class="unseen" for="question">${words.ask}</label>
        <textarea
          id="question"
          rows="1"
          dir="auto"
          enterkeyhint="send"
          autocomplete="off"
          placeholder=${words.placeholder}
          .value=${this.text}
          @input=${this.onInput}
          @keydown=${this.onKey}
        ></textarea>
        ${this.busy ? this.stopButton() : this.sendButton()}
      </form>
    `;
  }

  private sendButton() {
    const words = chatWords[this.language];
    return html`<button class="go send" type="submit" aria-label=${words.send} ?disabled=${this.text.trim() === ""}>
      ${icons.send()}
    </button>`;
  }

  private stopButton() {
    const words = chatWords[this.language];
    return html`<button class="go stop" type="button" aria-label=${words.stop} title=${words.stopHint} @click=${this.onStop}>
      ${icons.stop()}
    </button>`;
  }

  private onInput(): void {
    this.text = this.area.value;
    this.fit();
  }

  private onKey(event: KeyboardEvent): void {
    // Enter may end the choice of a Chinese word; Safari says so only by the key code.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.submit();
  }

  private onSubmit(event: Event): void {
    event.preventDefault();
    this.submit();
  }

  private submit(): void {
    if (this.busy || this.text.trim() === "") return;
    this.dispatchEvent(new CustomEvent("ask", { detail: this.text }));
    this.text = "";
    this.area.value = "";
    this.fit();
  }

  private onStop(): void {
    this.dispatchEvent(new CustomEvent("stop"));
    this.focus();
  }

  /** As tall as its text, up to a limit. `field-sizing` is not everywhere yet. */
  private fit(): void {
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(this.area.scrollHeight, TALLEST_PX)}px`;
  }
}

function styles() {
  return css`
    :host {
      display: block;
    }

    form {
      display: flex;
      align-items: flex-end;
      gap: var(--space-2);
      padding: var(--space-2);
      border: 1.5px solid var(--line-strong);
      border-radius: var(--radius-l);
      background: var(--surface);
      box-shadow: var(--shadow);
      transition: border-color var(--quick);
    }

    form:focus-within {
      border-color: var(--patina);
      box-shadow:
        0 0 0 1px var(--patina),
        var(--shadow);
    }

    textarea {
      flex: 1;
      min-width: 0;
      max-height: 200px;
      padding: var(--space-2) var(--space-2) var(--space-2) var(--space-3);
      border: 0;
      background: transparent;
      /* Less than 16 px makes a telephone zoom in. */
      font-size: max(1rem, 16px);
      line-height: 1.5;
      resize: none;
    }

    textarea:focus-visible {
      /* The whole form shows the focus. */
      outline: 0;
    }

    textarea::placeholder {
      color: var(--ink-faint);
      opacity: 1;
    }

    .go {
      display: grid;
      place-items: center;
      width: 2.5rem;
      height: 2.5rem;
      border: 0;
      border-radius: 0.875rem;
      background: var(--patina);
      color: var(--on-patina);
      transition:
        background var(--quick),
        color var(--quick);
    }

    .send:hover:not(:disabled) {
      background: var(--patina-strong);
    }

    .send:disabled {
      background: var(--sunken);
      color: var(--ink-faint);
    }

    .stop {
      background: var(--ember-wash);
      color: var(--ember);
    }

    .stop:hover {
      background: var(--ember);
      color: var(--surface);
    }
  `;
}
