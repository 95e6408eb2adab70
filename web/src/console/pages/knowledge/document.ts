import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { knowledgeWords } from "../../../i18n/knowledge";
import type { Failure } from "../../../transport/failure";
import { formatBytes, formatTime } from "../../parts/format";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { readChunks, readDocument, type Chunk, type DocumentDetail, type Page } from "./library";

/** A document as search knows it: its passages, each under its headings. `passage`: the one to look at, from 0. */
@customElement("trivet-document")
export class DocumentView extends PagePart {
  @property() document = "";
  @property({ type: Number }) passage = -1;
  @state() private asking = false;
  @state() private failure: Failure | null = null;
  private readonly detail = new Reading(this, (signal) => readDocument(this.client, this.document, signal));
  private readonly chunks = new Reading(this, (signal) => this.readFrom(signal));
  private readonly further = new Reading(this, (signal) => this.readOn(signal));
  private sought = false;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("document") && !changed.has("passage")) return;
    this.sought = false;
    if (changed.has("document")) this.detail.value = null;
    this.chunks.value = null;
    void this.detail.now();
    void this.chunks.now();
  }

  protected override updated(): void {
    const wanted = this.passage >= 0 && this.renderRoot.querySelector<HTMLElement>(`#passage-${this.passage}`);
    if (!wanted || this.sought) return;
    this.sought = true;
    wanted.scrollIntoView({ block: "center" });
    wanted.focus({ preventScroll: true });
  }

  override render() {
    const words = knowledgeWords[this.language];
    return html`
      <a class="back" href=${this.listAddress()}>${icons.chevron()} ${words.backToDocuments}</a>
      ${looks(this.detail, this.language, ghostLines(2), (detail) => this.head(detail))}
      <h2>${words.asItWasCut}</h2>
      <p class="hint help">${words.cutHelp}</p>
      ${looks(this.chunks, this.language, ghostLines(4, "8rem"), (page) => this.passages(page))}
    `;
  }

  private head(detail: DocumentDetail) {
    const words = knowledgeWords[this.language];
    const facts = [
      words.passagesOf(detail.chunks),
      detail.lang,
      formatBytes(detail.sizeBytes, this.locale),
      formatTime(detail.updatedAt, this.locale),
    ].filter((fact) => fact !== "");
    return html`<article class="panel card head">
      <div class="names">
        <h2 class="name">${detail.title}</h2>
        <p class="source">${detail.source}</p>
        <p class="faint">${facts.join(" · ")}</p>
        ${detail.upToDate ? nothing : html`<p><span class="state" data-tone="warn">${words.outdated}</span> <span class="hint">${words.outdatedHelp}</span></p>`}
      </div>
      <div class="actions">
        ${detail.url ? html`<a class="button" href=${detail.url} target="_blank" rel="noopener">${icons.link()} ${words.openSource}</a>` : nothing}
        <button class="button" type="button" aria-expanded=${this.asking} @click=${() => (this.asking = !this.asking)}>${words.remove}</button>
      </div>
      ${this.asking
        ? html`<div class="sure" role="group" aria-labelledby="sure">
            <p id="sure">${words.removeQuestion}</p>
            <div class="actions">
              <button class="button danger" type="button" @click=${() => void this.discard(detail)}>${words.remove}</button>
              <button class="button quiet" type="button" @click=${() => (this.asking = false)}>${words.keep}</button>
            </div>
          </div>`
        : nothing}
      ${this.failure ? problem(this.failure, this.language) : nothing}
    </article>`;
  }

  private passages({ items, nextCursor }: Page<Chunk>) {
    const words = knowledgeWords[this.language];
    if (items.length === 0) return html`<p class="panel empty">${words.noPassages}</p>`;
    return html`
      ${(items[0]?.position ?? 0) > 0
        ? html`<div class="more"><a class="button" href=${this.passageAddress(null)}>${words.before}</a></div>`
        : nothing}
      <ol class="passages">
        ${items.map((chunk) => this.one(chunk))}
      </ol>
      ${this.further.failure ? problem(this.further.failure, this.language) : nothing}
      ${nextCursor
        ? html`<div class="more">
            <button class="button" type="button" aria-disabled=${this.further.busy} @click=${() => void this.more()}>${words.more}</button>
          </div>`
        : nothing}
    `;
  }

  private one(chunk: Chunk) {
    const words = knowledgeWords[this.language];
    const wanted = chunk.position === this.passage;
    return html`<li id=${`passage-${chunk.position}`} class="panel passage" tabindex="-1" ?data-wanted=${wanted}>
      <header>
        <span class="number" title=${words.passage(chunk.position + 1)}><span class="unseen">${words.passage(chunk.position + 1)}</span><span aria-hidden="true">${chunk.position + 1}</span></span>
        <span class="path">${chunk.headingPath.join(" › ")}</span>
        ${chunk.indexed ? nothing : html`<span class="state" data-tone="warn">${words.waitsForIndex}</span>`}
        <span class="faint">${words.tokens(chunk.tokens)}</span>
      </header>
      <p class="text" lang=${chunk.lang || nothing}>${chunk.content}</p>
      ${chunk.anchor ? html`<footer class="faint"><span class="unseen">${words.anchor}</span><code>#${chunk.anchor}</code></footer>` : nothing}
    </li>`;
  }

  /** With a passage to look at, from a few before it. */
  private readFrom(signal: AbortSignal): Promise<Page<Chunk>> {
    const before = this.passage - 3;
    return readChunks(this.client, this.document, before >= 0 ? String(before) : "", signal);
  }

  private readOn(signal: AbortSignal): Promise<Page<Chunk>> {
    return readChunks(this.client, this.document, this.chunks.value?.nextCursor ?? "", signal);
  }

  private async more(): Promise<void> {
    const before = this.chunks.value;
    if (!before || this.further.busy) return;
    this.further.set(null);
    await this.further.now();
    const next = this.further.value;
    if (next && this.chunks.value === before) this.chunks.set({ ...next, items: [...before.items, ...next.items] });
  }

  private listAddress(): string {
    const collection = this.detail.value?.collection ?? this.context.router.route.query.get("collection") ?? "site";
    return formatRoute("/knowledge/documents", new URLSearchParams({ collection }));
  }

  private passageAddress(passage: number | null): string {
    const query = new URLSearchParams({ collection: this.detail.value?.collection ?? "site" });
    if (passage !== null) query.set("passage", String(passage));
    return formatRoute(`/knowledge/documents/${this.document}`, query);
  }

  private async discard(detail: DocumentDetail): Promise<void> {
    this.failure = null;
    try {
      await this.client.delete(`api/documents/${encodeURIComponent(detail.id)}`);
      this.asking = false;
      this.context.router.navigate("/knowledge/documents", new URLSearchParams({ collection: detail.collection }), true);
    } catch (error) {
      this.failure = asFailure(error);
    }
  }
}

function styles() {
  return css`
    .head {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      gap: var(--space-4) var(--space-5);
    }

    .head > :nth-child(n + 3) {
      grid-column: 1 / -1;
    }

    .head .actions {
      align-self: start;
    }

    h2.name {
      margin: 0 0 var(--space-1);
      font-size: var(--text-xl);
      overflow-wrap: anywhere;
    }

    .source {
      color: var(--ink-soft);
      font: 400 var(--text-s) / 1.5 var(--mono);
      overflow-wrap: anywhere;
    }

    .sure {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      gap: var(--space-3);
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-s);
      background: var(--danger-wash);
      font-size: var(--text-s);
    }

    .sure .danger {
      background: var(--danger);
      color: var(--surface);
    }

    h2 {
      margin-top: var(--space-6);
    }

    .help {
      max-width: 44rem;
      margin-bottom: var(--space-4);
    }

    .passages {
      display: grid;
      gap: var(--space-3);
    }

    .passage {
      padding: var(--space-4) var(--space-5);
      outline-offset: -1px;
    }

    .passage[data-wanted] {
      border-color: var(--patina);
      box-shadow: inset 3px 0 0 var(--patina);
    }

    .passage header {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-2) var(--space-3);
      margin-bottom: var(--space-2);
    }

    .number {
      color: var(--ink-faint);
      font: 400 var(--text-l) / 1.2 var(--serif);
      font-variant-numeric: lining-nums;
    }

    .path {
      flex: 1 1 12rem;
      min-width: 0;
      color: var(--ink-soft);
      font-weight: 550;
      font-size: var(--text-s);
      overflow-wrap: anywhere;
    }

    .text {
      max-width: 46rem;
      font-size: var(--text-s);
      line-height: 1.65;
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }

    footer {
      margin-top: var(--space-2);
      font-size: var(--text-xs);
      overflow-wrap: anywhere;
    }

    code {
      font-family: var(--mono);
    }

    @media (max-width: 40rem) {
      .head {
        grid-template-columns: minmax(0, 1fr);
      }

      .passage {
        padding: var(--space-4);
      }
    }
  `;
}
