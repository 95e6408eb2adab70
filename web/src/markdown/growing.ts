import { morphChildren } from "./morph";
import type { MarkdownRenderer, RenderOptions } from "./render";
import { settle } from "./settle";

/**
 * Markdown that grows, drawn into a host element.
 *
 * Blocks that are followed by another block are finished: they are drawn once and never parsed again, so that the work
 * for each piece of text depends on the last block alone, not on the length of the answer.
 */
export class GrowingMarkdown {
  private source = "";
  private finishedLength = 0;
  private lastFinished: ChildNode | null = null;

  constructor(
    private readonly host: Element,
    private readonly renderer: MarkdownRenderer,
    private readonly options: RenderOptions,
  ) {
    host.replaceChildren();
  }

  /** Draws `source`, of which what was drawn before is the beginning. */
  grow(source: string): void {
    const text = withoutReturns(source);
    if (!text.startsWith(this.source)) throw new RangeError("The text did not grow.");
    this.source = text;
    this.finishBlocks();
    this.draw(settle(text.slice(this.finishedLength)), this.lastFinished);
  }

  /** Draws the whole text as it stands: nothing more will come. */
  finish(source: string): void {
    this.source = withoutReturns(source);
    this.draw(this.source, null);
  }

  private finishBlocks(): void {
    const blocks = this.renderer.blocks(this.source.slice(this.finishedLength));
    for (const block of blocks.slice(0, -1)) {
      const start = this.source.indexOf(block, this.finishedLength);
      if (start < 0) return;
      this.finishedLength = start + block.length;
      this.draw(block, this.lastFinished);
      this.lastFinished = this.host.lastChild;
    }
  }

  private draw(source: string, after: ChildNode | null): void {
    morphChildren(this.host, this.renderer.fragment(source, this.options), after);
  }
}

/** The lexer turns CRLF into LF; without this its blocks could not be found again in the text. */
const withoutReturns = (source: string): string => source.replaceAll("\r", "");
