import { svg, type SVGTemplateResult } from "lit";

/** Line icons on a grid of 24, drawn for this project. They say nothing to a screen reader: their button does. */
const icon = (lines: SVGTemplateResult, size = 20): SVGTemplateResult => svg`
  <svg width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${lines}</svg>`;

export const icons = {
  send: () => icon(svg`<path d="M12 19.5V5M5.5 11 12 4.5 18.5 11" />`),
  stop: () => icon(svg`<rect x="7" y="7" width="10" height="10" rx="1.5" fill="currentColor" stroke="none" />`),
  fresh: () => icon(svg`<path d="M12 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19h11a1.5 1.5 0 0 0 1.5-1.5V12" /><path d="M18 3.6a1.7 1.7 0 0 1 2.4 2.4L13 13.4l-3 .6.6-3z" />`),
  sun: () => icon(svg`<circle cx="12" cy="12" r="3.75" /><path d="M12 3v1.8M12 19.2V21M3 12h1.8M19.2 12H21M5.6 5.6l1.3 1.3M17.1 17.1l1.3 1.3M5.6 18.4l1.3-1.3M17.1 6.9l1.3-1.3" />`),
  moon: () => icon(svg`<path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z" />`),
  contrast: () => icon(svg`<circle cx="12" cy="12" r="8" /><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" stroke="none" />`),
  retry: () => icon(svg`<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9" /><path d="M19.5 4.5V9H15" />`, 18),
  alert: () => icon(svg`<path d="M12 4.2 21 19.5H3z" /><path d="M12 10v4.2M12 16.9v.1" />`),
  link: () => icon(svg`<path d="M9 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19h11a1.5 1.5 0 0 0 1.5-1.5V15M13 4h7v7M20 4l-9 9" />`, 16),
  down: () => icon(svg`<path d="M12 5v14M6 13l6 6 6-6" />`, 18),
  chevron: () => icon(svg`<path d="m9 6 6 6-6 6" />`, 16),
  copy: () => icon(svg`<rect x="9" y="9" width="11" height="11" rx="2" /><path d="M5.5 15H5a1.5 1.5 0 0 1-1.5-1.5V5A1.5 1.5 0 0 1 5 3.5h8.5A1.5 1.5 0 0 1 15 5v.5" />`, 16),
  thumbUp: () => icon(svg`<path d="M7.5 11v8.5H5A1.5 1.5 0 0 1 3.5 18v-5.5A1.5 1.5 0 0 1 5 11zM7.5 11l4-7a2 2 0 0 1 2 2.2L13 9.5h5.2a1.8 1.8 0 0 1 1.8 2.2l-1.4 6a2.3 2.3 0 0 1-2.3 1.8H7.5" />`, 16),
  thumbDown: () => icon(svg`<path d="M16.5 13V4.5H19A1.5 1.5 0 0 1 20.5 6v5.5A1.5 1.5 0 0 1 19 13zM16.5 13l-4 7a2 2 0 0 1-2-2.2l.5-3.3H5.8a1.8 1.8 0 0 1-1.8-2.2l1.4-6a2.3 2.3 0 0 1 2.3-1.8h8.8" />`, 16),
  pencil: () => icon(svg`<path d="M4.5 19.5v-3.2L15.6 5.2a2.26 2.26 0 0 1 3.2 3.2L7.7 19.5zM13.5 7.3l3.2 3.2" />`, 16),
  close: () => icon(svg`<path d="m6 6 12 12M18 6 6 18" />`),
  check: () => icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5" />`, 16),
  overview: () => icon(svg`<path d="M4 19.5V13M9.3 19.5V8.5M14.7 19.5v-9M20 19.5v-15" />`),
  analytics: () => icon(svg`<path d="M4 4v16h16M7.5 15l4-5 3.5 3 5-7" />`),
  knowledge: () => icon(svg`<path d="M5 5.5A1.5 1.5 0 0 1 6.5 4H19v13H6.5A1.5 1.5 0 0 0 5 18.5zM5 18.5A1.5 1.5 0 0 0 6.5 20H19v-3M9 8h6" />`),
  gaps: () => icon(svg`<path d="M4 13.5h4.5l1.2 2.5h4.6l1.2-2.5H20M6.6 5h10.8L20 13.5V18a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18v-4.5z" />`),
  studio: () => icon(svg`<path d="M19.5 4.5C13 4.5 7.500 8.500 6.500 16l-2 3.500M6.500 16c6 .5 9.500-2 10.500-5.500h-3.500M9.500 12.500 13 9" />`),
  plus: () => icon(svg`<path d="M12 5v14M5 12h14" />`, 18),
  leave: () => icon(svg`<path d="M14 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19H14M10.5 12H20M16.5 8.5 20 12l-3.5 3.5" />`),
  menu: () => icon(svg`<path d="M4 7h16M4 12h16M4 17h16" />`),
  eye: () => icon(svg`<path d="M2.8 12S6 5.8 12 5.8 21.2 12 21.2 12 18 18.2 12 18.2 2.8 12 2.8 12z" /><circle cx="12" cy="12" r="2.8" />`),
  key: () => icon(svg`<circle cx="8" cy="15.500" r="4" /><path d="m11 12.500 8-8M15.500 8l3 3" />`),
  sliders: () => icon(svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9" /><circle cx="15" cy="7" r="2" /><circle cx="9" cy="17" r="2" />`),
  talk: () => icon(svg`<path d="M3.500 6A1.500 1.500 0 0 1 5 4.500h9A1.500 1.500 0 0 1 15.500 6v5.500A1.500 1.500 0 0 1 14 13H8.500L5 15.800V13a1.500 1.500 0 0 1-1.500-1.500z" /><path d="M18.500 9.500h.5a1.500 1.500 0 0 1 1.500 1.500v5.500A1.500 1.500 0 0 1 19 18v2.500L15.800 18H12a1.500 1.500 0 0 1-1.400-1" />`),
  chat: () => icon(svg`<path d="M4.5 6.5A1.5 1.5 0 0 1 6 5h12a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 18 17h-6l-4.5 3.5V17H6a1.5 1.5 0 0 1-1.5-1.5z" />`),
} satisfies Record<string, () => SVGTemplateResult>;
