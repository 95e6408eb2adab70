import type { Language } from "../preferences/preferences";

/** A document of the guide that comes with the stack: `?/guide/en/backup.md` of the reader's address. */
export interface GuideDocument {
  language: Language;
  name: string;
}

/** Null for whatever is no document of the guide: nothing else may be fetched by a link to the reader. */
export function parseDocument(search: string): GuideDocument | null {
  const match = /^\?\/guide\/(en|zh)\/([a-z0-9-]+)\.md$/.exec(search);
  return match ? { language: match[1] as Language, name: match[2] ?? "" } : null;
}

export const formatDocument = ({ language, name }: GuideDocument): string => `?/guide/${language}/${name}.md`;

/** Where its Markdown lies, relative to the stack's root. */
export const documentPath = ({ language, name }: GuideDocument): string => `guide/${language}/${name}.md`;

/** Where a picture of the guide lies, relative to the stack's root: the build copies those that the guide names. */
export function picturePath(address: string): string | null {
  const match = /^(?:\.\.\/)+docs\/images\/([a-z0-9-]+\.(?:webp|png|svg))$/.exec(address);
  return match ? `guide/images/${match[1]}` : null;
}

/**
 * Gives each heading the anchor that the knowledge base gives it in a source's address: in lower case, without
 * punctuation, blanks as hyphens; a repeated one gets -1, -2, …
 */
export function anchorHeadings(headings: Iterable<Element>): void {
  const seen = new Map<string, number>();
  for (const heading of headings) {
    const slug = slugOf(heading.textContent ?? "");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    heading.id = count === 0 ? slug : `${slug}-${count}`;
  }
}

export const slugOf = (text: string): string =>
  text.normalize("NFC").trim().toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-") || "section";
