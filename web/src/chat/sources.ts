import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { chatWords } from "../i18n/chat";
import type { Language } from "../preferences/preferences";
import type { Citation } from "../transport/completion";
import { sourceAddress, sourcePlace, sourceTitle } from "./source";

/** The sources of an answer as cards. A card with an address is a link; one without opens its passage in place. */
@customElement("trivet-sources")
export class TrivetSources extends LitElement {
  @property({ attribute: false }) citations: readonly Citation[] = [];
  @property({ attribute: false }) root = "";
  @property() language: Language = "en";
  @state() private open: number | null = null;

  static override styles = [controls, styles()];

  override render() {
    const words = chatWords[this.language];
    return html`
      <h3 id="title">${words.sources}</h3>
      <ul aria-labelledby="title">
        ${this.citations.map((citation) => html`<li>${this.card(citation)}</li>`)}
      </ul>
      ${this.passage()}
    `;
  }

  private card(citation: Citation) {
    const href = sourceAddress(citation.url, this.root);
    if (href) {
      return html`<a class="card" href=${href} target="_blank" rel="noopener noreferrer" title=${citation.snippet}>
        ${this.face(citation)}<span class="sign">${icons.link()}</span>
      </a>`;
    }
    return html`<button
      class="card"
      type="button"
      aria-expanded=${this.open === citation.index}
      aria-controls="passage"
      @click=${() => (this.open = this.open === citation.index ? null : citation.index)}
    >
      ${this.face(citation)}<span class="sign turn">${icons.chevron()}</span>
    </button>`;
  }

  private face(citation: Citation) {
    return html`<span class="number"><span class="unseen">${chatWords[this.language].source} </span>${citation.index}</span>
      <span class="text">
        <span class="title">${sourceTitle(citation)}</span>
        <span class="place">${sourcePlace(citation)}</span>
      </span>`;
  }

  private passage() {
    const citation = this.citations.find(({ index }) => index === this.open);
    return html`<div id="passage" role="region" aria-label=${chatWords[this.language].passage} ?hidden=${!citation}>
      ${citation?.snippet || citation?.title}
    </div>`;
  }
}

function styles() {
  return css`
    :host {
      display: block;
    }

    h3 {
      margin-bottom: var(--space-2);
      color: var(--ink-faint);
      font-weight: 600;
      font-size: var(--text-xs);
      letter-spacing: 0.06em;
      text-transform: uppercase;
    }

    ul {
      display: flex;
      gap: var(--space-2);
      margin: 0 calc(-1 * var(--edge, 0px));
      padding: 2px var(--edge, 0px);
      overflow-x: auto;
      scroll-snap-type: x proximity;
      scroll-padding: var(--edge, 0px);
      scrollbar-width: none;
    }

    li {
      flex: 1 0 9.75rem; /* four fit beside one another in the chat's column */
      min-width: 0;
      max-width: 16rem;
      scroll-snap-align: start;
    }

    .card {
      display: flex;
      gap: var(--space-2);
      align-items: flex-start;
      width: 100%;
      height: 100%;
      padding: var(--space-2) var(--space-3);
      border: 1px solid var(--line);
      border-radius: var(--radius-m);
      background: var(--surface);
      color: inherit;
      text-align: start;
      text-decoration: none;
      transition:
        border-color var(--quick),
        background var(--quick);
    }

    .card:hover,
    .card[aria-expanded="true"] {
      border-color: var(--patina);
      color: inherit;
    }

    .number {
      flex: none;
      min-width: 1.375rem;
      margin-top: 0.0625rem;
      padding: 0 0.25rem;
      border-radius: var(--radius-s);
      background: var(--patina-wash);
      color: var(--patina-strong);
      font-weight: 650;
      font-size: var(--text-xs);
      line-height: 1.375rem;
      text-align: center;
      font-variant-numeric: tabular-nums;
    }

    .text {
      flex: 1;
      min-width: 0;
      font-size: var(--text-s);
      line-height: 1.4;
    }

    .title {
      display: -webkit-box;
      overflow: hidden;
      font-weight: 550;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 3;
    }

    .place {
      display: block;
      overflow: hidden;
      color: var(--ink-faint);
      font-size: var(--text-xs);
      text-overflow: ellipsis;
      white-space: nowrap;
    }

    .sign {
      margin-top: 0.125rem;
      color: var(--ink-faint);
    }

    .turn {
      transition: rotate var(--quick);
    }

    [aria-expanded="true"] .turn {
      rotate: 90deg;
    }

    #passage {
      margin-top: var(--space-2);
      padding: var(--space-3) var(--space-4);
      border-inline-start: 3px solid var(--patina);
      border-radius: 0 var(--radius-s) var(--radius-s) 0;
      background: var(--sunken);
      color: var(--ink-soft);
      font-size: var(--text-s);
      white-space: pre-line;
      overflow-wrap: anywhere;
    }
  `;
}
