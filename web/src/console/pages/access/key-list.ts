import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { accessWords } from "../../../i18n/access";
import { formatTime } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import { keyState, keyStyles, spendings } from "./key-looks";
import { readKeys, stateOf, type Key } from "./keys";

/** All keys, newest first; `all`: those that are no longer in force, too. */
@customElement("trivet-keys")
export class KeyList extends PagePart {
  @property({ type: Boolean }) all = false;
  private readonly keys = new Reading(this, (signal) => readKeys(this.client, signal));

  static override styles: CSSResultGroup = [PagePart.styles, keyStyles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.keys.now();
  }

  override render() {
    return looks(this.keys, this.language, ghostLines(4, "6.5rem"), (keys) => (keys.length === 0 ? this.empty() : this.list(keys)));
  }

  private list(keys: Key[]) {
    const words = accessWords[this.language];
    const now = new Date();
    const shown = this.all ? keys : keys.filter((key) => ["active", "spent"].includes(stateOf(key, now)));
    return html`
      ${shown.length < keys.length || this.all
        ? html`<nav class="which" aria-label=${words.which}>
            <a href=${formatRoute("/access/keys")} aria-current=${this.all ? "false" : "true"}>${words.inForce}</a>
            <a href=${formatRoute("/access/keys", new URLSearchParams({ state: "all" }))} aria-current=${this.all ? "true" : "false"}>${words.allKeys}</a>
          </nav>`
        : nothing}
      ${shown.length === 0
        ? html`<p class="panel empty">${words.noneInForce}</p>`
        : html`<ul class="panel keys">
            ${shown.map((key) => this.entry(key))}
          </ul>`}
    `;
  }

  private entry(key: Key) {
    const words = accessWords[this.language];
    return html`<li>
      <div class="who">
        <p class="head"><a class="name" href=${formatRoute(`/access/keys/${key.id}`)}>${key.name}</a> ${keyState(key, this.language)}</p>
        <p class="facts"><span>${words[`kind_${key.kind}`]}</span> <code>${key.hint}</code></p>
        <p class="hint">${this.reach(key)}</p>
      </div>
      <div class="spent">
        ${spendings(key, this.language, this.locale, true)}
        <p class="hint when">${key.lastUsedAt ? words.lastUsed(formatTime(key.lastUsedAt, this.locale)) : words.neverUsed}</p>
      </div>
    </li>`;
  }

  /** What the key opens, on one line. */
  private reach(key: Key): string {
    const words = accessWords[this.language];
    if (key.kind === "provider") return key.provider ?? "";
    if (key.kind === "publishable") return [`assistant/${key.assistant ?? ""}`, ...key.origins].join(" · ");
    return key.models.length === 0 ? words.allModels : key.models.join(" · ");
  }

  private empty() {
    const words = accessWords[this.language];
    return html`<div class="panel empty">
      <p><strong>${words.noKeys}</strong></p>
      <p>${words.noKeysHelp}</p>
      <p><a class="button primary" href=${formatRoute("/access/keys/new")}>${icons.plus()} ${words.newKey}</a></p>
    </div>`;
  }
}

function styles() {
  return css`
    .which {
      display: flex;
      gap: var(--space-2);
      margin-bottom: var(--space-3);
    }

    .which a {
      padding: var(--space-1) var(--space-3);
      border-radius: 999px;
      color: var(--ink-soft);
      font-weight: 550;
      font-size: var(--text-s);
      text-decoration: none;
    }

    .which a[aria-current="true"] {
      background: var(--patina-wash);
      color: var(--patina-strong);
    }

    .keys > li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) minmax(0, 17rem);
      gap: var(--space-3) var(--space-6);
      padding: var(--space-4) var(--space-5);
    }

    .keys > li + li {
      border-top: 1px solid var(--line);
    }

    .head {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
    }

    .name {
      color: var(--ink);
      font-weight: 600;
      text-decoration: none;
      overflow-wrap: anywhere;
    }

    .name:hover {
      color: var(--patina-strong);
      text-decoration: underline;
    }

    .facts {
      display: flex;
      flex-wrap: wrap;
      gap: 0 var(--space-3);
      margin-top: var(--space-1);
      color: var(--ink-soft);
      font-size: var(--text-s);
    }

    .hint {
      overflow-wrap: anywhere;
    }

    .spent {
      display: grid;
      align-content: start;
      gap: var(--space-2);
    }

    .when {
      text-align: end;
    }

    .empty {
      display: grid;
      justify-items: start;
      gap: var(--space-3);
    }

    .empty > p {
      max-width: 46rem;
    }

    @media (max-width: 46rem) {
      .keys > li {
        grid-template-columns: minmax(0, 1fr);
        padding: var(--space-4);
      }

      .when {
        text-align: start;
      }
    }
  `;
}
