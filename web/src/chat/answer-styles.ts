import { css } from "lit";

/** How the Markdown of an answer looks. */
export const answerStyles = css`
  .answer {
    overflow-wrap: anywhere;
    line-height: 1.7;
  }

  /* Margins stand above, never below: a rule for the last child would renew the style of a whole answer with each block. */
  .answer :where(p, ul, ol, blockquote, .code, .table, h3, h4, h5, h6) {
    margin: 0;
  }

  .answer > * + *,
  .answer blockquote > * + * {
    margin-top: var(--space-3);
  }

  .answer > * + :is(h3, h4, h5, h6, hr),
  .answer > hr + * {
    margin-top: var(--space-5);
  }

  .answer > :is(h1, h2, h3, h4, h5, h6) + * {
    margin-top: var(--space-2);
  }

  .answer :is(h3, h4, h5, h6) {
    font: 600 var(--text-l) / 1.35 var(--serif);
  }

  .answer :is(h4, h5, h6) {
    font-size: var(--text-m);
  }

  .answer :is(ul, ol) {
    padding-inline-start: 1.4em;
    list-style: revert;
  }

  .answer li {
    margin-block: var(--space-1);
  }

  .answer li::marker {
    color: var(--ink-faint);
    font-variant-numeric: tabular-nums;
  }

  .answer li > * + :is(p, .code, .table, blockquote) {
    margin-top: var(--space-2);
  }

  .answer blockquote {
    padding-inline-start: var(--space-4);
    border-inline-start: 3px solid var(--line);
    color: var(--ink-soft);
  }

  .answer hr {
    height: 1px;
    margin: 0;
    border: 0;
    background: var(--line);
  }

  .answer code {
    padding: 0.1em 0.35em;
    border-radius: var(--radius-s);
    background: var(--sunken);
    font: 0.88em / 1.5 var(--mono);
  }

  .answer .code {
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: var(--radius-m);
    background: var(--sunken);
  }

  .answer .code-bar {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 2.25rem;
    padding-inline: var(--space-4) var(--space-1);
    border-bottom: 1px solid var(--line);
    color: var(--ink-faint);
    font-size: var(--text-xs);
  }

  .answer .copy {
    min-height: 1.75rem;
    padding: 0 var(--space-3);
    border: 0;
    border-radius: var(--radius-s);
    background: transparent;
    color: var(--ink-soft);
    font-weight: 550;
    font-size: var(--text-xs);
  }

  .answer .copy:hover {
    background: var(--line);
    color: var(--ink);
  }

  .answer pre {
    margin: 0;
    padding: var(--space-3) var(--space-4);
    overflow-x: auto;
    line-height: 1.5;
  }

  .answer pre:focus-visible {
    outline-offset: -2px;
  }

  .answer pre code {
    padding: 0;
    background: none;
    font-size: 0.8125rem;
    line-height: 1.6;
    overflow-wrap: normal;
  }

  .answer .table {
    overflow-x: auto;
  }

  .answer table {
    border-collapse: collapse;
    font-size: var(--text-s);
    font-variant-numeric: tabular-nums;
  }

  .answer :is(th, td) {
    padding: var(--space-2) var(--space-4) var(--space-2) 0;
    border-bottom: 1px solid var(--line);
    text-align: start;
    overflow-wrap: normal;
  }

  .answer :is(th, td)[align="right"] {
    text-align: end;
  }

  .answer :is(th, td)[align="center"] {
    text-align: center;
  }

  .answer th {
    border-bottom-color: var(--line-strong);
    font-weight: 600;
  }

  .answer .cite {
    /* Inline: the full stop behind it must not begin a line. */
    margin-inline: 0.1em;
    padding: 0.1em 0.4em;
    border-radius: var(--radius-s);
    background: var(--patina-wash);
    color: var(--patina-strong);
    font-weight: 650;
    font-size: 0.7em;
    line-height: 1;
    vertical-align: 0.35em;
  }

  .answer .cite a {
    color: inherit;
    text-decoration: none;
  }
`;
