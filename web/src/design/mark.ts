import { css, svg, type SVGTemplateResult } from "lit";

/**
 * The mark: a ring on three legs, seen from a little above, with the heat in its middle.
 *
 * `live` lets the legs warm up one after the other: an answer is on its way. Needs `markStyles` in the same root.
 * The same drawing stands in public/icon.svg.
 */
export const mark = (size: number, live = false): SVGTemplateResult => svg`
  <svg class="mark" ?data-live=${live} width=${size} height=${size} viewBox="0 0 32 32" fill="none" stroke="currentColor"
    stroke-width="2.5" stroke-linecap="round" aria-hidden="true">
    <path class="leg" d="M6.4 13.2 4.2 26" />
    <path class="leg" d="M16 15.4V29" />
    <path class="leg" d="M25.6 13.2 27.8 26" />
    <ellipse cx="16" cy="10.2" rx="12" ry="5.4" />
    <ellipse class="heat" cx="16" cy="10.2" rx="4.6" ry="1.9" stroke="none" />
  </svg>`;

export const markStyles = css`
  .mark {
    color: var(--patina);
    overflow: visible;
  }

  .heat {
    fill: var(--ember);
  }

  .mark[data-live] .leg {
    animation: warm 1.5s ease-in-out infinite;
  }

  .mark[data-live] .leg:nth-of-type(2) {
    animation-delay: 0.25s;
  }

  .mark[data-live] .leg:nth-of-type(3) {
    animation-delay: 0.5s;
  }

  .mark[data-live] .heat {
    animation: glow 1.5s ease-in-out infinite;
  }

  @keyframes warm {
    30% {
      stroke: var(--ember);
    }
  }

  @keyframes glow {
    50% {
      opacity: 0.45;
    }
  }
`;
