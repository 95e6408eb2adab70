import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controls } from "../design/controls";
import { icons } from "../design/icons";
import { chatWords } from "../i18n/chat";
import type { Language } from "../preferences/preferences";
import type { Contact } from "./site";

/** How to reach a person, for those whom some answers did not help. Fires "dismiss". */
@customElement("trivet-contact")
export class TrivetContact extends LitElement {
  @property({ attribute: false }) contact!: Contact;
  @property() language: Language = "en";

  static override styles = [controls, styles()];

  override render() {
    const words = chatWords[this.language];
    const { website, email, phone, address, name } = this.contact;
    const where = address[this.language];
    return html`<aside aria-labelledby="title">
      <h2 id="title">${words.contact}</h2>
      <button class="button quiet icon" type="button" aria-label=${words.dismiss} title=${words.dismiss} @click=${this.onDismiss}>
        ${icons.close()}
      </button>
      <p>${name[this.language]}</p>
      <dl>
        ${email ? html`<dt>${words.email}</dt><dd><a href="mailto:${email}">${email}</a></dd>` : nothing}
        ${phone ? html`<dt>${words.phone}</dt><dd><a href="tel:${phone.replace(/[^+\d]/g, "")}">${phone}</a></dd>` : nothing}
        ${website
          ? html`<dt>${words.website}</dt><dd><a href=${website} target="_blank" rel="noopener">${new URL(website).host}</a></dd>`
          : nothing}
        ${where ? html`<dt>${words.address}</dt><dd>${where}</dd>` : nothing}
      </dl>
    </aside>`;
  }

  private onDismiss(): void {
    this.dispatchEvent(new CustomEvent("dismiss"));
  }
}

function styles() {
  return css`
    :host {
      display: block;
    }

    aside {
      display: grid;
      grid-template-columns: 1fr auto;
      gap: var(--space-1) var(--space-3);
      padding: var(--space-4) var(--space-4) var(--space-4) var(--space-5);
      border: 1px solid var(--line);
      border-radius: var(--radius-m);
      background: var(--surface);
    }

    h2 {
      align-self: center;
      font: 600 var(--text-l) / 1.3 var(--serif);
    }

    p,
    dl {
      grid-column: 1 / -1;
    }

    p {
      color: var(--ink-soft);
      font-size: var(--text-s);
    }

    dl {
      display: grid;
      grid-template-columns: max-content 1fr;
      gap: var(--space-1) var(--space-4);
      margin-top: var(--space-2);
      font-size: var(--text-s);
    }

    dt {
      color: var(--ink-faint);
    }

    dd {
      overflow-wrap: anywhere;
    }
  `;
}
