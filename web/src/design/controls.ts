import { css } from "lit";

/** What every shadow root of ours needs: sane boxes, one ring of focus, buttons, and calm for those who ask for it. */
export const controls = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  [hidden] {
    display: none !important;
  }

  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure {
    margin: 0;
    padding: 0;
  }

  ul,
  ol {
    list-style: none;
  }

  a {
    color: var(--patina);
    text-underline-offset: 0.18em;
    text-decoration-thickness: 0.06em;
  }

  a:hover {
    color: var(--patina-strong);
    text-decoration-thickness: 0.12em;
  }

  :focus-visible {
    outline: 2px solid var(--patina);
    outline-offset: 2px;
  }

  button,
  input,
  textarea {
    font: inherit;
    color: inherit;
    letter-spacing: inherit;
  }

  button {
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }

  button:disabled {
    cursor: default;
  }

  svg {
    display: block;
    flex: none;
  }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-2);
    min-height: 2.5rem;
    padding: 0 var(--space-4);
    border: 1px solid var(--line);
    border-radius: 999px;
    background: var(--surface);
    font-weight: 550;
    font-size: var(--text-s);
    white-space: nowrap;
    transition:
      background var(--quick),
      border-color var(--quick),
      color var(--quick);
  }

  .button:hover:not(:disabled) {
    border-color: var(--line-strong);
  }

  .button:disabled {
    opacity: 0.5;
  }

  .button.primary {
    border-color: transparent;
    background: var(--patina);
    color: var(--on-patina);
  }

  .button.primary:hover:not(:disabled) {
    background: var(--patina-strong);
  }

  .button.quiet {
    border-color: transparent;
    background: transparent;
    color: var(--ink-soft);
  }

  .button.quiet:hover:not(:disabled) {
    background: var(--sunken);
    color: var(--ink);
  }

  .button.icon {
    width: 2.5rem;
    padding: 0;
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 1ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 1ms !important;
      scroll-behavior: auto !important;
    }
  }
`;
