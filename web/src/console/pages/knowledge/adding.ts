import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { icons } from "../../../design/icons";
import { knowledgeWords } from "../../../i18n/knowledge";
import { isAbort, type Failure } from "../../../transport/failure";
import { Draft } from "../../parts/draft";
import { formatBytes } from "../../parts/format";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { collectionField } from "./collection-field";
import "./job-card";
import { readJobs, type Job } from "./jobs";
import { readCollections } from "./library";
import { ACCEPTED, addUrls, splitUrls, uploadFiles } from "./upload";

/** Files and web addresses into a collection, and the work that comes of it. */
@customElement("trivet-adding")
export class Adding extends PagePart {
  @property() collection = "site";
  @state() private files: File[] = [];
  @state() private share: number | null = null;
  @state() private failure: Failure | null = null;
  @state() private urlFailure: Failure | null = null;
  @state() private urlProblem = "";
  @state() private dropping = false;
  @query("#urls") private readonly urls!: HTMLTextAreaElement;
  private sending: AbortController | null = null;
  private readonly draft = new Draft("knowledge.urls");
  private readonly collections = new Reading(this, (signal) => readCollections(this.client, signal));
  private readonly jobs = new Reading(this, (signal) => readJobs(this.client, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.collections.now();
    void this.jobs.now();
  }

  override render() {
    const words = knowledgeWords[this.language];
    return html`
      <div class="row where">
        ${collectionField(this.collections.value, this.collection, this.language, (name) =>
          this.context.router.navigate("/knowledge/add", new URLSearchParams({ collection: name })),
        )}
      </div>
      <div class="two">${this.fileForm()} ${this.urlForm()}</div>
      <h2>${words.jobs}</h2>
      ${looks(this.jobs, this.language, ghostLines(2, "6rem"), (jobs) => this.jobList(jobs))}
    `;
  }

  private fileForm() {
    const words = knowledgeWords[this.language];
    const percent = this.share === null ? 0 : Math.round(this.share * 100);
    return html`<section class="panel card" aria-labelledby="files-title">
      <h3 id="files-title">${words.files}</h3>
      <div
        class="drop"
        ?data-over=${this.dropping}
        @dragover=${this.onDragOver}
        @dragleave=${() => (this.dropping = false)}
        @drop=${this.onDrop}
      >
        <p>${words.dropHere} <span class="faint">${words.orChoose}</span></p>
        <label class="button"
          >${words.choose}<input class="unseen" type="file" multiple accept=${ACCEPTED} aria-describedby="kinds" @change=${this.onChoose}
        /></label>
      </div>
      <p id="kinds" class="hint">${words.kinds}</p>
      ${this.files.length > 0 ? this.chosen() : nothing}
      ${this.share === null
        ? nothing
        : html`<div class="meter" data-live role="progressbar" aria-label=${words.sending(percent)} aria-valuenow=${percent} aria-valuemin="0" aria-valuemax="100">
              <i .style=${`width: ${percent}%`}></i>
            </div>
            <div class="actions"><span class="hint">${words.sending(percent)}</span><button class="button quiet" type="button" @click=${() => this.sending?.abort()}>${words.stop}</button></div>`}
      ${this.failure ? problem(this.failure, this.language, () => void this.send()) : nothing}
    </section>`;
  }

  private chosen() {
    const words = knowledgeWords[this.language];
    return html`<ul class="chosen" aria-label=${words.chosen(this.files.length)}>
        ${this.files.map(
          (file, place) => html`<li>
            <span class="name">${file.webkitRelativePath || file.name}</span>
            <span class="faint">${formatBytes(file.size, this.locale)}</span>
            <button class="button quiet icon" type="button" aria-label=${words.takeOut(file.name)} ?disabled=${this.share !== null} @click=${() => (this.files = this.files.filter((_, at) => at !== place))}>
              ${icons.close()}
            </button>
          </li>`,
        )}
      </ul>
      ${this.share === null ? html`<div><button class="button primary" type="button" @click=${() => void this.send()}>${words.upload}</button></div>` : nothing}`;
  }

  private urlForm() {
    const words = knowledgeWords[this.language];
    return html`<form class="panel card" aria-labelledby="urls-title" @submit=${this.onUrls}>
      <h3 id="urls-title">${words.addresses}</h3>
      <div class="field">
        <label class="unseen" for="urls">${words.addresses}</label>
        <textarea
          id="urls"
          rows="5"
          spellcheck="false"
          autocapitalize="none"
          aria-describedby="urls-help urls-problem"
          aria-invalid=${this.urlProblem !== ""}
          placeholder=${words.addressesExample}
          .defaultValue=${this.draft.text}
          @input=${() => (this.draft.text = this.urls.value)}
        ></textarea>
        <p id="urls-help" class="hint">${words.addressesHelp}</p>
        <p id="urls-problem" class="wrong" role="alert">${this.urlProblem}</p>
      </div>
      ${this.urlFailure ? problem(this.urlFailure, this.language) : nothing}
      <div><button class="button primary" type="submit">${words.fetch}</button></div>
    </form>`;
  }

  private jobList(jobs: Job[]) {
    if (jobs.length === 0) return html`<p class="panel empty">${knowledgeWords[this.language].noJobs}</p>`;
    return html`<div class="jobs" @job-ended=${() => void this.collections.now()}>
      ${repeat(
        jobs,
        ({ id }) => id,
        (job) => html`<trivet-job .context=${this.context} .job=${job}></trivet-job>`,
      )}
    </div>`;
  }

  private onDragOver(event: DragEvent): void {
    event.preventDefault();
    this.dropping = true;
  }

  private onDrop(event: DragEvent): void {
    event.preventDefault();
    this.dropping = false;
    this.files = [...this.files, ...(event.dataTransfer?.files ?? [])];
  }

  private onChoose(event: Event): void {
    const input = event.target as HTMLInputElement;
    this.files = [...this.files, ...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
  }

  private async send(): Promise<void> {
    this.failure = null;
    this.sending = new AbortController();
    this.share = 0;
    try {
      const job = await uploadFiles(this.client, this.collection, this.files, (share) => (this.share = share), this.sending.signal);
      this.files = [];
      this.jobs.set([job, ...(this.jobs.value ?? [])]);
    } catch (error) {
      if (!isAbort(error)) this.failure = asFailure(error);
    } finally {
      this.share = null;
      this.sending = null;
    }
  }

  private async onUrls(event: Event): Promise<void> {
    event.preventDefault();
    const words = knowledgeWords[this.language];
    const { urls, bad } = splitUrls(this.urls.value);
    this.urlFailure = null;
    this.urlProblem = bad[0] ? words.badAddress(bad[0]) : urls.length === 0 ? words.noAddress : "";
    if (this.urlProblem !== "") return this.urls.focus();
    try {
      const job = await addUrls(this.client, this.collection, urls);
      this.urls.value = this.draft.text = "";
      this.jobs.set([job, ...(this.jobs.value ?? [])]);
    } catch (error) {
      this.urlFailure = asFailure(error);
    }
  }
}

function styles() {
  return css`
    .where {
      margin-bottom: var(--space-4);
    }

    .where .field {
      flex: 0 1 14rem;
    }

    .two {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
      gap: var(--space-4);
    }

    .two > * {
      display: grid;
      align-content: start;
      gap: var(--space-3);
    }

    h3 {
      font: 600 var(--text-l) / 1.3 var(--serif);
    }

    .drop {
      display: grid;
      justify-items: center;
      gap: var(--space-3);
      padding: var(--space-5);
      border: 1.5px dashed var(--line-strong);
      border-radius: var(--radius-m);
      text-align: center;
      transition: background var(--quick);
    }

    .drop[data-over] {
      border-color: var(--patina);
      background: var(--patina-wash);
    }

    .drop label {
      position: relative;
      cursor: pointer;
    }

    .drop label:focus-within {
      outline: 2px solid var(--patina);
      outline-offset: 2px;
    }

    .chosen li {
      display: flex;
      align-items: center;
      gap: var(--space-3);
      border-top: 1px solid var(--line);
      font-size: var(--text-s);
    }

    .chosen .name {
      flex: 1;
      min-width: 0;
      overflow-wrap: anywhere;
    }

    textarea {
      font-family: var(--mono);
    }

    .jobs {
      display: grid;
      gap: var(--space-3);
    }
  `;
}
