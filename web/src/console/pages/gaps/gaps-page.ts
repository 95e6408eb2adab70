import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { gapsWords } from "../../../i18n/gaps";
import { formatTime } from "../../parts/format";
import { Further } from "../../parts/further";
import { ghostLines, looks } from "../../parts/looks";
import { PageElement } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import "./gap-answer";
import { STATES, readGaps, type Gap, type GapPage, type Shown } from "./gaps";
import { replayTable } from "./replay";
import { replayStyles } from "./replay-styles";

/** The inbox of what was not answered. `/ID` of the address: the gap that is being answered. */
@customElement("trivet-gaps")
export class GapsPage extends PageElement {
  private readonly page = new Reading(this, (signal) => readGaps(this.client, this.shown, "", signal));
  private readonly further = new Further(this, this.page, ({ items, nextCursor }, signal) =>
    nextCursor
      ? readGaps(this.client, this.shown, nextCursor, signal).then((next) => ({ ...next, items: [...items, ...next.items] }))
      : null,
  );
  private showing: Shown | null = null;

  static override styles: CSSResultGroup = [PageElement.styles, replayStyles, styles()];

  protected override willUpdate(_changed: PropertyValues): void {
    if (this.showing === this.shown) return;
    this.showing = this.shown;
    this.page.value = null;
    this.further.forget();
    void this.page.now();
  }

  override render() {
    const words = gapsWords[this.language];
    return html`
      <div class="title">
        <div>
          <h1>${words.title}</h1>
          <p class="faint">${words.lead}</p>
        </div>
      </div>
      <nav class="tabs" aria-label=${words.states}>
        ${STATES.map((name) => html`<a href=${this.address("", name)} aria-current=${name === this.shown ? "page" : "false"}>${words[name]}</a>`)}
      </nav>
      ${looks(this.page, this.language, ghostLines(5, "6.5rem"), (page) => this.list(page))}
    `;
  }

  private get shown(): Shown {
    return STATES.find((name) => name === this.route.query.get("state")) ?? "open";
  }

  private get chosen(): string {
    return this.route.path.split("/")[1] ?? "";
  }

  private address(id: string, state: Shown = this.shown): string {
    return formatRoute(`/gaps/${id}`, state === "open" ? undefined : new URLSearchParams({ state }));
  }

  private list({ items, nextCursor, unclustered }: GapPage) {
    const words = gapsWords[this.language];
    return html`
      ${unclustered > 0 ? html`<p class="hint wait" role="status">${words.waiting(unclustered)}</p>` : nothing}
      ${items.length === 0
        ? this.empty()
        : html`<ol class="gaps">
            ${repeat(
              items,
              ({ id }) => id,
              (gap, place) => this.gap(gap, place),
            )}
          </ol>`}
      ${this.further.look(Boolean(nextCursor), words.more, this.language)}
    `;
  }

  private empty() {
    const words = gapsWords[this.language];
    if (this.shown === "open" || this.shown === "all") return html`<div class="panel empty"><p><strong>${words.noGaps}</strong></p><p>${words.noGapsHelp}</p></div>`;
    return html`<p class="panel empty">${this.shown === "answered" ? words.noneAnswered : words.noneHere}</p>`;
  }

  private gap(gap: Gap, place: number) {
    const words = gapsWords[this.language];
    const open = this.chosen === String(gap.id);
    const others = gap.questions.filter(({ text }) => text !== gap.question);
    return html`<li class="panel" ?data-open=${open}>
      <div class="head">
        <span class="place" aria-hidden="true">${place + 1}</span>
        <div class="what">
          <h2>${gap.question}</h2>
          <p class="facts">${this.kind(gap)} ${this.state(gap)} <span class="hint">${this.facts(gap)}</span></p>
          ${others.length > 0
            ? html`<details>
                <summary>${words.alsoAsked(others.length)}</summary>
                <ul>
                  ${others.map(({ text, asked }) => html`<li>${text} <span class="faint">${words.asked(asked)}</span></li>`)}
                </ul>
              </details>`
            : nothing}
        </div>
        ${gap.state === "open" || gap.state === "failed"
          ? html`<a class="button" href=${this.address(open ? "" : String(gap.id))} aria-expanded=${open}>${words.answerThis}</a>`
          : nothing}
      </div>
      ${open && (gap.state === "open" || gap.state === "failed")
        ? html`<trivet-gap-answer .context=${this.context} .gap=${gap} @gap-answered=${(event: CustomEvent<Gap>) => this.onAnswered(event.detail)}></trivet-gap-answer>`
        : nothing}
      ${gap.replay.length > 0 ? replayTable(gap, this.language) : nothing}
    </li>`;
  }

  private kind({ kind }: Gap) {
    const words = gapsWords[this.language];
    const names = { missing: words.kind_missing, weak: words.kind_weak, unhelpful: words.kind_unhelpful };
    return html`<span class="state" data-tone=${kind === "missing" ? "bad" : "warn"}>${names[kind]}</span>`;
  }

  private state({ state }: Gap) {
    const words = gapsWords[this.language];
    if (state === "open") return nothing;
    const names = { answering: words.state_answering, answered: words.state_answered, failed: words.state_failed };
    const tones = { answering: "idle", answered: "good", failed: "bad" };
    return html`<span class="state" data-tone=${tones[state]}>${names[state]}</span>`;
  }

  private facts(gap: Gap): string {
    const words = gapsWords[this.language];
    return [
      words.asked(gap.asked),
      gap.zeroHits > 0 ? words.zeroHits(gap.zeroHits) : "",
      gap.lowScores > 0 ? words.lowScores(gap.lowScores) : "",
      gap.thumbsDown > 0 ? words.thumbsDown(gap.thumbsDown) : "",
      gap.refused > 0 ? words.refused(gap.refused) : "",
      words.lastAsked(formatTime(gap.lastAsked, this.locale)),
    ]
      .filter((fact) => fact !== "")
      .join(" · ");
  }

  /** The gap stays where it is, with what its answer changed, until the list is read again. */
  private onAnswered(gap: Gap): void {
    const page = this.page.value;
    if (page) this.page.set({ ...page, items: page.items.map((item) => (item.id === gap.id ? gap : item)) });
  }
}

function styles() {
  return css`
    .wait {
      margin-bottom: var(--space-3);
    }

    .gaps {
      display: grid;
      gap: var(--space-3);
    }

    .gaps > li {
      padding: var(--space-4) var(--space-5);
    }

    .gaps > li[data-open] {
      border-color: var(--patina);
    }

    .head {
      display: grid;
      grid-template-columns: 2rem minmax(0, 1fr) auto;
      gap: var(--space-3);
      align-items: start;
    }

    .place {
      color: var(--ink-faint);
      font: 400 1.5rem / 1.2 var(--serif);
      font-variant-numeric: lining-nums;
    }

    h2 {
      margin: 0;
      font: 600 var(--text-m) / 1.5 var(--sans);
      overflow-wrap: anywhere;
    }

    .facts {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
      margin-top: var(--space-2);
    }

    .what details {
      margin-top: var(--space-2);
      font-size: var(--text-s);
    }

    summary {
      color: var(--ink-soft);
      cursor: pointer;
    }

    details li {
      padding: var(--space-1) 0;
      overflow-wrap: anywhere;
    }

    @media (max-width: 40rem) {
      .gaps > li {
        padding: var(--space-4);
      }

      .head {
        grid-template-columns: minmax(0, 1fr);
      }

      .place {
        display: none;
      }

      .head > .button {
        justify-self: start;
      }
    }
  `;
}
