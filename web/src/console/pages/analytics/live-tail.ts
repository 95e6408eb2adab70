import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { icons } from "../../../design/icons";
import { analyticsWords } from "../../../i18n/analytics";
import type { Failure } from "../../../transport/failure";
import { formatNumber, formatSeconds } from "../../parts/format";
import { problem } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { asFailure } from "../../parts/reading";
import { formatRoute } from "../../router";
import { LiveLog, MOST_SHOWN, watchLive, type LiveRecord, type LiveState } from "./live";
import { timeIn } from "../../parts/period";
import { KINDS, type Kind } from "./question";

/** A busy site's records are drawn a few times a second, not one by one. */
const DRAW_EVERY_MS = 250;

/** Records as they arrive, newest first. Begins when it is shown, and ends when it is left. */
@customElement("trivet-live-tail")
export class LiveTail extends PagePart {
  @property({ attribute: false }) kind: Kind | null = null;
  @property() tz = "UTC";
  @state() private connection: LiveState = "connecting";
  @state() private failure: Failure | null = null;
  private readonly log = new LiveLog();
  private watching: AbortController | null = null;
  private drawing: ReturnType<typeof setTimeout> | undefined;

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) void this.watch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watching?.abort();
    clearTimeout(this.drawing);
    this.drawing = undefined;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has("kind")) return;
    this.log.clear();
    void this.watch();
  }

  override render() {
    const { words, log } = this;
    return html`
      <div class="head">
        <span class="state" data-tone=${this.tone()}>${this.stateName()}</span>
        <span class="unseen" role="status">${this.stateName()}</span>
        <button class="button ${log.paused ? "primary" : ""}" type="button" @click=${this.onPause}>
          ${log.paused ? (log.waiting.length > 0 ? words.goOnWith(log.waiting.length) : words.goOn) : words.pause}
        </button>
        <button class="button quiet" type="button" aria-disabled=${log.shown.length === 0} @click=${this.onClear}>${words.clear}</button>
      </div>
      ${this.failure ? problem(this.failure, this.language, () => void this.watch()) : nothing}
      ${log.missed > 0 ? html`<p class="hint missed">${icons.alert()} ${words.notShown(formatNumber(log.missed, this.locale))}</p>` : nothing}
      ${log.shown.length === 0
        ? html`<p class="panel empty">${words.liveEmpty}</p>`
        : html`<ol class="panel log">
            ${repeat(
              log.shown,
              ({ id }) => id,
              (record) => this.line(record),
            )}
          </ol>`}
      <p class="hint">${words.liveBound(MOST_SHOWN)}</p>
    `;
  }

  private line(record: LiveRecord) {
    const { words } = this;
    const kind = KINDS.find((known) => known === record.kind);
    return html`<li data-failed=${record.errorType !== "" || (record.status ?? 0) >= 400}>
      <time datetime=${record.time}>${timeIn(record.time, this.tz, this.locale, "seconds")}</time>
      <span class="kind">${kind ? words[`one_${kind}`] : record.kind}</span>
      <div class="what">
        <p class=${record.text ? "" : "faint"}>${record.text || words.noText}</p>
        <p class="facts">
          ${this.facts(record).map((fact) => html`<span>${fact}</span>`)}
          ${record.conversation ? html`<a href=${formatRoute(`/conversations/${record.conversation}`)}>${words.conversation}</a>` : nothing}
        </p>
      </div>
    </li>`;
  }

  private facts(record: LiveRecord): string[] {
    const { words, locale } = this;
    const failed = [record.status !== null && record.status >= 400 ? String(record.status) : "", record.errorType].filter(Boolean).join(" ");
    const rating = { up: words.ratedUp, down: words.ratedDown }[record.rating] ?? "";
    return [
      failed,
      rating,
      record.model,
      record.found === null ? "" : words.found(record.found),
      record.firstTokenSeconds === null ? "" : words.firstTokenAfter(formatSeconds(record.firstTokenSeconds, locale)),
      record.durationSeconds === null ? "" : formatSeconds(record.durationSeconds, locale),
    ].filter(Boolean);
  }

  private tone(): string {
    if (this.failure || this.connection === "broken") return "bad";
    if (this.log.paused) return "warn";
    return this.connection === "watching" ? "live" : "idle";
  }

  private stateName(): string {
    const { words } = this;
    if (this.connection === "broken") return words.broken;
    return this.log.paused ? words.paused : words[this.connection];
  }

  private async watch(): Promise<void> {
    this.watching?.abort();
    const watching = new AbortController();
    this.watching = watching;
    this.failure = null;
    try {
      await watchLive(this.client, this.kind, watching.signal, {
        state: (connection) => (this.connection = connection),
        arrived: (records, missed) => {
          this.log.add(records, missed);
          this.draw();
        },
      });
    } catch (error) {
      this.failure = asFailure(error);
      this.connection = "broken";
    }
  }

  private draw(): void {
    this.drawing ??= setTimeout(() => {
      this.drawing = undefined;
      this.requestUpdate();
    }, DRAW_EVERY_MS);
  }

  private onPause(): void {
    if (this.log.paused) this.log.goOn();
    else this.log.paused = true;
    this.requestUpdate();
  }

  private onClear(): void {
    this.log.clear();
    this.requestUpdate();
  }

  private get words() {
    return analyticsWords[this.language];
  }
}

function styles() {
  return css`
    .head {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-2) var(--space-3);
      margin-bottom: var(--space-3);
    }

    .head .state {
      margin-inline-end: auto;
    }

    .state[data-tone="live"] {
      background: var(--ember-wash);
      color: var(--ember);
    }

    .state[data-tone="live"]::before {
      animation: breathe 1.6s ease-in-out infinite;
    }

    .missed {
      display: flex;
      align-items: center;
      gap: var(--space-2);
      margin-bottom: var(--space-3);
      color: var(--amber);
    }

    .log li {
      display: grid;
      grid-template-columns: 5.5rem 5.5rem minmax(0, 1fr);
      gap: var(--space-3);
      padding: var(--space-2) var(--space-4);
      font-size: var(--text-s);
    }

    .log li + li {
      border-top: 1px solid var(--line);
    }

    .log li[data-failed="true"] {
      box-shadow: inset 3px 0 var(--danger);
    }

    time {
      color: var(--ink-faint);
      font-variant-numeric: tabular-nums;
    }

    .kind {
      color: var(--ink-soft);
      font-weight: 550;
    }

    .what {
      min-width: 0;
      overflow-wrap: anywhere;
    }

    .facts {
      display: flex;
      flex-wrap: wrap;
      gap: 0 var(--space-3);
      color: var(--ink-faint);
      font-size: var(--text-xs);
      font-variant-numeric: lining-nums tabular-nums;
    }

    [data-failed="true"] .facts span:first-child {
      color: var(--danger);
      font-weight: 550;
    }

    .log + .hint,
    .empty + .hint {
      margin-top: var(--space-2);
    }

    @media (max-width: 40rem) {
      .log li {
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0 var(--space-3);
      }

      .what {
        grid-column: 1 / -1;
      }
    }
  `;
}
