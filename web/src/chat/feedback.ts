import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { chatWords } from "../i18n/chat";
import type { Language } from "../preferences/preferences";
import type { Rating } from "./conversation";

export interface Opinion {
  rating: Rating;
  comment: string | null;
}

/** Takes an opinion to the services; rejects where that fails. */
export type Deliver = (opinion: Opinion) => Promise<void>;

/** Thumbs for an answer, and a line for those who want to say more. A thumb counts at once. */
@customElement("trivet-feedback")
export class TrivetFeedback extends LitElement {
  @property() language: Language = "en";
  @property() rating: Rating | null = null;
  @property({ attribute: false }) deliver!: Deliver;
  @state() private asking = false;
  @state() private note: "thanks" | "notSent" | null = null;
  @query("input") private readonly field!: HTMLInputElement | null;

  static override styles = [controls, styles()];

  override render() {
    return html`${this.thumb("up")} ${this.thumb("down")} ${this.asking ? this.form() : nothing}
      <span class="note" aria-live="polite">${this.note ? chatWords[this.language][this.note] : ""}</span>`;
  }

  private thumb(rating: Rating) {
    const words = chatWords[this.language];
    const name = rating === "up" ? words.helpful : words.unhelpful;
    return html`<button
      class="button quiet icon"
      type="button"
      aria-label=${name}
      title=${name}
      aria-pressed=${this.rating === rating}
      @click=${() => this.rate(rating)}
    >
      ${rating === "up" ? icons.thumbUp() : icons.thumbDown()}
    </button>`;
  }

  private form() {
    const words = chatWords[this.language];
    return html`<form @submit=${this.onSubmit} @keydown=${this.onKey}>
      <input type="text" maxlength="2000" aria-label=${words.comment} placeholder=${words.comment} />
      <button class="button" type="submit">${words.sendComment}</button>
    </form>`;
  }

  private async rate(rating: Rating): Promise<void> {
    this.asking = true;
    await this.send({ rating, comment: null }, null);
    await this.updateComplete;
    this.field?.focus();
  }

  private async onSubmit(event: Event): Promise<void> {
    event.preventDefault();
    const comment = this.field?.value.trim() ?? "";
    if (!this.rating) return;
    if (comment !== "" && !(await this.send({ rating: this.rating, comment }, "thanks"))) return;
    this.note = "thanks";
    this.asking = false;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it closes this form, not the chat
    this.asking = false;
  }

  private async send(opinion: Opinion, done: "thanks" | null): Promise<boolean> {
    try {
      await this.deliver(opinion);
      this.note = done;
      return true;
    } catch {
      this.note = "notSent"; // what was typed stays
      return false;
    }
  }
}

function styles() {
  return css`
    :host {
      display: contents;
    }

    .button.icon {
      width: 2rem;
      min-height: 2rem;
      color: var(--ink-faint);
    }

    .button[aria-pressed="true"] {
      background: var(--patina-wash);
      color: var(--patina-strong);
    }

    form {
      display: flex;
      gap: var(--space-2);
      flex: 1 1 100%;
      order: 1;
      max-width: 32rem;
      margin: var(--space-2) 0 0 var(--space-3);
    }

    input {
      flex: 1;
      min-width: 0;
      padding: 0 var(--space-3);
      border: 1px solid var(--line-strong);
      border-radius: var(--radius-m);
      background: var(--surface);
      font-size: max(var(--text-s), 16px);
    }

    .note {
      align-self: center;
      color: var(--ink-faint);
      font-size: var(--text-s);
    }
  `;
}
