import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { stepName, studioWords } from "../../../i18n/studio";
import type { Failure } from "../../../transport/failure";
import "../../parts/copy-button";
import { Draft } from "../../parts/draft";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { answerStep, readSession, type Session } from "./tasks";

/** The steps of a translation by hand: a prompt to copy, an answer to paste. It can be left and gone on with. */
@customElement("trivet-by-hand")
export class ByHand extends PagePart {
  @property() sessionId = "";
  @state() private failure: Failure | null = null;
  @state() private busy = false;
  @state() private missing = false;
  @query("#answer") private readonly answer!: HTMLTextAreaElement;
  @query("#model") private readonly model!: HTMLInputElement;
  private readonly session = new Reading(this, (signal) => readSession(this.client, this.sessionId, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("sessionId")) void this.session.now();
  }

  override render() {
    const words = studioWords[this.language];
    const poem = this.session.value?.poemId;
    return html`
      <a class="back" href=${formatRoute(poem ? `/studio/poems/${poem}` : "/studio")}>${icons.chevron()} ${poem ? words.backToPoem : words.backToPoems}</a>
      <div class="title"><h1>${words.manual}</h1></div>
      ${looks(this.session, this.language, ghostLines(3, "7rem"), (session) => this.whole(session))}
    `;
  }

  private whole(session: Session) {
    return html`${this.steps(session)} ${session.prompt !== null && session.step !== null ? this.form(session, session.step, session.prompt) : this.end(session)}`;
  }

  private steps(session: Session) {
    return html`<ol class="steps">
      ${session.steps.map(
        (step, place) => html`<li aria-current=${step.name === session.step ? "step" : "false"} data-status=${step.status}>
          <span class="number" aria-hidden="true">${step.status === "completed" ? icons.check() : place + 1}</span>
          ${stepName(step.name, this.language)}
          ${step.status === "completed" ? html`<span class="unseen">${studioWords[this.language].statusCompleted}</span>` : nothing}
        </li>`,
      )}
    </ol>`;
  }

  private form(session: Session, step: string, prompt: string) {
    const words = studioWords[this.language];
    const place = session.steps.findIndex(({ name }) => name === step);
    const last = place === session.steps.length - 1;
    return html`<p class="unseen" role="status">${words.stepOf(place + 1, session.steps.length)}: ${stepName(step, this.language)}</p>
      <div class="two">
        <section class="panel card" aria-labelledby="prompt">
          <h2 id="prompt">${words.prompt}</h2>
          <p class="hint">${words.promptHelp}</p>
          <pre tabindex="0" aria-labelledby="prompt" role="group">${prompt}</pre>
          <div><trivet-copy primary .text=${prompt} .label=${words.copyPrompt} .language=${this.language}></trivet-copy></div>
        </section>
        <form class="panel card" @submit=${(event: Event) => void this.onNext(event, session, step)}>
          <div class="field">
            <label for="answer" class="heading">${words.answer}</label>
            <p id="answer-help" class="hint">${words.answerHelp}</p>
            <textarea id="answer" rows="14" maxlength="400000" aria-describedby="answer-help answer-problem" aria-invalid=${this.missing} .defaultValue=${this.draft(step).text} @input=${() => (this.draft(step).text = this.answer.value)}></textarea>
            <p id="answer-problem" class="wrong" role="alert">${this.missing ? words.missing : ""}</p>
          </div>
          <div class="field">
            <label for="model">${words.model}</label>
            <input id="model" maxlength="256" autocomplete="off" spellcheck="false" aria-describedby="model-help" />
            <p id="model-help" class="hint">${words.modelHelp}</p>
          </div>
          ${this.failure ? this.refusal(this.failure) : nothing}
          <div><button class="button primary" type="submit" aria-disabled=${this.busy}>${last ? words.finish : words.next}</button></div>
        </form>
      </div>`;
  }

  /** What does not fit is said in the service's own words: they name the part that is missing. */
  private refusal(failure: Failure) {
    if (failure.kind !== "invalid" || !failure.message) return problem(failure, this.language);
    return html`<p class="panel problem" role="alert">${icons.alert()} <span>${failure.message.replace(/^content: /, "")}</span></p>`;
  }

  private end(session: Session) {
    const words = studioWords[this.language];
    if (session.error) return html`<p class="panel problem" role="alert">${icons.alert()} ${session.error}</p>`;
    if (session.status === "completed") {
      return html`<div class="panel empty" role="status">
        <p><strong>${words.manualDone}</strong></p>
        <p><a class="button primary" href=${formatRoute(`/studio/poems/${session.poemId ?? ""}`)}>${words.seeResult}</a></p>
      </div>`;
    }
    return html`<div class="panel empty">
      <p>${session.status === "cancelled" ? words.statusCancelled : words.manualWaits}</p>
      <p><a class="button" href=${formatRoute(`/studio/runs/${session.id}`)}>${words.runs}</a></p>
    </div>`;
  }

  private draft(step: string): Draft {
    return new Draft(`studio.answer.${this.sessionId}.${step}`);
  }

  private async onNext(event: Event, session: Session, step: string): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.missing = this.answer.value.trim() === "";
    if (this.missing) return this.answer.focus();
    this.busy = true;
    this.failure = null;
    try {
      const next = await answerStep(this.client, session.id, step, this.answer.value, this.model.value.trim());
      this.draft(step).text = "";
      this.session.set(next);
      await this.updateComplete;
      if (next.step && next.step !== step && this.answer) this.answer.value = this.draft(next.step).text;
      this.renderRoot.querySelector<HTMLElement>("trivet-copy, .empty a")?.focus();
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.busy = false;
    }
  }
}

function styles() {
  return css`
    .steps {
      display: flex;
      flex-wrap: wrap;
      gap: var(--space-2) var(--space-5);
      margin-bottom: var(--space-5);
      color: var(--ink-soft);
      font-size: var(--text-s);
    }

    .steps li {
      display: flex;
      align-items: center;
      gap: var(--space-2);
    }

    .steps .number {
      display: grid;
      place-items: center;
      width: 1.75rem;
      height: 1.75rem;
      border: 1px solid var(--line-strong);
      border-radius: 50%;
      font-variant-numeric: tabular-nums;
    }

    .steps [aria-current="step"] {
      color: var(--ink);
      font-weight: 600;
    }

    .steps [aria-current="step"] .number {
      border-color: transparent;
      background: var(--patina);
      color: var(--on-patina);
    }

    .steps [data-status="completed"] .number {
      border-color: transparent;
      background: var(--patina-wash);
      color: var(--patina-strong);
    }

    .two {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
      gap: var(--space-4);
    }

    .two > * {
      display: grid;
      align-content: start;
      gap: var(--space-3);
    }

    h2,
    .field > label.heading {
      margin: 0;
      font: 600 var(--text-l) / 1.3 var(--serif);
    }

    pre {
      max-height: 28rem;
      margin: 0;
      padding: var(--space-4);
      overflow-y: auto;
      border-radius: var(--radius-s);
      background: var(--sunken);
      font: 400 var(--text-s) / 1.6 var(--mono);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }

    .empty {
      display: grid;
      justify-items: start;
      gap: var(--space-3);
    }

    @media (max-width: 56rem) {
      .two {
        grid-template-columns: minmax(0, 1fr);
      }
    }
  `;
}
