import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { knowledgeWords } from "../../../i18n/knowledge";
import type { Failure } from "../../../transport/failure";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import "./job-card";
import { parseJob, type Job } from "./jobs";
import { COLLECTION_NAME, readCollections, type Collection } from "./library";

/** Those that the service itself needs. */
const LASTING = ["site", "poems"];

/** What is searched apart, by whom, and whether its index fits. */
@customElement("trivet-collections")
export class Collections extends PagePart {
  @state() private asking = "";
  @state() private failure: { name: string; failure: Failure } | null = null;
  @state() private nameProblem = "";
  @state() private job: Job | null = null;
  @query("#name") private readonly name!: HTMLInputElement;
  private readonly collections = new Reading(this, (signal) => readCollections(this.client, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.collections.now();
  }

  override render() {
    const words = knowledgeWords[this.language];
    return html`
      ${this.job ? html`<div class="job" @job-ended=${() => void this.collections.now()}><trivet-job .context=${this.context} .job=${this.job}></trivet-job></div>` : nothing}
      ${looks(this.collections, this.language, ghostLines(3, "6.5rem"), (items) => html`<ul class="list">${items.map((item) => this.one(item))}</ul>`)}
      <h2>${words.newCollection}</h2>
      <form class="panel card" @submit=${this.onMake}>
        <div class="row">
          <div class="field grow">
            <label for="name">${words.name}</label>
            <input id="name" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="63" aria-describedby="name-help name-problem" aria-invalid=${this.nameProblem !== ""} />
          </div>
          <label class="check"><input type="checkbox" name="open" /> ${words.openToAll}</label>
          <button class="button primary" type="submit">${words.make}</button>
        </div>
        <p id="name-help" class="hint">${words.nameHelp}</p>
        <p id="name-problem" class="wrong" role="alert">${this.nameProblem}</p>
        ${this.failure?.name === "" ? problem(this.failure.failure, this.language) : nothing}
      </form>
    `;
  }

  private one(collection: Collection) {
    const words = knowledgeWords[this.language];
    const { name } = collection;
    const address = formatRoute("/knowledge/documents", new URLSearchParams({ collection: name }));
    return html`<li class="panel card">
      <header>
        <h3><a href=${address}>${name}</a></h3>
        <span class="state" data-tone=${collection.open ? "good" : "idle"}>${collection.open ? words.openYes : words.openNo}</span>
        ${this.indexState(collection)}
      </header>
      <p class="hint">
        ${words.documentsOf(collection.documents)} · ${words.passagesOf(collection.chunks)}
        ${collection.pending > 0 ? html`· ${words.pendingOf(collection.pending)}` : nothing} · ${words.collectionModel}:
        <code>${collection.model ?? words.noModel}</code>
      </p>
      ${collection.state === "model_changed" ? html`<p class="wrong">${words.modelChangedHelp}</p>` : nothing}
      ${this.asking === name ? this.sure(name) : this.actions(collection)}
      ${this.failure?.name === name ? problem(this.failure.failure, this.language) : nothing}
    </li>`;
  }

  private indexState({ state }: Collection) {
    const words = knowledgeWords[this.language];
    const names = { empty: words.stateEmpty, indexing: words.stateIndexing, ready: words.stateReady, model_changed: words.stateModelChanged };
    const tones = { empty: "idle", indexing: "warn", ready: "good", model_changed: "bad" };
    return html`<span class="state" data-tone=${tones[state]}>${names[state]}</span>`;
  }

  private actions({ name, open, chunks }: Collection) {
    const words = knowledgeWords[this.language];
    return html`<div class="actions">
      <button class="button" type="button" @click=${() => void this.change(name, () => this.client.patch(path(name), { open: !open }))}>
        ${open ? words.closeSearch : words.openSearch}
      </button>
      ${chunks > 0 ? html`<button class="button" type="button" @click=${() => void this.rebuild(name)}>${words.rebuild}</button>` : nothing}
      ${LASTING.includes(name) ? nothing : html`<button class="button quiet" type="button" @click=${() => (this.asking = name)}>${words.remove}</button>`}
    </div>`;
  }

  private sure(name: string) {
    const words = knowledgeWords[this.language];
    return html`<div class="actions" role="group" aria-label=${words.removeCollection(name)}>
      <p class="grow">${words.removeCollection(name)}</p>
      <button class="button danger" type="button" @click=${() => void this.change(name, () => this.client.delete(path(name)))}>${words.remove}</button>
      <button class="button quiet" type="button" @click=${() => (this.asking = "")}>${words.keep}</button>
    </div>`;
  }

  private rebuild(name: string): Promise<void> {
    return this.change(name, async () => (this.job = parseJob(await this.client.post(`${path(name)}/rebuild`, {}))));
  }

  private async onMake(event: Event): Promise<void> {
    event.preventDefault();
    const name = this.name.value.trim();
    this.nameProblem = COLLECTION_NAME.test(name) ? "" : knowledgeWords[this.language].badName;
    if (this.nameProblem !== "") return this.name.focus();
    const form = event.target as HTMLFormElement;
    const open = new FormData(form).has("open");
    await this.change("", async () => {
      await this.client.post("api/collections", { name, open });
      form.reset();
    });
  }

  /** Does something to a collection ("": a new one), and reads them again. */
  private async change(name: string, work: () => Promise<unknown>): Promise<void> {
    this.failure = null;
    try {
      await work();
      this.asking = "";
      await this.collections.now();
    } catch (error) {
      this.failure = { name, failure: asFailure(error) };
    }
  }
}

const path = (name: string): string => `api/collections/${encodeURIComponent(name)}`;

function styles() {
  return css`
    .list,
    .list li {
      display: grid;
      gap: var(--space-3);
    }

    .job {
      margin-bottom: var(--space-4);
    }

    header {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-2) var(--space-3);
    }

    h3 {
      margin-inline-end: auto;
      font: 600 var(--text-l) / 1.3 var(--serif);
    }

    code {
      font: 400 var(--text-xs) / 1.5 var(--mono);
    }

    .grow {
      flex: 1 1 14rem;
      font-size: var(--text-s);
    }

    .check {
      display: inline-flex;
      align-items: center;
      gap: var(--space-2);
      min-height: 2.5rem;
      font-size: var(--text-s);
    }

    form {
      display: grid;
      gap: var(--space-2);
    }
  `;
}
