import { css, svg, type SVGTemplateResult } from "lit";

/**
 * The mark: a ring on three legs, seen from a little above, with the heat in its middle.
 *
 * `live` lets the legs warm up one after the other: an answer is on its way. Needs `markStyles` in the same root.
 * The same drawing stands in public/icon.svg.
 */
export const mark = (size: number, live = false): SVGTemplateResult => svg`
  <svg class="mark" ?data-live=${live} width=${size} height=${size} viewBox="0 0 32 32" fill="none" stroke="currentColor"
    stroke-width="2.4" stroke-linecap="round" aria-hidden="true">
    <path class="leg" d="M5.2 11.8c.2 5-.6 9.6-2.6 14.4" />
    <path class="leg" d="M16 15.2v13.6" />
    <path class="leg" d="M26.8 11.8c-.2 5 .6 9.6 2.6 14.4" />
    <ellipse cx="16" cy="9.6" rx="11.6" ry="5.6" />
    <ellipse class="heat" cx="16" cy="9.6" rx="4.4" ry="2" stroke="none" />
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
