import { css } from "lit";

/** Forms, tables, tabs and the looks of what is read, for every page of the console. */
export const partStyles = css`
  .ghosts {
    display: grid;
    gap: var(--space-2);
  }

  .problem .told {
    flex: 1 1 12rem;
    min-width: 0;
    overflow-wrap: anywhere;
  }

  .problem summary {
    color: var(--ink-soft);
    cursor: pointer;
  }

  .field {
    display: grid;
    gap: var(--space-1);
    min-width: 0;
  }

  .field > label,
  legend {
    padding: 0;
    font-weight: 550;
    font-size: var(--text-s);
  }

  .hint {
    color: var(--ink-soft);
    font-size: var(--text-s);
  }

  .wrong {
    color: var(--danger);
    font-size: var(--text-s);
  }

  select {
    font: inherit;
    color: inherit;
  }

  :is(.input, .field input, .field textarea, .field select) {
    width: 100%;
    min-width: 0;
    min-height: 2.75rem;
    padding: var(--space-2) var(--space-3);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-s);
    background: var(--surface);
    font-size: max(var(--text-s), 16px);
    line-height: 1.5;
  }

  .field textarea {
    resize: vertical;
  }

  .field :is(input, textarea)::placeholder {
    color: var(--ink-faint);
    opacity: 1;
  }

  :is(.input, .field input, .field textarea, .field select):focus-visible {
    border-color: var(--patina);
    outline: 1px solid var(--patina);
    outline-offset: 0;
  }

  .field :is(input, textarea)[aria-invalid="true"] {
    border-color: var(--danger);
  }

  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: var(--space-3);
  }

  .row > .button {
    margin-block: 0.125rem;
  }

  .row > .grow {
    flex: 1 1 14rem;
  }

  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2) var(--space-3);
  }

  .button.danger {
    border-color: transparent;
    background: var(--danger-wash);
    color: var(--danger);
  }

  a.button {
    color: inherit;
    text-decoration: none;
  }

  a.button.primary {
    color: var(--on-patina);
  }

  .tabs {
    display: flex;
    gap: var(--space-5);
    margin-bottom: var(--space-5);
    overflow-x: auto;
    border-bottom: 1px solid var(--line);
    scrollbar-width: none;
  }

  .tabs a {
    padding: var(--space-2) 0 calc(var(--space-2) - 1px);
    border-bottom: 2px solid transparent;
    color: var(--ink-soft);
    font-weight: 550;
    font-size: var(--text-s);
    text-decoration: none;
    white-space: nowrap;
  }

  .tabs a:hover {
    color: var(--ink);
  }

  .tabs a:focus-visible {
    outline-offset: -2px;
  }

  .tabs a[aria-current="page"] {
    border-color: var(--patina);
    color: var(--patina-strong);
  }

  .scroll {
    overflow-x: auto;
  }

  table {
    width: 100%;
    border-collapse: collapse;
    font-size: var(--text-s);
  }

  :is(th, td) {
    padding: var(--space-3) var(--space-4);
    text-align: start;
    vertical-align: top;
  }

  th {
    color: var(--ink-soft);
    font-weight: 550;
    white-space: nowrap;
  }

  tbody tr {
    border-top: 1px solid var(--line);
  }

  tbody tr:hover {
    background: color-mix(in srgb, var(--sunken) 50%, transparent);
  }

  :is(th, td).number {
    text-align: end;
    font-variant-numeric: lining-nums tabular-nums;
  }

  .card {
    padding: var(--space-5);
  }

  .more {
    display: flex;
    justify-content: center;
    padding: var(--space-4);
  }

  .meter {
    height: 0.375rem;
    overflow: hidden;
    border-radius: 999px;
    background: var(--sunken);
  }

  .meter > i {
    display: block;
    height: 100%;
    border-radius: inherit;
    background: var(--patina);
    transition: width var(--calm);
  }

  .meter[data-live] > i {
    background: var(--ember);
  }

  .back {
    display: inline-flex;
    align-items: center;
    gap: var(--space-1);
    margin-bottom: var(--space-2);
    color: var(--ink-soft);
    font-size: var(--text-s);
    text-decoration: none;
  }

  .back svg {
    rotate: 180deg;
  }

  @media (max-width: 40rem) {
    .card {
      padding: var(--space-4);
    }

    .problem {
      flex-wrap: wrap;
    }

    /* One below the other, whatever width a page has given them. */
    .row > .field.field.field {
      flex: 1 1 100%;
    }

    :is(th, td) {
      padding: var(--space-3);
    }
  }
`;
