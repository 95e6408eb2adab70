import type { Token } from "marked";
import { cutOf, LIST, LONG_CHARACTERS, type Cut } from "./long-block";
import { morphChildren } from "./morph";
import type { MarkdownRenderer, RenderOptions } from "./render";
import { settle, withoutBareMark } from "./settle";

/** Work for longer than this waits for the next task, so that the page can draw and be used meanwhile. */
const SLICE_MS = 6;

/** So many characters are looked at at once: what has not been drawn yet may be a whole long answer. */
const WINDOW_CHARACTERS = 4 * LONG_CHARACTERS;

/** The last block, which has grown long: some of its nodes are drawn for good, up to `last`. */
interface LongBlock extends Omit<Cut, "length"> {
  container: Element;
  last: ChildNode | null;
}

/**
 * Markdown that grows, drawn into a host element.
 *
 * Blocks that are followed by another block are finished: they are drawn once and never parsed again. Of a last block
 * that has grown long the beginning is finished, too. So the work for each piece of text depends on that piece and a
 * bounded rest, never on the length of the answer; and what is more than a slice of time is done in several.
 */
export class GrowingMarkdown {
  private source = "";
  private ended = false;
  private finishedLength = 0;
  private lastFinished: ChildNode | null = null;
  private waiting: Token[] = [];
  private open: Token | null = null;
  private long: LongBlock | null = null;
  private window = WINDOW_CHARACTERS;
  private cutFrom = LONG_CHARACTERS;
  /** Link definitions hold for the whole text, those below for what stands above, too. */
  private readonly definitions = new Set<string>();
  private drawnWith = 0;
  private later: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: Element,
    private readonly renderer: MarkdownRenderer,
    private readonly options: RenderOptions,
    private readonly sliceMs = SLICE_MS,
  ) {
    host.replaceChildren();
  }

  /** Draws `source`, of which what was drawn before is the beginning; more will come. */
  grow(source: string): void {
    this.take(source, false);
  }

  /** Draws the whole text as it stands: nothing more will come. */
  finish(source: string): void {
    this.take(source, true);
  }

  /** Draws no more. */
  stop(): void {
    clearTimeout(this.later);
  }

  private take(source: string, ended: boolean): void {
    const text = withoutReturns(source);
    if (!text.startsWith(this.source)) throw new RangeError("The text did not grow.");
    this.source = text;
    this.ended = ended;
    this.work();
  }

  private readonly work = (): void => {
    clearTimeout(this.later);
    const since = performance.now();
    while (this.step()) {
      if (performance.now() - since < this.sliceMs) continue;
      this.later = setTimeout(this.work);
      return;
    }
  };

  /** Draws one finished piece or, where there is none, the rest that may change; false when all is drawn. */
  private step(): boolean {
    const head = this.long?.head ?? "";
    const rest = this.source.slice(this.finishedLength);
    if (this.waiting.length === 0) this.look(head, rest);
    const block = this.waiting.shift();
    if (block) return this.finishBlock(block, head);
    if (this.finishBeginning(head, rest)) return true;
    if (rest.length > this.window) return this.widen();
    this.drawRest(this.ended ? head + rest : settle(head + rest));
    return this.ended && this.definedAnew(rest);
  }

  /** Finds what waits to be drawn for good, all before the last block, and that last block itself. */
  private look(head: string, rest: string): void {
    const seen = head + rest.slice(0, this.window);
    const whole = this.ended && rest.length <= this.window;
    // A number alone may yet become the next item of the list above it, which then would not be finished.
    const blocks = this.renderer.blocks(whole ? seen : withoutBareMark(seen));
    const last = blocks.findLastIndex(({ type }) => type !== "space");
    this.waiting = blocks.slice(0, Math.max(last, 0));
    this.open = blocks[last] ?? null;
  }

  private widen(): boolean {
    this.window *= 2;
    return true;
  }

  private finishBlock(block: Token, head: string): boolean {
    this.finishedLength += block.raw.length - head.length;
    this.window = WINDOW_CHARACTERS;
    this.cutFrom = LONG_CHARACTERS;
    if (this.long) this.endLongBlock(block.raw);
    else if (block.type === "def") this.definitions.add(block.raw);
    else if (block.type !== "space") this.lastFinished = morphChildren(this.host, this.draw(block.raw), this.lastFinished, true);
    return true;
  }

  private endLongBlock(source: string): void {
    const { container, last } = this.long as LongBlock;
    morphChildren(container, this.piece(source), last);
    let block: ChildNode = container;
    while (block.parentElement && block.parentElement !== this.host) block = block.parentElement;
    this.lastFinished = isBlank(block.nextSibling) ? block.nextSibling : block;
    this.long = null;
  }

  /** Draws for good what will not change any more of a last block that is long; false where that is nothing. */
  private finishBeginning(head: string, rest: string): boolean {
    if (rest.length <= this.cutFrom || !this.open) return false;
    const { raw } = this.open;
    const cut = cutOf(this.open, this.toHtml);
    if (!cut || cut.length <= cut.head.length || !this.begin(cut, raw)) {
      this.cutFrom = 1.5 * rest.length;
      return false;
    }
    const { container, last } = this.long as LongBlock;
    const drawn = morphChildren(container, this.piece(raw.slice(0, cut.length), cut.joint), last, true);
    this.long = { ...cut, container, last: drawn };
    this.finishedLength += cut.length - head.length;
    this.cutFrom = LONG_CHARACTERS;
    return true;
  }

  /** Draws the open block whole for the last time, to have the element that takes its pieces. */
  private begin(cut: Cut, source: string): boolean {
    if (this.long) return true;
    this.drawRest(settle(source));
    const block = this.lastFinished ? this.lastFinished.nextSibling : this.host.firstChild;
    const container = within(block as Element | null, cut.selector);
    if (container) this.long = { ...cut, container, last: null };
    return container !== null;
  }

  /** The nodes of a piece of the long block, in an element of the same kind. */
  private piece(source: string, joint = ""): Node {
    const { selector, last } = this.long as LongBlock;
    const drawn = this.draw(source);
    const holder = within(drawn.firstElementChild, selector) ?? drawn;
    // Between two pieces stands one line end, as between two items within a piece.
    if (last && selector === LIST && isBlank(holder.firstChild)) holder.firstChild?.remove();
    if (joint) holder.append(joint);
    holder.normalize();
    return holder;
  }

  private drawRest(source: string): void {
    if (this.long) morphChildren(this.long.container, this.piece(source), this.long.last);
    else morphChildren(this.host, this.draw(source), this.lastFinished);
  }

  /** A definition that came later turns words above it into links: then all is drawn once more, in place. */
  private definedAnew(rest: string): boolean {
    const blocks = this.long ? [] : this.renderer.blocks(rest);
    for (const { type, raw } of blocks) if (type === "def") this.definitions.add(raw);
    if (this.definitions.size === this.drawnWith) return false;
    this.drawnWith = this.definitions.size;
    this.finishedLength = 0;
    this.lastFinished = this.long = null;
    return true;
  }

  private draw(source: string): DocumentFragment {
    return this.renderer.fragment([...this.definitions, source].join("\n\n"), this.options);
  }

  private readonly toHtml = (source: string): string => this.renderer.html(source, this.options);
}

/** `element` itself or the first within it that the selector names. */
const within = (element: Element | null, selector: string): Element | null =>
  element?.matches(selector) ? element : (element?.querySelector(selector) ?? null);

const isBlank = (node: ChildNode | null): boolean => node?.nodeType === Node.TEXT_NODE && node.textContent?.trim() === "";

/** The lexer turns CRLF into LF; without this its blocks could not be found again in the text. */
const withoutReturns = (source: string): string => source.replaceAll("\r", "");
