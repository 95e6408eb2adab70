import { css } from "lit";

export const replayStyles = css`
  .replay {
    display: grid;
    gap: var(--space-2);
    margin-top: var(--space-4);
    padding-top: var(--space-4);
    border-top: 1px solid var(--line);
  }

  .replay :is(th, td) {
    padding: var(--space-2) var(--space-4) var(--space-2) 0;
  }

  .replay tbody th {
    min-width: 10rem;
    color: var(--ink);
    font-weight: 400;
    white-space: normal;
  }

  .replay td {
    min-width: 8rem;
  }

  .replay .sign {
    display: inline-block;
    margin-inline-end: var(--space-1);
    color: var(--patina);
    vertical-align: -0.2em;
  }

  .replay .sign svg {
    width: 1rem;
    height: 1rem;
  }

  .replay .sign[data-good="false"] {
    color: var(--amber);
  }

  @media (max-width: 40rem) {
    .replay thead {
      position: absolute;
      clip-path: inset(50%);
    }

    .replay tbody tr {
      display: grid;
      grid-template-columns: minmax(0, 2fr) minmax(0, 3fr);
    }

    .replay tbody th {
      grid-column: 1 / -1;
      padding-bottom: 0;
      overflow-wrap: anywhere;
    }

    .replay td {
      min-width: 0;
    }

    .replay td::before {
      content: attr(data-label);
      display: block;
      color: var(--ink-soft);
      font-size: var(--text-xs);
    }
  }
`;
