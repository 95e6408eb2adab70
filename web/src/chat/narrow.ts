import type { ReactiveController, ReactiveControllerHost } from "lit";

const NARROW_REM = 34;

/** Gives an element the class "narrow" while it has little room, be that a telephone's or a column's of a wide page. */
export class Narrow implements ReactiveController {
  private watched: Element | null = null;
  private readonly observer = new ResizeObserver(([entry]) => entry && this.tell(entry));

  constructor(
    host: ReactiveControllerHost,
    private readonly element: () => Element | null,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.hostUpdated();
  }

  hostUpdated(): void {
    const element = this.element();
    if (element === this.watched) return;
    this.observer.disconnect();
    this.watched = element;
    if (element) this.observer.observe(element);
  }

  hostDisconnected(): void {
    this.observer.disconnect();
    this.watched = null;
  }

  private tell({ target, contentRect }: ResizeObserverEntry): void {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    target.classList.toggle("narrow", contentRect.width <= NARROW_REM * rem);
  }
}
