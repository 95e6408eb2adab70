import type { Token, Tokens } from "marked";
import { openMarks } from "./settle";

/** A block longer than this many characters is drawn in pieces, each of them once. */
export const LONG_CHARACTERS = 2000;

/** So many places are tried at most: each try draws the paragraph. */
const MOST_TRIES = 4;

/** How a long block is cut: where, what the parser must see before each piece, and which element takes them. */
export interface Cut {
  /** So many characters of the block will not change any more; 0 where nothing can be cut off yet. */
  length: number;
  /** What makes a piece alone a block of the same kind. */
  head: string;
  /** The element within the block that holds the pieces' nodes. */
  selector: string;
  /** What stands between two pieces in the text, but in neither of them. */
  joint: string;
}

export const LIST = "ul, ol";

/** Draws Markdown to HTML; a paragraph is only cut where its two parts come out as the whole does. */
export type ToHtml = (source: string) => string;

/** Where a block that still grows can be cut; null for a kind of block that is always drawn whole. */
export function cutOf(token: Token, html: ToHtml): Cut | null {
  switch (token.type) {
    case "list":
      return { length: items(token as Tokens.List), head: "", selector: LIST, joint: "" };
    case "table":
      return lines(token.raw, 2, { selector: "tbody", joint: "" });
    case "code":
      return /^ {0,3}[`~]/.test(token.raw) ? lines(token.raw, 1, { selector: "code", joint: "\n" }) : null;
    case "paragraph":
      return { length: sentences(token.raw, html), head: "", selector: "p", joint: "" };
    default:
      return null;
  }
}

/** All but the last two: the last one grows, and two tell whether blank lines stand between them. */
const items = ({ items: all }: Tokens.List): number => all.slice(0, -2).reduce((sum, { raw }) => sum + raw.length, 0);

/** All lines but the last two, where more than the head is left. */
function lines(raw: string, headLines: number, rest: Pick<Cut, "selector" | "joint">): Cut {
  const ends = [...raw.matchAll(/\n/g)].map(({ index }) => index + 1);
  const head = raw.slice(0, ends[headLines - 1] ?? 0);
  const length = ends.length > headLines + 2 ? (ends.at(-3) ?? 0) : 0;
  return { length, head, ...rest };
}

/** Up to a word before which nothing is open and which could begin no other kind of block. */
function sentences(raw: string, html: ToHtml): number {
  const inline = (source: string): string => html(source).replace(/^<p>|<\/p>\n?$/g, "");
  const words = [...raw.slice(0, -LONG_CHARACTERS / 4).matchAll(/(?<=[\s。，、；：！？])\p{L}/gu)];
  const places = words.map(({ index }) => index).filter((index) => openMarks(raw.slice(0, index)) === "");
  const whole = inline(raw);
  return places.slice(-MOST_TRIES).findLast((index) => inline(raw.slice(0, index)) + inline(raw.slice(index)) === whole) ?? 0;
}
