import { css } from "lit";

export const chatStyles = css`
  :host {
    display: block;
    height: 100%;
    min-height: 20rem;
    background: var(--paper);
    --edge: var(--space-5);
  }

  .frame {
    position: relative;
    display: flex;
    flex-direction: column;
    height: 100%;
  }

  header {
    display: flex;
    align-items: center;
    gap: var(--space-1);
    padding: var(--space-3) max(var(--space-4), env(safe-area-inset-right)) var(--space-3)
      max(var(--edge), env(safe-area-inset-left));
  }

  .brand {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    margin-inline-end: auto;
    font: 600 1.3125rem / 1 var(--serif);
    letter-spacing: -0.01em;
  }

  .scroll {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-gutter: stable both-edges;
    scrollbar-color: var(--line-strong) transparent;
    scrollbar-width: thin;
  }

  .column {
    width: 100%;
    max-width: 48rem;
    margin-inline: auto;
    padding-inline: max(var(--edge), env(safe-area-inset-left)) max(var(--edge), env(safe-area-inset-right));
  }

  .scroll > .column {
    display: flex;
    flex-direction: column;
    min-height: 100%;
  }

  .turns {
    padding-block: var(--space-4) var(--space-6);
  }

  trivet-turn + trivet-turn {
    margin-top: var(--space-7);
  }

  .welcome {
    display: flex;
    flex-direction: column;
    align-items: center;
    margin-block: auto;
    padding-block: var(--space-5) var(--space-6);
    text-align: center;
  }

  /* The warmth above a hot pot's place. */
  .heat-haze {
    display: grid;
    place-items: center;
    width: 13rem;
    height: 9rem;
    background: radial-gradient(closest-side, var(--ember-wash), transparent);
  }

  h1 {
    margin-top: var(--space-3);
    font: 400 var(--text-2xl) / 1.2 var(--serif);
    letter-spacing: -0.015em;
    text-wrap: balance;
  }

  .welcome p {
    max-width: 30rem;
    margin-top: var(--space-2);
    color: var(--ink-soft);
    text-wrap: balance;
  }

  .welcome ul {
    display: grid;
    grid-template-columns: repeat(2, minmax(0, 1fr));
    gap: var(--space-3);
    width: 100%;
    max-width: 38rem;
    margin-top: var(--space-6);
  }

  .welcome li button {
    width: 100%;
    height: 100%;
    min-height: 3.25rem;
    padding: var(--space-3) var(--space-4);
    border: 1px solid var(--line);
    border-radius: var(--radius-m);
    background: var(--surface);
    line-height: 1.4;
    text-align: start;
    transition:
      border-color var(--quick),
      translate var(--quick);
  }

  .welcome li button:hover {
    border-color: var(--patina);
    translate: 0 -1px;
  }

  footer {
    position: relative;
    padding-bottom: max(var(--space-3), env(safe-area-inset-bottom));
  }

  trivet-contact {
    margin-top: var(--space-6);
  }

  .offline {
    display: flex;
    gap: var(--space-2);
    align-items: center;
    margin-bottom: var(--space-2);
    padding: var(--space-2) var(--space-3);
    border-radius: var(--radius-m);
    background: var(--amber-wash);
    color: var(--amber);
    font-size: var(--text-s);
  }

  .jump {
    position: absolute;
    inset-inline: 0;
    bottom: calc(100% + var(--space-3));
    width: fit-content;
    min-height: 2.25rem;
    margin-inline: auto;
    box-shadow: var(--shadow);
  }

  .note {
    padding-top: var(--space-2);
    color: var(--ink-faint);
    font-size: var(--text-xs);
    line-height: 1.45;
    text-align: center;
    text-wrap: balance;
  }

  .trial::before {
    content: "";
    display: inline-block;
    width: 0.5em;
    height: 0.5em;
    margin-inline-end: 0.5em;
    border-radius: 50%;
    background: var(--ember);
  }

  @media (hover: none) {
    .keys {
      display: none;
    }
  }

  /* Not a container query: with one, each new word would cost a look at the style of every word before it. */
  .frame.narrow {
    --edge: var(--space-4);
    --reply-columns: minmax(0, 1fr);
    --reply-gap: var(--space-2);
  }

  .narrow .welcome ul {
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-2);
  }
`;
