import { css, html, type TemplateResult } from "lit";
import { icons } from "../design/icons";

/** The button that opens the chat from a corner of a foreign page, and closes it again. */
export function launcher(name: string, open: boolean, toggle: () => void): TemplateResult {
  return html`<button class="launcher" type="button" aria-label=${name} title=${name} aria-expanded=${open} aria-controls="panel" @click=${toggle}>
    ${open ? icons.close() : icons.chat()}
  </button>`;
}

export const launcherStyles = css`
  :host([mode="button"]) {
    position: fixed;
    z-index: var(--trivet-layer, 2147483000);
    right: max(var(--trivet-edge, 1.25rem), env(safe-area-inset-right));
    bottom: max(var(--trivet-edge, 1.25rem), env(safe-area-inset-bottom));
    width: auto;
    height: auto;
    min-height: 0;
    background: none;
  }

  .launcher {
    display: grid;
    place-items: center;
    width: 3.5rem;
    height: 3.5rem;
    border: 0;
    border-radius: 50%;
    background: var(--patina);
    color: var(--on-patina);
    box-shadow: var(--shadow);
    transition:
      background var(--quick),
      scale var(--quick);
  }

  .launcher:hover {
    background: var(--patina-strong);
    scale: 1.04;
  }

  .launcher svg {
    width: 1.625rem;
    height: 1.625rem;
  }

  .panel {
    position: fixed;
    right: max(var(--trivet-edge, 1.25rem), env(safe-area-inset-right));
    bottom: calc(max(var(--trivet-edge, 1.25rem), env(safe-area-inset-bottom)) + 4.25rem);
    width: min(26rem, calc(100vw - 2.5rem));
    height: min(42rem, calc(100vh - 7.5rem));
    height: min(42rem, calc(100dvh - 7.5rem));
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: var(--radius-l);
    background: var(--paper);
    box-shadow: 0 24px 64px -24px rgb(0 0 0 / 0.45);
    animation: rise var(--calm);
  }

  @keyframes rise {
    from {
      opacity: 0;
      translate: 0 0.75rem;
    }
  }

  /* A telephone: the chat is the page, and as high as what the keyboard leaves. */
  @media (max-width: 34rem) {
    .panel {
      inset: 0 0 auto;
      width: 100%;
      height: var(--visible-height, 100dvh);
      border: 0;
      border-radius: 0;
    }

    .panel + .launcher {
      display: none;
    }
  }
`;
