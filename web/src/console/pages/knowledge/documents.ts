import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { knowledgeWords } from "../../../i18n/knowledge";
import { formatBytes, formatTime } from "../../parts/format";
import { Further } from "../../parts/further";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import { collectionField } from "./collection-field";
import { readCollections, readDocuments, type Document, type Page } from "./library";

const PAGE_SIZE = 50;

/** The documents of a collection, by source. */
@customElement("trivet-documents")
export class Documents extends PagePart {
  @property() collection = "site";
  @property() sourcePrefix = "";
  private readonly collections = new Reading(this, (signal) => readCollections(this.client, signal));
  private readonly page = new Reading(this, (signal) => this.read("", signal));
  private readonly further = new Further(this, this.page, ({ items, nextCursor }, signal) =>
    nextCursor ? this.read(nextCursor, signal).then((next) => ({ ...next, items: [...items, ...next.items] })) : null,
  );

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.collections.now();
    if (this.hasUpdated) void this.page.now(); // shown again: it may have changed meanwhile
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("collection") && !changed.has("sourcePrefix")) return;
    this.page.value = null;
    this.further.forget();
    void this.page.now();
  }

  override render() {
    const words = knowledgeWords[this.language];
    return html`
      <form class="row filters" role="search" @submit=${this.onFilter}>
        ${collectionField(this.collections.value, this.collection, this.language, (name) => this.go({ collection: name }))}
        <div class="field grow">
          <label for="prefix">${words.sourceBegins}</label>
          <input id="prefix" name="prefix" .value=${this.sourcePrefix} placeholder=${words.sourceExample} autocomplete="off" spellcheck="false" />
        </div>
        <button class="button" type="submit">${words.filter}</button>
      </form>
      ${this.count()} ${looks(this.page, this.language, ghostLines(8, "3.75rem"), (page) => this.list(page))}
    `;
  }

  private count() {
    const found = this.collections.value?.find(({ name }) => name === this.collection);
    const words = knowledgeWords[this.language];
    return html`<p class="faint count" role="status">
      ${found ? html`${words.documentsOf(found.documents)} · ${words.passagesOf(found.chunks)}` : html`&nbsp;`}
    </p>`;
  }

  private list({ items, nextCursor }: Page<Document>) {
    const words = knowledgeWords[this.language];
    if (items.length === 0) return this.empty();
    return html`
      <ul class="panel documents">
        ${items.map((document) => this.entry(document))}
      </ul>
      ${this.further.look(Boolean(nextCursor), words.more, this.language)}
    `;
  }

  private entry(document: Document) {
    const words = knowledgeWords[this.language];
    const address = formatRoute(`/knowledge/documents/${document.id}`, new URLSearchParams({ collection: this.collection }));
    return html`<li>
      <a href=${address}>
        <span class="name">${document.title}</span>
        <span class="source">${document.source}</span>
      </a>
      ${document.upToDate ? nothing : html`<span class="state" data-tone="warn" title=${words.outdatedHelp}>${words.outdated}</span>`}
      <span class="meta"><span class="unseen">${words.language}</span> ${document.lang || "–"}</span>
      <span class="meta">${formatBytes(document.sizeBytes, this.locale)}</span>
      <span class="meta time">${formatTime(document.updatedAt, this.locale)}</span>
    </li>`;
  }

  private empty() {
    const words = knowledgeWords[this.language];
    if (this.sourcePrefix !== "") {
      return html`<div class="panel empty">
        <p>${words.noMatch}</p>
        <p><button class="button" type="button" @click=${() => this.go({ prefix: "" })}>${words.clearFilter}</button></p>
      </div>`;
    }
    const address = formatRoute("/knowledge/add", new URLSearchParams({ collection: this.collection }));
    return html`<div class="panel empty">
      <p><strong>${words.noDocuments}</strong></p>
      <p>${words.noDocumentsHelp}</p>
      <p><a class="button primary" href=${address}>${icons.plus()} ${words.addFirst}</a></p>
    </div>`;
  }

  private onFilter(event: Event): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    this.go({ prefix: String(new FormData(form).get("prefix") ?? "").trim() });
  }

  private go(wanted: { collection?: string; prefix?: string }): void {
    const { collection = this.collection, prefix = wanted.collection ? "" : this.sourcePrefix } = wanted;
    const query = new URLSearchParams({ collection, ...(prefix ? { source: prefix } : {}) });
    this.context.router.navigate("/knowledge/documents", query);
  }

  private read(cursor: string, signal: AbortSignal): Promise<Page<Document>> {
    return readDocuments(this.client, { collection: this.collection, prefix: this.sourcePrefix, cursor, limit: PAGE_SIZE }, signal);
  }
}

function styles() {
  return css`
    .filters {
      margin-bottom: var(--space-3);
    }

    .filters .field:first-child {
      flex: 0 1 12rem;
    }

    .count {
      margin-bottom: var(--space-3);
    }

    .documents li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto 3rem 5rem 11rem;
      align-items: center;
      gap: var(--space-4);
      padding: var(--space-3) var(--space-5);
    }

    .documents li + li {
      border-top: 1px solid var(--line);
    }

    .documents a {
      display: grid;
      min-width: 0;
      grid-column: 1;
      text-decoration: none;
    }

    .documents li > .meta:nth-last-child(3) {
      grid-column: 3;
    }

    .name {
      overflow: hidden;
      color: var(--ink);
      font-weight: 550;
      text-overflow: ellipsis;
      white-space: nowrap;
    }

    a:hover .name {
      color: var(--patina-strong);
      text-decoration: underline;
      text-underline-offset: 0.18em;
    }

    .source {
      overflow: hidden;
      color: var(--ink-faint);
      font: 400 var(--text-xs) / 1.5 var(--mono);
      text-overflow: ellipsis;
      white-space: nowrap;
    }

    .meta {
      color: var(--ink-soft);
      font-size: var(--text-s);
      font-variant-numeric: tabular-nums;
      text-align: end;
    }

    .empty {
      display: grid;
      justify-items: start;
      gap: var(--space-3);
    }

    @media (max-width: 56rem) {
      .documents li {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--space-4);
        padding: var(--space-3) var(--space-4);
      }

      .documents a {
        flex: 1 1 100%;
      }

      .meta {
        font-size: var(--text-xs);
      }
    }
  `;
}
