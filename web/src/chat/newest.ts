import type { ReactiveController, ReactiveControllerHost } from "lit";

/** So close to the end, new text keeps the newest line in view. */
const PINNED_WITHIN_PX = 64;

/**
 * Keeps the end of what scrolls in view while it grows, unless the reader has scrolled up.
 *
 * The browser itself says when the height has changed, after its own layout and before it paints: so nothing jumps, and
 * no layout is made for the question.
 */
export class Newest implements ReactiveController {
  /** Whether the end is in view and to be kept there. */
  pinned = true;
  private top = 0;
  private watched: Element[] = [];
  private readonly observer = new ResizeObserver(() => this.follow());

  /** `scroller` is what scrolls; its first child is what grows. */
  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly scroller: () => HTMLElement | null,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.hostUpdated();
  }

  hostUpdated(): void {
    const scroller = this.scroller();
    const content = scroller?.firstElementChild;
    const wanted = scroller && content ? [scroller, content] : [];
    if (wanted[1] === this.watched[1]) return;
    this.observer.disconnect();
    this.watched = wanted;
    for (const element of wanted) this.observer.observe(element);
  }

  hostDisconnected(): void {
    this.observer.disconnect();
    this.watched = [];
  }

  /** From now on the end is kept in view. */
  pin(): void {
    this.pinned = true;
    this.follow();
  }

  /** To be called at each scroll: the reader's leads away from the end, growth never does. */
  readonly onScroll = (): void => {
    const scroller = this.scroller();
    if (!scroller) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const up = scrollTop < this.top;
    this.top = scrollTop;
    const pinned = scrollHeight - scrollTop - clientHeight < PINNED_WITHIN_PX || (this.pinned && !up);
    if (pinned === this.pinned) return;
    this.pinned = pinned;
    this.host.requestUpdate();
  };

  private follow(): void {
    const scroller = this.scroller();
    if (this.pinned && scroller) scroller.scrollTop = scroller.scrollHeight;
  }
}
