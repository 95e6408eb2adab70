import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { analyticsWords } from "../../../i18n/analytics";
import { Failure } from "../../../transport/failure";
import { Draft } from "../../parts/draft";
import { formatBytes, formatNumber, formatUsd } from "../../parts/format";
import { problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { asFailure } from "../../parts/reading";
import { cleanUp, parseDays, type Cleanup } from "./cleanup";
import { timeIn } from "../../parts/period";

const USUAL_DAYS = "180";

/** Deletes old records in two steps: what would go is shown first, and then confirmed by a word that is typed. */
@customElement("trivet-cleaning")
export class Cleaning extends PagePart {
  @property() tz = "UTC";
  private readonly draft = new Draft("cleanup-days");
  @state() private typedDays = this.draft.text || USUAL_DAYS;
  @state() private typedWord = "";
  @state() private busy = false;
  @state() private failure: Failure | null = null;
  @state() private wrong = false;
  @state() private found: Cleanup | null = null;
  @state() private done: Cleanup | null = null;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override render() {
    return html`<p>${this.words.cleanupLead}</p>
      ${this.done ? this.result(this.done) : html`${this.asking()} ${this.found ? this.shown(this.found) : nothing}`}
      ${this.failure ? problem(this.failure, this.language) : nothing}`;
  }

  private asking() {
    const { words, busy } = this;
    return html`<form class="row" novalidate @submit=${this.onAsk}>
      <div class="field">
        <label for="days">${words.olderThan}</label>
        <input
          id="days"
          inputmode="numeric"
          autocomplete="off"
          .value=${this.typedDays}
          aria-invalid=${this.wrong}
          aria-describedby="days-wrong"
          @input=${this.onDays}
        />
      </div>
      <button class="button" type="submit" aria-disabled=${busy}>${busy && !this.found ? words.dryRunBusy : words.dryRun}</button>
      <p id="days-wrong" class="wrong" role="alert">${this.wrong ? words.olderThanWrong : ""}</p>
    </form>`;
  }

  private shown(found: Cleanup) {
    const { words } = this;
    const cutoff = timeIn(found.cutoff, this.tz, this.locale);
    if (found.total === 0) return html`<p class="told" role="status">${words.nothingGoes(cutoff)}</p>`;
    return html`<div class="told">
      <p role="status">${words.wouldGo(cutoff)} <b>${this.number(found.total)}</b></p>
      <dl class="counts">
        ${found.byKind.map(([kind, count]) => html`<div><dt>${words[`kind_${kind}`]}</dt><dd>${this.number(count)}</dd></div>`)}
      </dl>
      <p>${words.alsoGone}</p>
      ${this.kept(found)} ${this.confirmation(found)}
    </div>`;
  }

  private kept({ kept }: Cleanup) {
    const { words } = this;
    const totals: [string, string][] = [
      [words.questions, this.number(kept.questions)],
      [words.searches, this.number(kept.searches)],
      [words.tokens, this.number(kept.tokens)],
      [words.cost, formatUsd(kept.costUsd, this.locale)],
    ];
    return html`<p>${words.stays}</p>
      <dl class="counts">${totals.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
  }

  private confirmation({ total }: Cleanup) {
    const { words, busy } = this;
    return html`<form class="row" @submit=${this.onConfirm}>
      <div class="field">
        <label for="word">${words.confirmLabel(words.confirmWord)}</label>
        <input
          id="word"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          .value=${this.typedWord}
          @input=${(event: InputEvent) => (this.typedWord = (event.target as HTMLInputElement).value)}
        />
      </div>
      <button class="button danger" type="submit" ?disabled=${!this.confirmed} aria-disabled=${busy}>
        ${busy ? words.deleting : words.deleteNow(this.number(total))}
      </button>
    </form>`;
  }

  private result(done: Cleanup) {
    const { words } = this;
    return html`<div class="told">
      <p role="status" class="done">${icons.check()} ${words.wasDeleted(this.number(done.total), formatBytes(done.freedBytes, this.locale))}</p>
      ${this.kept(done)}
      <p><button class="button" type="button" @click=${this.begin}>${words.another}</button></p>
    </div>`;
  }

  /** The word of either language: who changes it in between has still typed it. */
  private get confirmed(): boolean {
    const word = this.typedWord.trim().toLowerCase();
    return Object.values(analyticsWords).some(({ confirmWord }) => confirmWord === word);
  }

  private onDays(event: InputEvent): void {
    this.typedDays = (event.target as HTMLInputElement).value;
    this.draft.text = this.typedDays;
    this.wrong = false;
    this.found = null; // what was shown is not what would go now
    this.typedWord = "";
  }

  private onAsk(event: SubmitEvent): void {
    event.preventDefault();
    const days = parseDays(this.typedDays);
    this.wrong = days === null;
    if (days !== null) void this.run(async () => (this.found = await cleanUp(this.client, days, true)));
  }

  private onConfirm(event: SubmitEvent): void {
    event.preventDefault();
    const { found } = this;
    if (!found || !this.confirmed) return;
    void this.run(async () => {
      this.done = await cleanUp(this.client, found.olderThanDays, false);
      this.draft.text = "";
    });
  }

  private async run(work: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failure = null;
    try {
      await work();
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.busy = false;
    }
  }

  private begin(): void {
    this.done = null;
    this.found = null;
    this.typedWord = "";
  }

  private get words() {
    return analyticsWords[this.language];
  }

  private number(value: number): string {
    return formatNumber(value, this.locale);
  }
}

function styles() {
  return css`
    form {
      margin-top: var(--space-4);
    }

    form .field {
      flex: 0 1 16rem;
    }

    .wrong {
      flex-basis: 100%;
    }

    .wrong:empty {
      display: none;
    }

    .told {
      display: grid;
      gap: var(--space-3);
      margin-top: var(--space-5);
      padding-top: var(--space-5);
      border-top: 1px solid var(--line);
    }

    .told form {
      margin-top: var(--space-2);
    }

    .counts {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-2) var(--space-6);
    }

    dt {
      color: var(--ink-soft);
      font-size: var(--text-s);
    }

    dd {
      font: 400 1.25rem / 1.3 var(--serif);
      font-variant-numeric: lining-nums tabular-nums;
    }

    .done {
      display: flex;
      align-items: center;
      gap: var(--space-2);
      color: var(--patina-strong);
      font-weight: 550;
    }

    .problem {
      margin-top: var(--space-4);
    }
  `;
}
