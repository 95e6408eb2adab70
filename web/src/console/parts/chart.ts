import { LitElement, css, html, nothing, svg } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controls } from "../../design/controls";

const WIDTH = 600;
const HEIGHT = 160;

export interface Point {
  label: string;
  value: number;
}

/**
 * One figure over time, as bars. One period at a time is told beside the name: the one under the pointer, or the one that
 * the arrow keys went to, which a screen reader hears as a slider's value.
 */
@customElement("trivet-chart")
export class Chart extends LitElement {
  @property({ attribute: false }) points: readonly Point[] = [];
  @property({ attribute: false }) format: (value: number) => string = String;
  @property() name = "";
  /** Stands beside the name while no period is looked at. */
  @property() total = "";
  /** What a screen reader calls this kind of slider. */
  @property() kind = "chart";
  @property() hint = "";
  @property({ type: Boolean, reflect: true }) small = false;
  @state() private at: number | null = null;

  static override styles = [controls, styles()];

  override render() {
    const { points } = this;
    const most = roundedUp(Math.max(0, ...points.map(({ value }) => value)));
    const shown = this.at === null ? undefined : points[this.at];
    return html`<figure>
      <figcaption>
        <span class="name">${this.name}</span>
        <span class="told" aria-hidden="true">${shown ? html`${shown.label} <b>${this.format(shown.value)}</b>` : this.total}</span>
      </figcaption>
      <div
        class="plot"
        role="slider"
        tabindex="0"
        aria-roledescription=${this.kind}
        aria-label=${[this.name, this.total, this.hint].filter(Boolean).join(". ")}
        aria-orientation="horizontal"
        aria-readonly="true"
        aria-valuemin="1"
        aria-valuemax=${Math.max(1, points.length)}
        aria-valuenow=${(this.at ?? points.length - 1) + 1}
        aria-valuetext=${this.spoken(shown ?? points.at(-1))}
        @pointermove=${this.onPointer}
        @pointerdown=${this.onPointer}
        @pointerleave=${this.leave}
        @blur=${this.leave}
        @keydown=${this.onKey}
      >
        ${most > 0 ? html`<span class="most" aria-hidden="true">${this.format(most)}</span>` : nothing}
        <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${this.bars(most)}</svg>
      </div>
      <div class="axis" aria-hidden="true">${this.ends().map((label) => html`<span>${label}</span>`)}</div>
    </figure>`;
  }

  private bars(most: number) {
    const step = WIDTH / Math.max(1, this.points.length);
    const width = Math.max(1, Math.min(step * 0.72, 48));
    return this.points.map(({ value }, place) => {
      const height = value <= 0 || most === 0 ? 0 : Math.max(2, (value / most) * HEIGHT);
      const x = place * step + (step - width) / 2;
      return svg`<rect class=${place === this.at ? "at" : ""} x=${x} y=${HEIGHT - height} width=${width} height=${height}></rect>`;
    });
  }

  private spoken(point: Point | undefined): string {
    return point ? `${point.label}: ${this.format(point.value)}` : this.total;
  }

  /** The first, the middle and the last period, as far as they differ. */
  private ends(): string[] {
    const { points, small } = this;
    const middle = points.length > 4 && !small ? [points[Math.floor((points.length - 1) / 2)]] : [];
    const last = points.length > 1 ? [points.at(-1)] : [];
    return [points[0], ...middle, ...last].map((point) => point?.label ?? "");
  }

  private readonly onPointer = (event: PointerEvent): void => {
    const { left, width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const place = Math.floor(((event.clientX - left) / width) * this.points.length);
    if (this.points.length > 0) this.at = this.within(place);
  };

  private readonly leave = (): void => {
    this.at = null;
  };

  private onKey(event: KeyboardEvent): void {
    const last = this.points.length - 1;
    const at = this.at ?? last + 1;
    const steps: Record<string, number> = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: last };
    const target = steps[event.key];
    if (event.key === "Escape") this.at = null;
    if (target === undefined || last < 0) return;
    event.preventDefault();
    this.at = this.within(target);
  }

  private within(place: number): number {
    return Math.min(this.points.length - 1, Math.max(0, place));
  }
}

/** The next 1, 2, 3, 4, 5, 6, 8 or 10 times a power of ten: the top of the scale. */
export function roundedUp(value: number): number {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

function styles() {
  return css`
    :host {
      --tone: var(--patina);
      display: block;
      min-width: 0;
      padding: var(--space-4) var(--space-5);
    }

    :host([small]) {
      container-type: inline-size;
      padding: var(--space-4);
    }

    @container (max-width: 13rem) {
      figcaption > * {
        flex-basis: 100%;
      }
    }

    :host([tone="trouble"]) {
      --tone: var(--amber);
    }

    figcaption {
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      justify-content: space-between;
      gap: 0 var(--space-3);
      font-size: var(--text-s);
    }

    .name {
      font-weight: 550;
    }

    .told {
      color: var(--ink-soft);
      font-variant-numeric: lining-nums tabular-nums;
    }

    .told b {
      color: var(--ink);
      font-weight: 600;
    }

    .plot {
      position: relative;
      height: 11rem;
      margin-top: var(--space-5);
      border-bottom: 1px solid var(--line-strong);
      border-radius: 2px 2px 0 0;
      background: linear-gradient(var(--line) 1px, transparent 1px) 0 0 / 100% 50%;
      touch-action: pan-y;
    }

    :host([small]) .plot {
      height: 4.5rem;
    }

    .most {
      position: absolute;
      /* Above its line: bars never stand there. */
      inset-block-end: 100%;
      inset-inline-start: 0;
      color: var(--ink-faint);
      font-size: var(--text-xs);
      font-variant-numeric: tabular-nums;
      pointer-events: none;
    }

    svg {
      width: 100%;
      height: 100%;
    }

    rect {
      fill: var(--tone);
      opacity: 0.82;
    }

    rect.at {
      opacity: 1;
      fill: color-mix(in srgb, var(--tone) 70%, var(--ink));
    }

    .axis {
      display: flex;
      justify-content: space-between;
      gap: var(--space-2);
      padding-top: var(--space-1);
      color: var(--ink-faint);
      font-size: var(--text-xs);
      font-variant-numeric: tabular-nums;
    }
  `;
}
