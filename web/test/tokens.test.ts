import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tokens } from "../src/design/tokens";

/** Every colour of the tokens as its pair for light and dark. */
const PAIRS = new Map(
  [...tokens.cssText.matchAll(/--([a-z-]+): (?:var\(--[a-z-]+, )?light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name, light, dark]) => [name ?? "", { light: light ?? "", dark: dark ?? "" }],
  ),
);

/** WCAG 2.2, relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const WORDS_ON_GROUNDS: [string, string[]][] = [
  ["ink", ["paper", "surface", "sunken", "patina-wash", "amber-wash", "ember-wash"]],
  ["ink-soft", ["paper", "surface", "sunken"]],
  ["ink-faint", ["paper", "surface", "sunken"]],
  ["patina", ["paper", "surface"]],
  ["patina-strong", ["paper", "surface", "patina-wash"]],
  ["on-patina", ["patina", "patina-strong"]],
  ["ember", ["ember-wash", "surface"]],
  ["amber", ["amber-wash"]],
  ["danger", ["danger-wash", "surface"]],
];

describe("the colours", () => {
  for (const theme of ["light", "dark"] as const) {
    it.each(WORDS_ON_GROUNDS)(`let %s be read on %j, ${theme}`, (word, grounds) => {
      for (const ground of grounds) {
        const ratio = contrast(PAIRS.get(word)?.[theme] ?? "", PAIRS.get(ground)?.[theme] ?? "");
        expect(ratio, `${word} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    });

    it(`let the edge of a field be seen, ${theme}`, () => {
      const edge = PAIRS.get("line-strong")?.[theme] ?? "";
      expect(contrast(edge, PAIRS.get("paper")?.[theme] ?? "")).toBeGreaterThanOrEqual(3);
    });
  }

  it("are the same before any script has run", () => {
    const paper = PAIRS.get("paper");
    const page = readFileSync(new URL("../src/page.css", import.meta.url), "utf8");
    expect(page).toContain(`background: light-dark(${paper?.light}, ${paper?.dark})`);
    for (const path of ["../index.html", "../console/index.html", "../read/index.html"]) {
      const html = readFileSync(new URL(path, import.meta.url), "utf8");
      expect(html).toContain(`content="${paper?.light}"`);
      expect(html).toContain(`content="${paper?.dark}"`);
    }
  });
});
