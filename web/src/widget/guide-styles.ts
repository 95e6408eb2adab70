import { css } from "lit";

export const guideStyles = css`
  :host {
    display: block;
    min-height: 100vh;
    background: var(--paper);
  }

  header {
    display: flex;
    align-items: center;
    gap: var(--space-1);
    padding: var(--space-3) var(--space-4) var(--space-3) var(--space-5);
  }

  .brand {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    margin-inline-end: auto;
    color: inherit;
    font: 600 1.3125rem / 1 var(--serif);
    text-decoration: none;
  }

  main {
    max-width: 48rem;
    margin-inline: auto;
    padding: var(--space-6) var(--space-5) 8rem;
  }

  h1 {
    font: 400 var(--text-2xl) / 1.2 var(--serif);
    letter-spacing: -0.015em;
    text-wrap: balance;
  }

  h2 {
    margin: var(--space-7) 0 var(--space-3);
    font: 600 var(--text-l) / 1.3 var(--serif);
  }

  h3 {
    margin: var(--space-4) 0 var(--space-2);
    color: var(--ink-soft);
    font-weight: 600;
    font-size: var(--text-s);
  }

  p {
    margin-block: var(--space-3);
  }

  .lead {
    color: var(--ink-soft);
    font-size: var(--text-l);
  }

  .code {
    display: flex;
    align-items: flex-start;
    border-radius: var(--radius-m);
    background: var(--sunken);
  }

  pre {
    flex: 1;
    min-width: 0;
    margin: 0;
    padding: var(--space-3) var(--space-4);
    overflow-x: auto;
    font: 400 var(--text-s) / 1.6 var(--mono);
  }

  code {
    font-family: var(--mono);
  }

  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-2);
  }

  .heard {
    min-height: 3rem;
    padding: var(--space-3) var(--space-4);
    border: 1px solid var(--line);
    border-radius: var(--radius-m);
    background: var(--surface);
    font: 400 var(--text-xs) / 1.7 var(--mono);
    overflow-wrap: anywhere;
  }

  .none {
    color: var(--ink-faint);
  }

  table {
    width: 100%;
    border-collapse: collapse;
    font-size: var(--text-s);
  }

  th,
  td {
    padding: var(--space-2) var(--space-4) var(--space-2) 0;
    border-bottom: 1px solid var(--line);
    text-align: start;
    vertical-align: baseline;
  }

  thead th {
    color: var(--ink-faint);
    font-weight: 600;
    font-size: var(--text-xs);
  }

  tbody th {
    width: 38%;
    font-weight: 400;
    overflow-wrap: anywhere;
  }
`;
