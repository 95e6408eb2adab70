import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { knowledgeWords } from "../../../i18n/knowledge";
import type { Failure } from "../../../transport/failure";
import { problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { canRetry, followJob, hasEnded, parseJob, readJob, type Job, type JobFile } from "./jobs";

/** A job of kb and how far it is, as it happens. Dispatches "job-ended". */
@customElement("trivet-job")
export class JobCard extends PagePart {
  /** As it was when the page read it. */
  @property({ attribute: false }) job!: Job;
  @state() private current!: Job;
  @state() private failure: Failure | null = null;
  /** The stream cannot be had; the work itself goes on. */
  @state() private lost = false;
  private following: AbortController | null = null;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("job")) return;
    this.current = this.job;
    this.follow();
  }

  override render() {
    const words = knowledgeWords[this.language];
    const job = this.current;
    const live = !hasEnded(job);
    return html`<article class="panel card" aria-label=${this.subject()}>
      <header>
        <p class="what">${this.subject()} <code>${job.collection}</code></p>
        ${this.state()}
      </header>
      ${live ? html`<div class="meter" data-live role="progressbar" aria-label=${this.subject()} aria-valuenow=${job.progress} aria-valuemin="0" aria-valuemax="100"><i .style=${`width: ${job.progress}%`}></i></div>` : nothing}
      <p class="faint">
        ${job.kind === "ingest" ? html`${words.filesRead(job.filesDone, job.filesTotal)} · ` : nothing}${words.passagesIndexed(job.chunksDone, job.chunksTotal)}
        ${job.filesFailed > 0 ? html`· <strong class="wrong">${words.failedFiles(job.filesFailed)}</strong>` : nothing}
      </p>
      ${job.error ? html`<p class="wrong">${job.error}</p>` : nothing} ${this.files()}
      ${this.lost ? html`<p class="hint">${words.lostSight}</p>` : nothing}
      ${this.failure ? problem(this.failure, this.language, this.lost ? () => this.follow() : undefined) : nothing}
      ${this.actions(live)}
    </article>`;
  }

  private subject(): string {
    const words = knowledgeWords[this.language];
    return this.current.kind === "rebuild" ? words.jobRebuild : words.jobIngest(this.current.filesTotal);
  }

  private state() {
    const words = knowledgeWords[this.language];
    const { state, filesFailed } = this.current;
    if (state === "done" && filesFailed > 0) return html`<span class="state" data-tone="warn">${words.jobPartly}</span>`;
    const names = { queued: words.jobQueued, running: words.jobRunning, done: words.jobDone, failed: words.jobFailed, cancelled: words.jobCancelled };
    const tones = { queued: "idle", running: "live", done: "good", failed: "bad", cancelled: "idle" };
    return html`<span class="state" data-tone=${tones[state]} role="status">${names[state]}</span>`;
  }

  private files() {
    const { files, filesFailed } = this.current;
    if (files.length === 0) return nothing;
    return html`<details ?open=${filesFailed > 0} class="files">
      <summary>${knowledgeWords[this.language].showFiles}</summary>
      <ul>
        ${[...files].sort((a, b) => Number(b.state === "failed") - Number(a.state === "failed")).map((file) => this.file(file))}
      </ul>
    </details>`;
  }

  private file({ source, state, error, documentId }: JobFile) {
    const words = knowledgeWords[this.language];
    const names = { queued: words.fileQueued, stored: words.fileStored, failed: words.fileFailed, cancelled: words.fileCancelled };
    const tones = { queued: "idle", stored: "good", failed: "bad", cancelled: "idle" };
    const address = formatRoute(`/knowledge/documents/${documentId ?? ""}`, new URLSearchParams({ collection: this.current.collection }));
    return html`<li>
      <span class="state" data-tone=${tones[state]}>${names[state]}</span>
      <span class="source">${documentId ? html`<a href=${address}>${source}</a>` : source}</span>
      ${error ? html`<span class="wrong">${error}</span>` : nothing}
    </li>`;
  }

  private actions(live: boolean) {
    const words = knowledgeWords[this.language];
    const again = canRetry(this.current);
    if (!live && !again) return nothing;
    return html`<div class="actions">
      ${live ? html`<button class="button" type="button" @click=${() => void this.change("cancel")}>${words.cancel}</button>` : nothing}
      ${again ? html`<button class="button" type="button" @click=${() => void this.change("retry")}>${words.tryFailed}</button>` : nothing}
    </div>`;
  }

  private async change(what: "cancel" | "retry"): Promise<void> {
    this.failure = null;
    try {
      this.current = parseJob(await this.client.post(`api/jobs/${encodeURIComponent(this.current.id)}/${what}`, {}));
      this.follow();
    } catch (error) {
      this.failure = asFailure(error);
    }
  }

  private stop(): void {
    this.following?.abort();
    this.following = null;
  }

  /** Watches the job to its end. One that has ended is asked for its files once. */
  private follow(): void {
    this.stop();
    const controller = new AbortController();
    this.following = controller;
    this.failure = null;
    this.lost = false;
    void this.watch(controller.signal);
  }

  private async watch(signal: AbortSignal): Promise<void> {
    try {
      if (hasEnded(this.current)) {
        if (this.current.files.length === 0 && this.current.filesFailed > 0) this.current = await readJob(this.client, this.current.id, signal);
        return;
      }
      for await (const job of followJob(this.client, this.current.id, signal)) this.current = job;
      if (hasEnded(this.current)) this.dispatchEvent(new Event("job-ended", { bubbles: true, composed: true }));
    } catch (error) {
      if (signal.aborted) return;
      this.failure = asFailure(error);
      this.lost = true;
    }
  }
}

function styles() {
  return css`
    article {
      display: grid;
      gap: var(--space-3);
      padding: var(--space-4) var(--space-5);
    }

    header {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: var(--space-3);
    }

    .what {
      font-weight: 550;
    }

    code,
    .source {
      font: 400 var(--text-s) / 1.5 var(--mono);
    }

    .state[data-tone="live"] {
      background: var(--ember-wash);
      color: var(--ember);
    }

    .files summary {
      color: var(--ink-soft);
      font-size: var(--text-s);
      cursor: pointer;
    }

    .files ul {
      max-height: 20rem;
      margin-top: var(--space-2);
      overflow-y: auto;
    }

    .files li {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
      padding: var(--space-2) 0;
      border-top: 1px solid var(--line);
    }

    .source {
      min-width: 0;
      overflow-wrap: anywhere;
    }
  `;
}
