import type { Poem, Translation } from "./poems";

/** A poem with its translations as Markdown: each line of verse stays a line, whatever signs it begins with. */
export function toMarkdown(poem: Poem, translations: readonly Translation[], words: { notes: string }): string {
  const parts = [`# ${inline(poem.title)}`, `*${inline(poem.author)}* (${poem.lang})`, verse(poem.text)];
  for (const translation of translations) {
    parts.push(`## ${inline(translation.title || poem.title)} (${translation.lang})`, `*${inline(byline(translation))}*`, verse(translation.text));
    if (translation.notes) parts.push(`### ${words.notes}`, translation.notes.trim());
  }
  return `${parts.join("\n\n")}\n`;
}

export const byline = ({ translator, model, byPerson }: Translation): string => (byPerson ? translator : "") || model || translator || "–";

export const fileName = ({ title, author }: Poem): string =>
  `${`${author} ${title}`.replace(/[\\/:*?"<>|\p{Cc}]+/gu, " ").replace(/\s+/g, " ").trim().slice(0, 80) || "poem"}.md`;

/** Lines end in a backslash: Markdown's hard break, which no editor trims. Stanzas stay apart. */
function verse(text: string): string {
  const stanzas = text.replace(/^\s*\n|\s+$/g, "").split(/\r?\n\s*\n/);
  return stanzas.map((stanza) => stanza.split(/\r?\n/).map((line) => indented(escaped(line.trimEnd()))).join("\\\n")).join("\n\n");
}

/** An indented line would be code. */
const indented = (line: string): string => line.replace(/^ +/, (blanks) => "&nbsp;".repeat(blanks.length));

const inline = (text: string): string => escaped(text.replace(/\s+/g, " ").trim());

const escaped = (text: string): string =>
  text.replace(/[\\`*_[\]<>]/g, "\\$&").replace(/^(\s*)([#+-]|\d+(?=[.)]))/, (_, blank: string, sign: string) => (/\d/.test(sign) ? `${blank}${sign}\\` : `${blank}\\${sign}`));

/** Hands a text to the browser as a file. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/markdown;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
