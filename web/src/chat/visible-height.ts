import type { ReactiveController, ReactiveControllerHost } from "lit";

/**
 * Keeps `--visible-height` at what a touch keyboard leaves of the window.
 *
 * iOS lays its keyboard over the page and tells only the visual viewport: https://developer.mozilla.org/docs/Web/API/VisualViewport
 */
export class VisibleHeight implements ReactiveController {
  constructor(private readonly host: ReactiveControllerHost & HTMLElement) {
    host.addController(this);
  }

  hostConnected(): void {
    globalThis.visualViewport?.addEventListener("resize", this.measure);
    this.measure();
  }

  hostDisconnected(): void {
    globalThis.visualViewport?.removeEventListener("resize", this.measure);
  }

  private readonly measure = (): void => {
    const height = globalThis.visualViewport?.height;
    if (height) this.host.style.setProperty("--visible-height", `${Math.round(height)}px`);
  };
}
