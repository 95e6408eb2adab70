import { css } from "lit";

/**
 * The design's tokens, set once on each outermost element; everything inside inherits them.
 *
 * The names with `--trivet-` are for the site that shows the element; those without are ours. Each colour is a pair for
 * light and dark: the `color-scheme` in force chooses. See docs/design-system.md.
 */
export const tokens = css`
  :host {
    color-scheme: light dark;

    /* Enamel: the grounds. */
    --paper: var(--trivet-paper, light-dark(#f6f4ec, #151917));
    --surface: var(--trivet-surface, light-dark(#fffefa, #1d2220));
    --sunken: light-dark(#ece9dd, #262c29);
    --line: light-dark(#dcd8c8, #333b37);
    --line-strong: light-dark(#8d8b7c, #6b766f);

    /* Iron: the words. */
    --ink: var(--trivet-ink, light-dark(#1f2421, #ecebe2));
    --ink-soft: light-dark(#51574f, #b9bcb0);
    --ink-faint: light-dark(#666b60, #999e92);

    /* Patina: what can be done. */
    --patina: var(--trivet-accent, light-dark(#1c6450, #83cbb0));
    --patina-strong: light-dark(#124a3a, #a9e0cb);
    --patina-wash: light-dark(#dfece4, #1f352d);
    --on-patina: light-dark(#fffefa, #10211b);

    /* Ember: what is hot, that is, happening now. */
    --ember: light-dark(#b5421a, #f29a6b);
    --ember-wash: light-dark(#f9e8dc, #38251b);

    --amber: light-dark(#805600, #e0b962);
    --amber-wash: light-dark(#f6ecd0, #322a17);
    --danger: light-dark(#a12b22, #f49a8e);
    --danger-wash: light-dark(#f8e5e0, #3a211e);

    --serif: var(
      --trivet-display-font,
      "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", P052, "Source Serif 4", "Noto Serif", Georgia,
      "Songti SC", "Source Han Serif SC", "Noto Serif CJK SC", STSong, SimSun, serif
    );
    --sans: var(
      --trivet-font,
      ui-sans-serif, system-ui, -apple-system, "Segoe UI", Inter, "Noto Sans", "Helvetica Neue", Arial, "PingFang SC",
      "Hiragino Sans GB", "Microsoft YaHei", "Source Han Sans SC", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif
    );
    --mono: ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "Noto Sans Mono", "Liberation Mono",
      monospace;

    --text-xs: 0.75rem;
    --text-s: 0.875rem;
    --text-m: 1rem;
    --text-l: 1.1875rem;
    --text-xl: 1.5rem;
    --text-2xl: clamp(1.75rem, 1.3rem + 2vw, 2.375rem);

    --space-1: 0.25rem;
    --space-2: 0.5rem;
    --space-3: 0.75rem;
    --space-4: 1rem;
    --space-5: 1.5rem;
    --space-6: 2rem;
    --space-7: 3rem;
    --space-8: 4.5rem;

    --radius-s: 0.375rem;
    --radius-m: var(--trivet-radius, 0.75rem);
    --radius-l: 1.25rem;
    --shadow: 0 1px 2px light-dark(rgb(60 55 35 / 0.06), rgb(0 0 0 / 0.3)),
      0 8px 24px -12px light-dark(rgb(60 55 35 / 0.18), rgb(0 0 0 / 0.6));

    --quick: 120ms ease-out;
    --calm: 240ms cubic-bezier(0.2, 0.7, 0.2, 1);

    color: var(--ink);
    font: 400 var(--text-m) / 1.6 var(--sans);
    accent-color: var(--patina);
  }

  :host([theme="light"]) {
    color-scheme: light;
  }

  :host([theme="dark"]) {
    color-scheme: dark;
  }
`;
