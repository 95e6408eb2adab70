import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { chatWords } from "../i18n/chat";
import type { Language } from "../preferences/preferences";

/** A question as it was asked. Fires "revise" (detail: the new words) when it is asked in other words. */
@customElement("trivet-question")
export class TrivetQuestion extends LitElement {
  @property() text = "";
  @property() language: Language = "en";
  @property({ type: Boolean }) locked = false;
  @state() private editing = false;
  @query("textarea") private readonly area!: HTMLTextAreaElement | null;
  @query(".edit") private readonly opener!: HTMLButtonElement | null;

  static override styles = [controls, styles()];

  override render() {
    return this.editing && !this.locked ? this.form() : this.said();
  }

  private said() {
    const words = chatWords[this.language];
    return html`<div class="said">
      ${this.locked
        ? nothing
        : html`<button class="button quiet icon edit" type="button" aria-label=${words.edit} title=${words.edit} @click=${this.onEdit}>
            ${icons.pencil()}
          </button>`}
      <h2><span class="unseen">${words.question}: </span>${this.text}</h2>
    </div>`;
  }

  private form() {
    const words = chatWords[this.language];
    return html`<form @submit=${this.onSubmit} @keydown=${this.onKey}>
      <textarea rows="3" dir="auto" aria-label=${words.edit} aria-describedby="hint" .value=${this.text}></textarea>
      <p id="hint">${words.editHint}</p>
      <div class="choices">
        <button class="button quiet" type="button" @click=${this.onCancel}>${words.cancel}</button>
        <button class="button primary" type="submit">${words.askEdited}</button>
      </div>
    </form>`;
  }

  private async onEdit(): Promise<void> {
    this.editing = true;
    await this.updateComplete;
    this.area?.focus();
    this.area?.setSelectionRange(this.text.length, this.text.length);
  }

  private async onCancel(): Promise<void> {
    this.editing = false;
    await this.updateComplete;
    this.opener?.focus();
  }

  private onSubmit(event: Event): void {
    event.preventDefault();
    const words = this.area?.value.trim() ?? "";
    if (words === "") return;
    this.editing = false;
    this.dispatchEvent(new CustomEvent("revise", { detail: words }));
  }

  private onKey(event: KeyboardEvent): void {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Escape") {
      event.stopPropagation(); // it ends the editing, not the chat
      void this.onCancel();
    } else if (event.key === "Enter" && !event.shiftKey && !composing) {
      this.onSubmit(event);
    }
  }
}

function styles() {
  return css`
    :host {
      display: block;
    }

    .said {
      display: flex;
      gap: var(--space-1);
      align-items: center;
      justify-content: flex-end;
    }

    h2 {
      max-width: min(85%, 36rem);
      padding: var(--space-2) var(--space-4);
      border-radius: var(--radius-l) var(--radius-l) var(--radius-s) var(--radius-l);
      background: var(--patina-wash);
      font-weight: 450;
      font-size: var(--text-m);
      line-height: 1.55;
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }

    .edit {
      width: 2rem;
      min-height: 2rem;
      color: var(--ink-faint);
      opacity: 0;
      transition: opacity var(--quick);
    }

    .said:hover .edit,
    .edit:focus-visible {
      opacity: 1;
    }

    @media (hover: none) {
      .edit {
        opacity: 1;
      }
    }

    form {
      display: grid;
      gap: var(--space-2);
      max-width: 36rem;
      margin-inline-start: auto;
    }

    textarea {
      width: 100%;
      max-height: 16rem;
      padding: var(--space-2) var(--space-3);
      border: 1.5px solid var(--patina);
      border-radius: var(--radius-m);
      background: var(--surface);
      font-size: max(1rem, 16px);
      line-height: 1.5;
      resize: vertical;
    }

    p {
      color: var(--ink-faint);
      font-size: var(--text-xs);
    }

    .choices {
      display: flex;
      gap: var(--space-2);
      justify-content: flex-end;
    }
  `;
}
