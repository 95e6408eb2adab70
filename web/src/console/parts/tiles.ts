import { css, html, nothing, type TemplateResult } from "lit";

export interface Tile {
  name: string;
  value: string;
  /** A smaller line below the figure. */
  more?: string;
  /** Trouble is said by a colour, too; the name says what it is. */
  tone?: "trouble";
}

/** Figures side by side. Twelve of them (or eight, or four) fill each row at every width: none is left alone. */
export const tileGrid = (tiles: readonly Tile[]): TemplateResult => html`<dl class="tiles panel" data-count=${tiles.length}>
  ${tiles.map(
    ({ name, value, more, tone }) => html`<div>
      <dt>${name}</dt>
      <dd data-tone=${tone ?? nothing}>${value}${more ? html`<small>${more}</small>` : nothing}</dd>
    </div>`,
  )}
</dl>`;

export const tileStyles = css`
  .tiles {
    display: grid;
    grid-template-columns: repeat(2, minmax(0, 1fr));
    gap: 1px;
    overflow: hidden;
    background: var(--line);
  }

  .tiles > div {
    padding: var(--space-4);
    background: var(--surface);
  }

  .tiles dt {
    color: var(--ink-soft);
    font-size: var(--text-s);
    line-height: 1.35;
  }

  .tiles dd {
    margin-top: var(--space-1);
    overflow-wrap: anywhere;
    font: 400 1.5rem / 1.2 var(--serif);
    font-variant-numeric: lining-nums tabular-nums;
    letter-spacing: -0.01em;
  }

  .tiles dd[data-tone="trouble"] {
    color: var(--amber);
  }

  .tiles dd small {
    display: block;
    margin-top: var(--space-1);
    color: var(--ink-faint);
    font: 400 var(--text-xs) / 1.4 var(--sans);
    letter-spacing: 0;
  }

  @media (min-width: 40rem) {
    .tiles {
      grid-template-columns: repeat(4, minmax(0, 1fr));
    }
  }

  @media (min-width: 76rem) {
    .tiles[data-count="12"] {
      grid-template-columns: repeat(6, minmax(0, 1fr));
    }
  }
`;
