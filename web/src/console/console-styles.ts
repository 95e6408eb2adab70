import { css } from "lit";

export const consoleStyles = css`
  :host {
    position: relative;
    display: block;
    height: 100%;
    overflow: hidden;
    background: var(--paper);
  }

  .frame {
    display: grid;
    grid-template-columns: 15rem minmax(0, 1fr);
    height: 100%;
  }

  .bar {
    display: none;
  }

  .brand {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    font: 600 1.25rem / 1 var(--serif);
    letter-spacing: -0.01em;
  }

  .brand small {
    margin-inline-start: var(--space-1);
    color: var(--ink-faint);
    font: 450 var(--text-s) / 1 var(--sans);
    letter-spacing: 0;
  }

  aside {
    display: flex;
    flex-direction: column;
    gap: var(--space-5);
    min-height: 0;
    padding: var(--space-5) var(--space-3) max(var(--space-3), env(safe-area-inset-bottom))
      max(var(--space-3), env(safe-area-inset-left));
    overflow-y: auto;
    border-inline-end: 1px solid var(--line);
  }

  aside .brand {
    padding-inline: var(--space-3);
  }

  nav {
    flex: 1;
  }

  nav section + section {
    margin-top: var(--space-5);
  }

  h2 {
    padding: 0 var(--space-3) var(--space-1);
    color: var(--ink-faint);
    font-weight: 600;
    font-size: var(--text-xs);
    letter-spacing: 0.06em;
    text-transform: uppercase;
  }

  nav a,
  .foot > a,
  .foot > button {
    display: flex;
    align-items: center;
    gap: var(--space-3);
    width: 100%;
    min-height: 2.5rem;
    padding: 0 var(--space-3);
    border: 0;
    border-radius: var(--radius-m);
    background: transparent;
    color: var(--ink-soft);
    font-weight: 500;
    font-size: var(--text-s);
    text-decoration: none;
    transition: background var(--quick);
  }

  nav a:hover,
  .foot > :is(a, button):hover {
    background: var(--sunken);
    color: var(--ink);
  }

  nav a[aria-current] {
    background: var(--patina-wash);
    color: var(--patina-strong);
  }

  .switches {
    display: flex;
    margin-top: var(--space-2);
    padding-top: var(--space-2);
    border-top: 1px solid var(--line);
  }

  .content {
    min-height: 0;
    overflow-y: auto;
    outline: 0;
  }

  .middle {
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: var(--space-4);
    height: 100%;
    padding: var(--space-5);
    text-align: center;
  }

  a.button {
    color: inherit;
    text-decoration: none;
  }

  .cover {
    position: absolute;
    inset: 0;
    background: var(--paper);
  }

  @media (max-width: 56rem) {
    .frame {
      grid-template-rows: auto minmax(0, 1fr);
      grid-template-columns: minmax(0, 1fr);
    }

    .bar {
      display: flex;
      align-items: center;
      gap: var(--space-2);
      padding: var(--space-2) var(--space-3);
      border-bottom: 1px solid var(--line);
    }

    aside {
      position: fixed;
      z-index: 2;
      inset-block: 0;
      inset-inline-start: 0;
      width: min(17rem, 85vw);
      background: var(--paper);
      box-shadow: var(--shadow);
      visibility: hidden;
      translate: -100% 0;
      transition:
        translate var(--calm),
        visibility var(--calm);
    }

    aside[data-open] {
      visibility: visible;
      translate: 0 0;
    }

    .shade {
      position: fixed;
      z-index: 1;
      inset: 0;
      background: rgb(20 24 21 / 0.45);
    }
  }
`;
