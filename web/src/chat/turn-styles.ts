import { css } from "lit";

export const turnStyles = css`
  :host {
    display: block;
  }

  .reply {
    display: grid;
    grid-template-columns: var(--reply-columns, 1.75rem minmax(0, 1fr));
    gap: var(--reply-gap, var(--space-3));
    margin-top: var(--space-5);
  }

  .emblem {
    padding-top: 0.0625rem;
  }

  .body > * + * {
    margin-top: var(--space-4);
  }

  .waiting {
    color: var(--ink-faint);
  }

  .note {
    color: var(--ink-faint);
    font-size: var(--text-s);
  }

  details {
    font-size: var(--text-s);
  }

  summary {
    display: flex;
    align-items: center;
    gap: var(--space-1);
    width: fit-content;
    border-radius: var(--radius-s);
    color: var(--ink-soft);
    cursor: pointer;
    list-style: none;
  }

  summary::-webkit-details-marker {
    display: none;
  }

  summary svg {
    transition: rotate var(--quick);
  }

  details[open] > summary svg {
    rotate: 90deg;
  }

  .reasoning > div {
    margin-top: var(--space-2);
    padding-inline-start: var(--space-4);
    border-inline-start: 2px solid var(--line);
    color: var(--ink-soft);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  .failure {
    display: grid;
    gap: var(--space-3);
    justify-items: start;
    padding: var(--space-4);
    border: 1px solid var(--line);
    border-inline-start: 3px solid var(--danger);
    border-radius: var(--radius-s) var(--radius-m) var(--radius-m) var(--radius-s);
    background: var(--surface);
  }

  .what {
    display: flex;
    gap: var(--space-2);
    line-height: 1.5;
  }

  .what svg {
    margin-top: 0.125rem;
    color: var(--danger);
  }

  .failure details p {
    margin-top: var(--space-2);
    color: var(--ink-soft);
    overflow-wrap: anywhere;
  }

  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-1);
    margin-inline-start: calc(-1 * var(--space-3));
  }

  .actions .button {
    min-height: 2rem;
    padding-inline: var(--space-3);
    color: var(--ink-faint);
    font-weight: 500;
  }
`;
