import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { mark, markStyles } from "../../../design/mark";
import { stepName, studioWords } from "../../../i18n/studio";
import type { Failure } from "../../../transport/failure";
import { formatNumber, formatSeconds, formatUsd } from "../../parts/format";
import { ghostLines, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { cancelTask, retryTask, costOf, followTask, isOver, tokensOf, type Run, type Step, type Task } from "./tasks";

/** A run of a workflow as it happens: its steps, their text as it is written, tokens and cost. */
@customElement("trivet-run")
export class RunView extends PagePart {
  @property() taskId = "";
  @state() private run: Run | null = null;
  @state() private tries = 0;
  @state() private failure: Failure | null = null;
  @state() private actionFailure: Failure | null = null;
  @state() private busy = false;
  private following: AbortController | null = null;

  static override styles: CSSResultGroup = [PagePart.styles, markStyles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.following?.abort();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("taskId")) this.follow();
  }

  override render() {
    const words = studioWords[this.language];
    const task = this.run?.task;
    const back = task?.poemId ? `/studio/poems/${task.poemId}` : "/studio";
    return html`
      <a class="back" href=${formatRoute(back)}>${icons.chevron()} ${task?.poemId ? words.backToPoem : words.backToPoems}</a>
      ${this.failure ? problem(this.failure, this.language, () => this.follow()) : nothing}
      ${this.run ? this.whole(this.run, this.run.task) : this.failure ? nothing : ghostLines(4, "5rem")}
    `;
  }

  private whole(run: Run, task: Task) {
    const words = studioWords[this.language];
    const live = !isOver(task) && task.status !== "waiting_for_person";
    return html`
      <div class="title">
        <div class="head">
          ${mark(40, live)}
          <div>
            <h1>${task.workflow === "briefing" ? words.briefing : words.translate} ${task.lang ? html`<code>${task.lang}</code>` : nothing}</h1>
            <p class="hint" role="status">${this.status(task)}</p>
          </div>
        </div>
        <div class="actions">${this.actions(task, live)}</div>
      </div>
      ${this.tries > 0 && live ? html`<p class="note" role="status">${words.reconnecting}</p>` : nothing}
      ${this.actionFailure ? problem(this.actionFailure, this.language) : nothing}
      <div class="meter" ?data-live=${live} role="progressbar" aria-label=${this.status(task)} aria-valuenow=${task.progress} aria-valuemin="0" aria-valuemax="100"><i .style=${`width: ${task.progress}%`}></i></div>
      ${this.sums(task)} ${task.error ? html`<p class="panel problem" role="alert">${icons.alert()} ${task.error}</p>` : nothing}
      <ol class="steps">
        ${task.steps.map((step) => this.step(step, run))}
      </ol>
    `;
  }

  private status(task: Task): string {
    const words = studioWords[this.language];
    const names = {
      pending: words.statusPending,
      running: words.statusRunning,
      waiting_for_person: words.statusWaiting,
      completed: words.statusCompleted,
      failed: words.statusFailed,
      cancelled: words.statusCancelled,
    };
    const step = task.currentStep && task.status === "running" ? ` · ${stepName(task.currentStep, this.language)}` : "";
    return names[task.status] + step;
  }

  private actions(task: Task, live: boolean) {
    const words = studioWords[this.language];
    const poem = task.poemId ? `/studio/poems/${task.poemId}` : "/studio";
    if (live) return html`<button class="button" type="button" @click=${() => void this.cancel()}>${icons.stop()} ${words.stopRun}</button>`;
    if (task.status === "waiting_for_person") return html`<a class="button primary" href=${formatRoute(`/studio/by-hand/${task.id}`)}>${words.continueByHand}</a>`;
    if (task.status === "completed") return html`<a class="button primary" href=${formatRoute(poem)}>${words.seeResult}</a>`;
    return html`<a class="button" href=${formatRoute(poem)}>${words.tryAgain}</a>
      <button class="button primary" type="button" aria-disabled=${this.busy} @click=${() => void this.goOn()}>${icons.retry()} ${words.goOn}</button>`;
  }

  private sums(task: Task) {
    const words = studioWords[this.language];
    const seconds = task.steps.reduce((sum, step) => sum + (step.seconds ?? 0), 0);
    const cost = costOf(task);
    // Before the first step is done nothing is known, of which "no price" would be the least.
    const unknown = tokensOf(task) === 0 ? "–" : words.noPrice;
    return html`<dl class="sums">
      <div><dt>${words.tokensName}</dt><dd>${formatNumber(tokensOf(task), this.locale)}</dd></div>
      <div><dt>${words.cost}</dt><dd>${cost === null ? html`<span class="faint">${unknown}</span>` : formatUsd(cost, this.locale)}</dd></div>
      <div><dt>${words.time}</dt><dd>${formatSeconds(seconds, this.locale)}</dd></div>
    </dl>`;
  }

  private step(step: Step, run: Run) {
    const words = studioWords[this.language];
    const name = stepName(step.name, this.language);
    const text = withoutTags(run.texts.get(step.name)?.text ?? "");
    const facts = [
      step.model ?? "",
      step.tokens === null ? "" : words.tokens(formatNumber(step.tokens, this.locale)),
      step.costUsd === null ? "" : formatUsd(step.costUsd, this.locale),
      step.seconds === null ? "" : formatSeconds(step.seconds, this.locale),
      step.attempts > 1 ? words.attempt(step.attempts) : "",
    ].filter((fact) => fact !== "");
    return html`<li class="panel" data-status=${step.status}>
      <header>
        <h2>${name}</h2>
        ${step.status === "completed" ? html`<span class="done">${icons.check()}<span class="unseen">${words.stepDone(name)}</span></span>` : nothing}
        ${step.status === "running" ? html`<span class="state" data-tone="live">${words.statusRunning}</span>` : nothing}
        ${step.status === "failed" ? html`<span class="state" data-tone="bad">${words.statusFailed}</span>` : nothing}
        <span class="faint">${step.status === "pending" ? words.stepPending : facts.join(" · ")}</span>
      </header>
      ${text ? html`<p class="text" tabindex="0" role="group" aria-label=${words.textOf(name)} ?data-live=${step.status === "running"}>${text}</p>` : nothing}
    </li>`;
  }

  private follow(): void {
    this.following?.abort();
    const controller = new AbortController();
    this.following = controller;
    this.run = null;
    this.failure = null;
    this.tries = 0;
    void this.watch(controller.signal);
  }

  private async watch(signal: AbortSignal): Promise<void> {
    try {
      for await (const run of followTask(this.client, this.taskId, signal, (tries) => (this.tries = tries))) this.run = run;
    } catch (error) {
      if (!signal.aborted) this.failure = asFailure(error);
    }
  }

  private async cancel(): Promise<void> {
    this.actionFailure = null;
    try {
      await cancelTask(this.client, this.taskId);
    } catch (error) {
      this.actionFailure = asFailure(error);
    }
  }

  /** From the last finished step; what was written before is told again. */
  private async goOn(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.actionFailure = null;
    try {
      await retryTask(this.client, this.taskId);
      this.follow();
    } catch (error) {
      this.actionFailure = asFailure(error);
    } finally {
      this.busy = false;
    }
  }
}

/** A model marks title, translation and notes by tags, which say nothing to a reader; the last may be half written. */
const withoutTags = (text: string): string => text.replace(/<\/?[a-z_]+>\n?/g, "\n").replace(/<\/?[a-z_]*$/, "").trim();

function styles() {
  return css`
    .head {
      display: flex;
      align-items: center;
      gap: var(--space-4);
    }

    h1 code {
      color: var(--ink-faint);
      font: 400 var(--text-m) / 1 var(--mono);
    }

    .note {
      margin-bottom: var(--space-3);
      padding: var(--space-3) var(--space-4);
      border-radius: var(--radius-s);
      background: var(--amber-wash);
      font-size: var(--text-s);
    }

    .sums {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-3) var(--space-7);
      margin: var(--space-4) 0 var(--space-5);
    }

    dt {
      color: var(--ink-soft);
      font-size: var(--text-s);
    }

    dd {
      font: 400 1.5rem / 1.3 var(--serif);
      font-variant-numeric: lining-nums tabular-nums;
    }

    .steps {
      display: grid;
      gap: var(--space-3);
    }

    .steps li {
      padding: var(--space-4) var(--space-5);
    }

    .steps li[data-status="running"] {
      border-color: var(--ember);
    }

    .steps li[data-status="pending"] {
      background: transparent;
    }

    header {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
    }

    header h2 {
      margin: 0;
    }

    header .faint {
      margin-inline-start: auto;
    }

    .done {
      color: var(--patina);
    }

    .state[data-tone="live"] {
      background: var(--ember-wash);
      color: var(--ember);
    }

    .text {
      max-height: 24rem;
      margin-top: var(--space-3);
      overflow-y: auto;
      font: 400 var(--text-m) / 1.75 var(--serif);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }

    .text[data-live]::after {
      content: "";
      display: inline-block;
      width: 0.5rem;
      height: 1em;
      margin-inline-start: 2px;
      background: var(--ember);
      vertical-align: text-bottom;
      animation: breathe 1.2s ease-in-out infinite;
    }

    @media (max-width: 40rem) {
      .steps li {
        padding: var(--space-4);
      }

      header .faint {
        margin-inline-start: 0;
      }
    }
  `;
}
