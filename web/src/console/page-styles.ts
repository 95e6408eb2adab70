import { css } from "lit";

/** What the console's pages have in common: the measure, the heading, panels, signs of state. */
export const pageStyles = css`
  :host {
    display: block;
    max-width: 76rem;
    padding: var(--space-6) max(var(--space-6), env(safe-area-inset-right)) var(--space-8) var(--space-6);
  }

  .title {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: var(--space-3) var(--space-5);
    margin-bottom: var(--space-6);
  }

  h1 {
    font: 400 var(--text-2xl) / 1.2 var(--serif);
    letter-spacing: -0.015em;
  }

  h2 {
    margin: var(--space-7) 0 var(--space-3);
    font: 600 var(--text-l) / 1.3 var(--serif);
  }

  .panel {
    border: 1px solid var(--line);
    border-radius: var(--radius-m);
    background: var(--surface);
  }

  .faint {
    color: var(--ink-faint);
    font-size: var(--text-s);
  }

  .state {
    display: inline-flex;
    align-items: center;
    gap: var(--space-2);
    padding: 0.125rem var(--space-3) 0.125rem var(--space-2);
    border-radius: 999px;
    font-weight: 550;
    font-size: var(--text-xs);
    line-height: 1.5;
    white-space: nowrap;
  }

  .state::before {
    content: "";
    width: 0.5rem;
    height: 0.5rem;
    border-radius: 50%;
    background: currentColor;
  }

  .state[data-tone="good"] {
    background: var(--patina-wash);
    color: var(--patina-strong);
  }

  .state[data-tone="warn"] {
    background: var(--amber-wash);
    color: var(--amber);
  }

  .state[data-tone="bad"] {
    background: var(--danger-wash);
    color: var(--danger);
  }

  .state[data-tone="idle"] {
    background: var(--sunken);
    color: var(--ink-soft);
  }

  .problem {
    display: flex;
    align-items: flex-start;
    gap: var(--space-3);
    padding: var(--space-4);
    border-inline-start: 3px solid var(--danger);
    font-size: var(--text-s);
  }

  .problem svg {
    color: var(--danger);
  }

  .empty {
    padding: var(--space-5);
    color: var(--ink-soft);
  }

  .ghost {
    border-radius: var(--radius-s);
    background: var(--sunken);
    animation: breathe 1.6s ease-in-out infinite;
  }

  @keyframes breathe {
    50% {
      opacity: 0.5;
    }
  }

  @media (max-width: 40rem) {
    :host {
      padding: var(--space-5) var(--space-4) var(--space-7);
    }

    h2 {
      margin-top: var(--space-6);
    }
  }
`;
