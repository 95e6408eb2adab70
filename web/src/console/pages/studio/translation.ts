import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { studioWords } from "../../../i18n/studio";
import type { Failure } from "../../../transport/failure";
import "../../parts/copy-button";
import { Draft } from "../../parts/draft";
import { formatNumber, formatSeconds, formatTime, formatUsd } from "../../parts/format";
import { problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { asFailure } from "../../parts/reading";
import { byline } from "./export";
import { changeTranslation, poemPath, type Translation } from "./poems";

const POINTS = Array.from({ length: 11 }, (_, point) => point);

/** A translation: its text, what it cost, a rating and notes. Dispatches "translation-changed" with it, or null: deleted. */
@customElement("trivet-translation")
export class TranslationCard extends PagePart {
  @property({ attribute: false }) translation!: Translation;
  @state() private failure: Failure | null = null;
  @state() private saved = false;
  @state() private asking = false;
  @query("textarea") private readonly notes!: HTMLTextAreaElement;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("translation") && changed.get("translation")?.id !== this.translation.id) {
      this.saved = this.asking = false;
      this.failure = null;
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    const before = changed.get("translation");
    if (before && before.id !== this.translation.id) this.notes.value = this.draft.text || this.translation.notes;
  }

  override render() {
    const words = studioWords[this.language];
    const { translation } = this;
    return html`
      <p class="faint made">${this.facts()}</p>
      ${this.rating()}
      <div class="field">
        <label for="notes">${words.notes}</label>
        <textarea id="notes" rows="3" maxlength="20000" .defaultValue=${this.draft.text || translation.notes} @input=${this.onNotes}></textarea>
      </div>
      <div class="actions">
        <button class="button" type="button" @click=${() => void this.change({ notes: this.notes.value })}>${words.saveNotes}</button>
        <trivet-copy .text=${translation.text} .language=${this.language}></trivet-copy>
        <button class="button quiet" type="button" aria-expanded=${this.asking} @click=${() => (this.asking = !this.asking)}>${words.remove}</button>
        <span class="hint" role="status">${this.saved ? words.saved : ""}</span>
      </div>
      ${this.asking
        ? html`<div class="actions" role="group" aria-label=${words.removeQuestion}>
            <p class="hint">${words.removeQuestion}</p>
            <button class="button danger" type="button" @click=${() => void this.discard()}>${words.remove}</button>
            <button class="button quiet" type="button" @click=${() => (this.asking = false)}>${words.keep}</button>
          </div>`
        : nothing}
      ${this.failure ? problem(this.failure, this.language) : nothing}
    `;
  }

  private facts(): string {
    const words = studioWords[this.language];
    const { translation, locale } = this;
    const tokens = (translation.inputTokens ?? 0) + (translation.outputTokens ?? 0);
    return [
      translation.byPerson ? words.byPerson : "",
      byline(translation),
      formatTime(translation.createdAt, locale),
      tokens > 0 ? words.tokens(formatNumber(tokens, locale)) : "",
      translation.costUsd === null ? "" : formatUsd(translation.costUsd, locale),
      translation.seconds ? formatSeconds(translation.seconds, locale) : "",
    ]
      .filter((fact) => fact !== "" && fact !== "–")
      .join(" · ");
  }

  private rating() {
    const words = studioWords[this.language];
    const { rating } = this.translation;
    return html`<fieldset>
      <legend>${words.rate} <span class="hint">${rating === null ? words.unrated : words.rating(rating)}</span></legend>
      <div class="points">
        ${POINTS.map(
          (point) => html`<label ?data-under=${rating !== null && point <= rating}
            ><input type="radio" name="rating" class="unseen" value=${point} .checked=${point === rating} @change=${() => void this.change({ quality_rating: point })} /><span>${point}</span></label
          >`,
        )}
        ${rating === null ? nothing : html`<button class="button quiet" type="button" @click=${() => void this.change({ quality_rating: null })}>${words.takeBack}</button>`}
      </div>
    </fieldset>`;
  }

  private get draft(): Draft {
    return new Draft(`studio.notes.${this.translation.id}`);
  }

  private onNotes(): void {
    this.saved = false;
    this.draft.text = this.notes.value === this.translation.notes ? "" : this.notes.value;
  }

  private async change(change: { quality_rating?: number | null; notes?: string }): Promise<void> {
    this.failure = null;
    this.saved = false;
    try {
      const stored = await changeTranslation(this.client, this.translation, change);
      if (change.notes !== undefined) this.draft.text = "";
      this.saved = true;
      this.tell(stored);
    } catch (error) {
      this.failure = asFailure(error);
      this.requestUpdate();
    }
  }

  private async discard(): Promise<void> {
    this.failure = null;
    const { poemId, id } = this.translation;
    try {
      await this.client.delete(`${poemPath(poemId)}/translations/${encodeURIComponent(id)}`);
      this.tell(null);
    } catch (error) {
      this.failure = asFailure(error);
    }
  }

  private tell(detail: Translation | null): void {
    this.dispatchEvent(new CustomEvent("translation-changed", { detail }));
  }
}

function styles() {
  return css`
    :host {
      display: grid;
      align-content: start;
      gap: var(--space-3);
    }

    .made {
      overflow-wrap: anywhere;
    }

    fieldset {
      min-width: 0;
      margin: 0;
      padding: 0;
      border: 0;
    }

    .points {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 2px;
      margin-top: var(--space-1);
    }

    .points label {
      position: relative;
      cursor: pointer;
    }

    .points label > span {
      display: grid;
      place-items: center;
      width: 1.625rem;
      height: 1.875rem;
      border: 1px solid var(--line);
      border-radius: var(--radius-s);
      color: var(--ink-soft);
      font-size: var(--text-xs);
      font-variant-numeric: tabular-nums;
      transition: background var(--quick);
    }

    .points label:hover > span {
      border-color: var(--line-strong);
    }

    .points label[data-under] > span {
      border-color: transparent;
      background: var(--patina-wash);
      color: var(--patina-strong);
    }

    .points input:checked + span {
      background: var(--patina);
      color: var(--on-patina);
      font-weight: 600;
    }

    .points input:focus-visible + span {
      outline: 2px solid var(--patina);
      outline-offset: 2px;
    }
  `;
}
