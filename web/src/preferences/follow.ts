import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Draws its host again whenever something dispatches "change", as long as the host is on the page. */
export class Follow implements ReactiveController {
  private target: EventTarget | null = null;

  /** `find` is asked when the host comes onto the page: its properties are set by then. */
  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly find: () => EventTarget,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.target = this.find();
    this.target.addEventListener("change", this.redraw);
  }

  hostDisconnected(): void {
    this.target?.removeEventListener("change", this.redraw);
  }

  private readonly redraw = (): void => this.host.requestUpdate();
}
