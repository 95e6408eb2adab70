/**
 * Text that is still being written → Markdown that will not change its looks with the next words.
 *
 * Half a link would flash as brackets, an open `**` as two stars, and the first dash of a list would turn the paragraph
 * above it into a heading. What cannot be told yet is held back; what is surely open is closed.
 */
export function settle(source: string): string {
  const text = withoutHalfFence(source);
  const fence = lastFence(text);
  if (fence.open) return text.replace(/\n {0,3}[`~]{1,2}$/, "");
  const start = Math.max(text.lastIndexOf("\n\n") + 1, fence.end);
  return text.slice(0, start) + settleParagraph(text.slice(start));
}

/** A line of fence marks is not over before its line end: the name of a language may follow. */
const withoutHalfFence = (text: string): string => text.replace(/(^|\n) {0,3}(?:`{3,}|~{3,})[^\n`]*$/, "\n");

/** Whether a fence is open at the end, and where the last fence line ends. */
function lastFence(source: string): { open: boolean; end: number } {
  let opening = "";
  let end = 0;
  for (const { 0: line, 1: mark = "", index } of source.matchAll(/^ {0,3}(`{3,}|~{3,}).*$/gm)) {
    if (opening !== "" && !mark.startsWith(opening)) continue;
    opening = opening === "" ? mark : "";
    end = index + line.length;
  }
  return { open: opening !== "", end };
}

function settleParagraph(paragraph: string): string {
  const text = withoutHalfTable(withoutBareMark(paragraph));
  const whole = withoutHalfMarks(withoutHalfLink(withoutHalfMarks(text)));
  return whole.trimEnd() + openMarks(whole);
}

/** A last line of list, heading, quote, rule or fence marks alone says nothing yet. */
export const withoutBareMark = (text: string): string => text.replace(/(^|\n)[ \t]*(?:[-=*+_#>`~]+|\d{1,9}[.)]?)[ \t]*$/, "$1");

/** The head of a table is a line of bars until its second line is whole. */
function withoutHalfTable(text: string): string {
  const table = /(?:^|\n)((?:\|[^\n]*(?:\n|$))+)$/.exec(text);
  const lineEnds = table?.[1]?.split("\n").length ?? 0;
  return table && lineEnds < 3 ? text.slice(0, table.index) : text;
}

/** `[text](addre` and `![alt` → the text alone; a citation such as `[1` is held back. */
function withoutHalfLink(text: string): string {
  const open = /!?\[([^\][\n]*)(?:\](?:\([^)\s]*)?)?$/.exec(text);
  if (!open || text[open.index - 1] === "\\" || insideCode(text, open.index)) return text;
  const inner = open[1] ?? "";
  const kept = /^\d*$/.test(inner) || open[0].startsWith("!") ? "" : inner;
  return text.slice(0, open.index) + kept;
}

/** Marks at the very end are kept where they close what is open; else the next character decides what they are. */
function withoutHalfMarks(text: string): string {
  const marks = /[*_~`]+$/.exec(text);
  if (!marks) return text;
  const before = text.slice(0, marks.index);
  return openMarks(before) === marks[0] ? text : before;
}

/** The closing marks that the text lacks, innermost first. */
export function openMarks(text: string): string {
  const stack: string[] = [];
  for (const { 0: mark, index } of text.matchAll(/\\.|`+|\*+|~~/gs)) {
    if (mark.startsWith("\\")) continue;
    const inCode = stack.at(-1)?.startsWith("`") ?? false;
    const rest = inCode && stack.at(-1) !== mark ? "" : unclosed(stack, mark);
    if (rest && opens(text, index, mark)) stack.push(rest);
  }
  return stack.reverse().join("");
}

/** Takes from the stack what `mark` closes; `***` may close two. What is left of it opens something. */
function unclosed(stack: string[], mark: string): string {
  let rest = mark;
  while (rest && stack.length > 0 && rest.startsWith(stack.at(-1) ?? "")) rest = rest.slice(stack.pop()?.length);
  return rest;
}

/** A mark opens where a word follows it; a star with a blank after it is a list or a product. */
const opens = (text: string, index: number, mark: string): boolean =>
  mark.startsWith("`") || /\S/.test(text[index + mark.length] ?? " ");

const insideCode = (text: string, index: number): boolean => (text.slice(0, index).split("`").length - 1) % 2 === 1;
