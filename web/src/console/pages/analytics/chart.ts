import { css, html, svg, type TemplateResult } from "lit";

const WIDTH = 600;
const HEIGHT = 160;

export interface Bar {
  label: string;
  value: number;
}

/** Bars over time, drawn to the width there is. `summary` speaks for it: a table with the figures stands beside it. */
export function barChart(bars: readonly Bar[], summary: string, format: (value: number) => string): TemplateResult {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const step = WIDTH / Math.max(1, bars.length);
  const width = Math.max(1, Math.min(step * 0.72, 48));
  return html`<figure class="chart">
    <span class="most" aria-hidden="true">${format(most)}</span>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${summary}>
      ${bars.map(({ label, value }, place) => {
        const height = value === 0 ? 0 : Math.max(2, (value / most) * HEIGHT);
        const x = place * step + (step - width) / 2;
        return svg`<rect x=${x} y=${HEIGHT - height} width=${width} height=${height}><title>${label}: ${format(value)}</title></rect>`;
      })}
    </svg>
    <figcaption aria-hidden="true"><span>${bars[0]?.label}</span><span>${bars.length > 1 ? bars.at(-1)?.label : ""}</span></figcaption>
  </figure>`;
}

export const chartStyles = css`
  .chart {
    padding: var(--space-4) var(--space-5);
  }

  .chart svg {
    width: 100%;
    height: 11rem;
    border-block: 1px solid var(--line);
  }

  .chart rect {
    fill: var(--patina);
  }

  .chart rect:hover {
    fill: var(--patina-strong);
  }

  .chart figcaption,
  .chart .most {
    display: flex;
    justify-content: space-between;
    padding-block: var(--space-1);
    color: var(--ink-faint);
    font-size: var(--text-xs);
    font-variant-numeric: tabular-nums;
  }
`;
