import type { Citation } from "../transport/completion";

/** The address of a source, if a browser may go there: HTTP(S) alone, relative to the stack's own root. */
export function sourceAddress(url: string | null, root: string): string | null {
  if (!url || !URL.canParse(url, root)) return null;
  const address = new URL(url, root);
  return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
}

/** The innermost heading: "Back up › How often?" is a question in a chapter. */
export const sourceTitle = ({ title }: Citation): string => title.split(" › ").at(-1) ?? title;

/** Where it stands: the chapter, else the host, else the file. */
export function sourcePlace({ title, url, source }: Citation): string {
  const chapters = title.split(" › ").slice(0, -1);
  if (chapters.length > 0) return chapters.join(" › ");
  if (url && URL.canParse(url)) return new URL(url).host;
  return source.split("#", 1)[0]?.split("/").slice(-2).join("/") ?? "";
}
