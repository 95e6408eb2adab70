import { css } from "lit";

export const overviewStyles = css`
  .first {
    margin-top: 0;
  }

  .services {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr));
    gap: var(--space-4);
  }

  .service {
    --tone: var(--line-strong);
    position: relative;
    height: 100%;
    padding: var(--space-5) var(--space-5) var(--space-4);
    overflow: hidden;
  }

  /* The ring of the stand that this leg holds. */
  .service::before {
    content: "";
    position: absolute;
    inset: 0 0 auto;
    height: 3px;
    background: var(--tone);
  }

  .service[data-tone="good"] {
    --tone: var(--patina);
  }

  .service[data-tone="warn"] {
    --tone: var(--amber);
  }

  .service[data-tone="bad"] {
    --tone: var(--danger);
  }

  header {
    display: flex;
    align-items: flex-start;
    justify-content: space-between;
    gap: var(--space-3);
  }

  h3 {
    font-weight: 600;
    font-size: var(--text-m);
    line-height: 1.4;
  }

  h3 code,
  .models code {
    color: var(--ink-faint);
    font: 400 var(--text-xs) / 1.4 var(--mono);
  }

  h3 code {
    display: block;
  }

  .checks {
    margin-top: var(--space-4);
  }

  .checks li {
    display: flex;
    gap: var(--space-2);
    padding: var(--space-2) 0;
    border-top: 1px solid var(--line);
    font-size: var(--text-s);
    line-height: 1.45;
  }

  .checks .sign {
    margin-top: 0.125rem;
    color: var(--patina);
  }

  .checks [data-ok="false"] .sign {
    color: var(--danger);
  }

  .checks .sign svg {
    width: 1rem;
    height: 1rem;
  }

  .what {
    min-width: 0;
    overflow-wrap: anywhere;
  }

  .detail {
    display: block;
    color: var(--ink-faint);
    font-size: var(--text-xs);
  }

  .version {
    padding-top: var(--space-2);
    border-top: 1px solid var(--line);
    font-size: var(--text-xs);
  }

  .tiles,
  .waiting {
    display: flex;
    flex-wrap: wrap;
    gap: 1px;
    overflow: hidden;
  }

  .tiles > div {
    flex: 1 1 6.75rem;
    padding: var(--space-4);
    /* Draws the lines between the tiles, not at the edge. */
    box-shadow: 0 0 0 1px var(--line);
  }

  dt {
    overflow: hidden;
    color: var(--ink-soft);
    text-overflow: ellipsis;
    white-space: nowrap;
    font-size: var(--text-s);
  }

  dd {
    margin-top: var(--space-1);
    font: 400 1.5rem / 1.2 var(--serif);
    font-variant-numeric: lining-nums tabular-nums;
    letter-spacing: -0.01em;
  }

  .providers li {
    display: grid;
    grid-template-columns: minmax(7rem, 1fr) minmax(0, 3fr) auto;
    align-items: center;
    gap: var(--space-4);
    padding: var(--space-3) var(--space-5);
  }

  .providers li + li {
    border-top: 1px solid var(--line);
  }

  .name {
    font-weight: 550;
  }

  .models {
    overflow: hidden;
    color: var(--ink-faint);
    font-size: var(--text-s);
    text-overflow: ellipsis;
  }

  .pill {
    width: 4.5rem;
    height: 1.375rem;
  }

  .line {
    height: 0.875rem;
    margin-top: var(--space-4);
  }

  .tile {
    flex: 1 1 5.5rem;
    height: 2.5rem;
    margin: var(--space-4);
  }

  @media (max-width: 40rem) {
    .providers li {
      grid-template-columns: minmax(0, 1fr) auto;
      padding-inline: var(--space-4);
    }

    .models {
      grid-row: 2;
      grid-column: 1 / -1;
    }
  }
`;
