import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { briefingPart, stepName, studioWords } from "../../../i18n/studio";
import type { Failure } from "../../../transport/failure";
import { formatDate, formatTime } from "../../parts/format";
import { ghostLines, looks, problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading, asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { byline, download, fileName, toMarkdown } from "./export";
import { LANGUAGE, briefingLines, poemPath, readBriefing, readPoem, readTranslations, type Briefing, type Poem, type Translation } from "./poems";
import { MODES, makeBriefing, openSession, readTasks, translate, type Mode, type Task } from "./tasks";
import "./translation";

/** A poem beside its translations, one or two at a time, and what can be begun with it. */
@customElement("trivet-poem")
export class PoemView extends PagePart {
  @property() poemId = "";
  /** Ids of the translations that are shown; empty: the newest, and none. */
  @property() first = "";
  @property() second = "";
  @state() private failure: Failure | null = null;
  @state() private tagProblem = "";
  @state() private asking = false;
  @state() private busy = false;
  private readonly poem = new Reading(this, (signal) => readPoem(this.client, this.poemId, signal));
  private readonly translations = new Reading(this, (signal) => readTranslations(this.client, this.poemId, signal));
  private readonly briefings = new Reading(this, (signal) => readBriefing(this.client, this.poemId, signal));
  private readonly tasks = new Reading(this, (signal) => readTasks(this.client, this.poemId, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("poemId")) return;
    for (const reading of [this.poem, this.translations, this.briefings, this.tasks]) void reading.now();
  }

  override render() {
    const words = studioWords[this.language];
    return html`
      <a class="back" href=${formatRoute("/studio")}>${icons.chevron()} ${words.backToPoems}</a>
      ${looks(this.poem, this.language, ghostLines(3, "4rem"), (poem) => this.whole(poem))}
    `;
  }

  private whole(poem: Poem) {
    const words = studioWords[this.language];
    return html`
      <div class="title">
        <div>
          <h1 lang=${poem.lang}>${poem.title}</h1>
          <p class="hint" lang=${poem.lang}>${poem.author}</p>
        </div>
        <div class="actions">
          <a class="button" href=${formatRoute(`/studio/poems/${poem.id}/edit`)}>${icons.pencil()} ${words.edit}</a>
          <button class="button" type="button" @click=${() => this.export(poem)}>${icons.down()} ${words.exportMarkdown}</button>
          <button class="button quiet" type="button" aria-expanded=${this.asking} @click=${() => (this.asking = !this.asking)}>${words.remove}</button>
        </div>
      </div>
      ${this.asking
        ? html`<div class="actions sure" role="group" aria-label=${words.removePoem}>
            <p class="hint">${words.removePoem}</p>
            <button class="button danger" type="button" @click=${() => void this.discard(poem)}>${words.remove}</button>
            <button class="button quiet" type="button" @click=${() => (this.asking = false)}>${words.keep}</button>
          </div>`
        : nothing}
      ${this.failure ? problem(this.failure, this.language) : nothing}
      ${looks(this.translations, this.language, ghostLines(1, "16rem"), (translations) => this.sides(poem, translations))}
      <div class="two">${this.beginning(poem)} ${this.runs()}</div>
      <section aria-labelledby="briefing">
        <h2 id="briefing">${words.briefing}</h2>
        ${looks(this.briefings, this.language, ghostLines(2, "4rem"), (found) => this.briefing(poem, found[0]))}
      </section>
    `;
  }

  private sides(poem: Poem, translations: Translation[]) {
    const words = studioWords[this.language];
    const first = translations.find(({ id }) => id === this.first) ?? translations[0];
    const second = translations.find(({ id }) => id === this.second && id !== first?.id);
    return html`
      ${translations.length > 0
        ? html`<div class="row choice">
            ${this.chooser("first", words.first, translations, first?.id ?? "", false, second?.id)}
            ${translations.length > 1 ? this.chooser("second", words.second, translations, second?.id ?? "", true, first?.id) : nothing}
          </div>`
        : nothing}
      <div class="sides" data-columns=${second ? 3 : 2}>
        <article class="panel side">
          <h2 class="label">${words.original} <code>${poem.lang}</code></h2>
          <p class="verse" lang=${poem.lang}>${poem.text}</p>
        </article>
        ${first ? this.side(first) : html`<div class="panel empty side"><p><strong>${words.noTranslations}</strong></p><p>${words.noTranslationsHelp}</p></div>`}
        ${second ? this.side(second) : nothing}
      </div>
    `;
  }

  private chooser(id: string, label: string, translations: Translation[], chosen: string, mayBeNone: boolean, other: string | undefined) {
    const words = studioWords[this.language];
    return html`<div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} @change=${(event: Event) => this.choose(id, (event.target as HTMLSelectElement).value)}>
        ${mayBeNone ? html`<option value="" ?selected=${chosen === ""}>${words.none}</option>` : nothing}
        ${translations
          .filter((item) => item.id === chosen || item.id !== other || !mayBeNone)
          .map((item) => html`<option value=${item.id} ?selected=${item.id === chosen}>${words.choose(item.lang, byline(item), formatDate(item.createdAt, this.locale))}</option>`)}
      </select>
    </div>`;
  }

  private side(translation: Translation) {
    return html`<article class="panel side">
      <h2 class="label">${translation.title ? html`<span lang=${translation.lang}>${translation.title}</span>` : studioWords[this.language].first} <code>${translation.lang}</code></h2>
      <p class="verse" lang=${translation.lang}>${translation.text}</p>
      <trivet-translation .context=${this.context} .translation=${translation} @translation-changed=${(event: CustomEvent<Translation | null>) => this.onChanged(translation, event.detail)}></trivet-translation>
    </article>`;
  }

  private beginning(poem: Poem) {
    const words = studioWords[this.language];
    const names: Record<Mode, string> = { hybrid: words.modeHybrid, reasoning: words.modeReasoning, non_reasoning: words.modeNonReasoning };
    return html`<section aria-labelledby="translate">
      <h2 id="translate">${words.translate}</h2>
      <form class="panel card" @submit=${(event: Event) => void this.onTranslate(event, poem)}>
        <div class="field">
          <label for="into">${words.into}</label>
          <input id="into" name="lang" list="tags" maxlength="5" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="tag-problem" aria-invalid=${this.tagProblem !== ""} .defaultValue=${poem.lang.startsWith("zh") ? "en" : "zh"} />
          <datalist id="tags">${["zh", "en", "fr", "de", "es", "ja", "ru"].map((tag) => html`<option value=${tag}></option>`)}</datalist>
          <p id="tag-problem" class="wrong" role="alert">${this.tagProblem}</p>
        </div>
        <div class="field">
          <label for="who">${words.who}</label>
          <select id="who" name="mode">
            ${MODES.map((mode) => html`<option value=${mode} ?selected=${mode === "hybrid"}>${names[mode]}</option>`)}
            <option value="manual">${words.modeManual}</option>
          </select>
        </div>
        <div><button class="button primary" type="submit" aria-disabled=${this.busy}>${words.begin}</button></div>
      </form>
    </section>`;
  }

  private runs() {
    const words = studioWords[this.language];
    return html`<section aria-labelledby="runs">
      <h2 id="runs">${words.runs}</h2>
      ${looks(this.tasks, this.language, ghostLines(3), (tasks) =>
        tasks.length === 0 ? html`<p class="panel empty">${words.noRuns}</p>` : html`<ul class="panel runs">${tasks.map((task) => this.run(task))}</ul>`,
      )}
    </section>`;
  }

  private run(task: Task) {
    const words = studioWords[this.language];
    const names = {
      pending: words.statusPending,
      running: words.statusRunning,
      waiting_for_person: words.statusWaiting,
      completed: words.statusCompleted,
      failed: words.statusFailed,
      cancelled: words.statusCancelled,
    };
    const tones = { pending: "idle", running: "live", waiting_for_person: "warn", completed: "good", failed: "bad", cancelled: "idle" };
    const kind = task.status === "waiting_for_person" ? "by-hand" : "runs";
    const what = task.workflow === "briefing" ? words.briefing : `${words.translate} ${task.lang ?? ""}`;
    return html`<li>
      <a href=${formatRoute(`/studio/${kind}/${task.id}`)}>${what}</a>
      <span class="faint">${task.currentStep ? stepName(task.currentStep, this.language) : formatTime(task.createdAt, this.locale)}</span>
      <span class="state" data-tone=${tones[task.status]}>${names[task.status]}</span>
    </li>`;
  }

  private briefing(poem: Poem, briefing: Briefing | undefined) {
    const words = studioWords[this.language];
    if (!briefing) {
      return html`<div class="panel empty">
        <p>${words.noBriefing}</p>
        <p><button class="button" type="button" aria-disabled=${this.busy} @click=${() => void this.makeBriefing(poem, false)}>${words.makeBriefing}</button></p>
      </div>`;
    }
    return html`<div class="panel card brief">
      <dl>
        ${Object.entries(briefing.content).map(
          ([name, value]) => html`<dt>${briefingPart(name, this.language)}</dt>
            <dd>${briefingLines(value).map((line) => html`<p>${line}</p>`)}</dd>`,
        )}
      </dl>
      <div class="actions">
        <span class="faint">${words.madeBy(briefing.model)} · ${formatTime(briefing.createdAt, this.locale)}</span>
        <button class="button quiet" type="button" aria-disabled=${this.busy} @click=${() => void this.makeBriefing(poem, true)}>${icons.retry()} ${words.makeAnew}</button>
      </div>
    </div>`;
  }

  private choose(which: string, id: string): void {
    const first = which === "first" ? id : this.first || (this.translations.value?.[0]?.id ?? "");
    const second = which === "second" ? id : this.second;
    const query = new URLSearchParams({ t: first, ...(second && second !== first ? { with: second } : {}) });
    this.context.router.navigate(`/studio/poems/${this.poemId}`, query, true);
  }

  private onChanged(before: Translation, after: Translation | null): void {
    const all = this.translations.value ?? [];
    this.translations.set(after ? all.map((item) => (item.id === before.id ? after : item)) : all.filter(({ id }) => id !== before.id));
  }

  private export(poem: Poem): void {
    download(fileName(poem), toMarkdown(poem, this.translations.value ?? [], { notes: studioWords[this.language].notes }));
  }

  private async onTranslate(event: Event, poem: Poem): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const lang = String(form.get("lang") ?? "").trim();
    const mode = String(form.get("mode"));
    this.tagProblem = LANGUAGE.test(lang) ? "" : studioWords[this.language].badTag;
    if (this.tagProblem !== "") return this.renderRoot.querySelector<HTMLElement>("#into")?.focus();
    await this.does(async () => {
      if (mode === "manual") this.context.router.navigate(`/studio/by-hand/${(await openSession(this.client, poem.id, lang)).id}`);
      else this.context.router.navigate(`/studio/runs/${await translate(this.client, poem.id, lang, mode as Mode)}`);
    });
  }

  private makeBriefing(poem: Poem, anew: boolean): Promise<void> {
    return this.does(async () => {
      const task = await makeBriefing(this.client, poem.id, anew);
      if (task) this.context.router.navigate(`/studio/runs/${task}`);
      else await this.briefings.now();
    });
  }

  private discard(poem: Poem): Promise<void> {
    return this.does(async () => {
      await this.client.delete(poemPath(poem.id));
      this.context.router.navigate("/studio", undefined, true);
    });
  }

  private async does(work: () => Promise<void>): Promise<void> {
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
}

function styles() {
  return css`
    h1 {
      overflow-wrap: anywhere;
    }

    .title {
      margin-bottom: var(--space-5);
    }

    .sure {
      margin-bottom: var(--space-4);
    }

    .choice {
      margin-bottom: var(--space-3);
    }

    .choice .field {
      flex: 0 1 22rem;
    }

    .sides {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
      gap: var(--space-4);
    }

    .sides[data-columns="3"] {
      grid-template-columns: repeat(3, minmax(0, 1fr));
    }

    .side {
      display: grid;
      align-content: start;
      gap: var(--space-4);
      padding: var(--space-5);
    }

    .label {
      display: flex;
      align-items: baseline;
      justify-content: space-between;
      gap: var(--space-3);
      margin: 0;
      color: var(--ink-soft);
      font: 550 var(--text-s) / 1.4 var(--sans);
    }

    code {
      color: var(--ink-faint);
      font: 400 var(--text-xs) / 1.5 var(--mono);
    }

    .verse {
      padding-bottom: var(--space-3);
      font: 400 var(--text-l) / 1.85 var(--serif);
      white-space: pre-wrap;
      overflow-wrap: anywhere;
    }

    trivet-translation {
      padding-top: var(--space-4);
      border-top: 1px solid var(--line);
    }

    .two {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
      gap: 0 var(--space-4);
    }

    .two form {
      display: grid;
      gap: var(--space-3);
    }

    .runs li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto auto;
      align-items: center;
      gap: var(--space-3);
      padding: var(--space-3) var(--space-5);
      font-size: var(--text-s);
    }

    .runs li + li {
      border-top: 1px solid var(--line);
    }

    .state[data-tone="live"] {
      background: var(--ember-wash);
      color: var(--ember);
    }

    .brief,
    .empty {
      display: grid;
      justify-items: start;
      gap: var(--space-3);
    }

    .brief dl {
      max-width: 46rem;
    }

    .brief dt {
      margin-top: var(--space-4);
      color: var(--ink-soft);
      font-weight: 550;
      font-size: var(--text-s);
    }

    .brief dt:first-child {
      margin-top: 0;
    }

    .brief dd {
      overflow-wrap: anywhere;
    }

    @media (max-width: 56rem) {
      .sides,
      .sides[data-columns="3"],
      .two {
        grid-template-columns: minmax(0, 1fr);
      }

      .runs li {
        grid-template-columns: minmax(0, 1fr) auto;
        padding-inline: var(--space-4);
      }

      .runs .faint {
        grid-row: 2;
        grid-column: 1 / -1;
      }
    }
  `;
}
