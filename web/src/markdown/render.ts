import createDOMPurify, { type Config, type DOMPurify, type WindowLike } from "dompurify";
import { Lexer, Marked, type RendererObject, type Token, type Tokens } from "marked";

export interface RenderWords {
  copy: string;
  code: string;
}

/** An in-text mark such as `[2]` becomes a link to the source with that number. */
export interface RenderSource {
  index: number;
  title: string;
  href: string | null;
}

export interface RenderOptions {
  words: RenderWords;
  sources: readonly RenderSource[];
  /** Where a picture lies that may be shown, by its address in the text. Without it all pictures become links. */
  picture?: (address: string) => string | null;
  /** The level of a `# heading`. By default 3: an answer stands below the headings of its page. */
  topHeading?: number;
}

/** What may stand in an answer. Everything else is dropped, whatever Markdown made of it. */
const ALLOWED: Config = {
  ALLOWED_TAGS: [
    ..."p br hr h1 h2 h3 h4 h5 h6 strong em del code pre blockquote ul ol li a sup".split(" "),
    ..."table thead tbody tr th td div span button input".split(" "),
  ],
  ALLOWED_ATTR: [
    ..."href title class target rel start align type checked disabled tabindex role aria-label".split(" "),
    "data-copy",
  ],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|tel:|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const ALLOWED_WITH_PICTURES: Config = {
  ...ALLOWED,
  ADD_TAGS: ["img"],
  ADD_ATTR: ["src", "alt", "loading"],
};

/**
 * Markdown of a model → a sanitised fragment. Raw HTML in it is shown as text, pictures become links
 * where the page does not say otherwise.
 */
export class MarkdownRenderer {
  private readonly purify: DOMPurify;
  private readonly marked: Marked;
  private options: RenderOptions = { words: { copy: "", code: "" }, sources: [] };

  constructor(window: WindowLike = globalThis.window) {
    this.purify = createDOMPurify(window);
    this.marked = new Marked({ gfm: true, breaks: false, async: false });
    this.marked.use({ renderer: renderer(() => this.options), extensions: [citations(() => this.options)] });
  }

  /** The blocks at the top of `source`, blank lines among them: their raw texts make up the whole. */
  blocks(source: string): Token[] {
    return new Lexer(this.marked.defaults).blockTokens(source, []);
  }

  html(source: string, options: RenderOptions): string {
    this.options = options;
    return this.purify.sanitize(this.marked.parse(source) as string, allowed(options));
  }

  fragment(source: string, options: RenderOptions): DocumentFragment {
    this.options = options;
    return this.purify.sanitize(this.marked.parse(source) as string, { ...allowed(options), RETURN_DOM_FRAGMENT: true });
  }
}

const allowed = ({ picture }: RenderOptions): Config => (picture ? ALLOWED_WITH_PICTURES : ALLOWED);

function renderer(options: () => RenderOptions): RendererObject {
  return {
    html: ({ text }) => escapeHtml(text),
    image({ href, text }) {
      const place = options().picture?.(href);
      if (!place) return link(href, null, escapeHtml(text || href));
      return `<img src="${escapeHtml(place)}" alt="${escapeHtml(text)}" loading="lazy">`;
    },
    link({ href, title, tokens }) {
      return link(href, title ?? null, this.parser.parseInline(tokens));
    },
    heading({ tokens, depth }) {
      const level = Math.min(depth - 1 + (options().topHeading ?? 3), 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    code: (token) => codeBlock(token, options().words),
    table(token) {
      const head = row(token.header.map((cell) => `<th${align(cell)}>${this.parser.parseInline(cell.tokens)}</th>`));
      const body = token.rows.map((cells) =>
        row(cells.map((cell) => `<td${align(cell)}>${this.parser.parseInline(cell.tokens)}</td>`)),
      );
      return `<div class="table" tabindex="0"><table><thead>${head}</thead><tbody>${body.join("")}</tbody></table></div>\n`;
    },
  };
}

const row = (cells: string[]): string => `<tr>${cells.join("")}</tr>`;

const align = ({ align: side }: Tokens.TableCell): string => (side ? ` align="${side}"` : "");

function codeBlock({ text, lang }: Tokens.Code, words: RenderWords): string {
  const language = escapeHtml((lang ?? "").split(/\s/, 1)[0] ?? "");
  return (
    `<div class="code"><div class="code-bar"><span>${language}</span>` +
    `<button type="button" class="copy" data-copy="code">${escapeHtml(words.copy)}</button></div>` +
    `<pre tabindex="0" role="region" aria-label="${escapeHtml(words.code)}"><code>${escapeHtml(text)}</code></pre></div>\n`
  );
}

function link(href: string, title: string | null, inner: string): string {
  const titled = title ? ` title="${escapeHtml(title)}"` : "";
  return `<a href="${escapeHtml(href)}"${titled} target="_blank" rel="noopener noreferrer nofollow">${inner}</a>`;
}

function citations(options: () => RenderOptions) {
  return {
    name: "citation",
    level: "inline" as const,
    start: (source: string) => source.match(/\[\d/)?.index,
    tokenizer(source: string) {
      const match = /^\[(\d{1,2})\](?![([])/.exec(source);
      const found = match && options().sources.find(({ index }) => index === Number(match[1]));
      return found ? { type: "citation", raw: match[0], source: found } : undefined;
    },
    renderer({ source }: Tokens.Generic): string {
      const { index, title, href } = source as RenderSource;
      if (!href) return `<sup class="cite">${index}</sup>`;
      return `<sup class="cite">${link(href, title, String(index))}</sup>`;
    },
  };
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
