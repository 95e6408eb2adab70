import type { ReactiveController, ReactiveControllerHost } from "lit";
import { Failure, isAbort } from "../transport/failure";

/**
 * Reads something again and again while its host is on the page and the page is seen.
 *
 * One reading at a time; a failed one keeps the value before it, so that a page does not go blank for a hiccup.
 */
export class Poll<T> implements ReactiveController {
  value: T | null = null;
  failure: Failure | null = null;
  readAt: Date | null = null;
  reading = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly read: (signal: AbortSignal) => Promise<T>,
    private readonly intervalSeconds: number,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener("visibilitychange", this.onVisibility);
    void this.now();
  }

  hostDisconnected(): void {
    document.removeEventListener("visibilitychange", this.onVisibility);
    clearTimeout(this.timer);
    this.running?.abort();
  }

  /** Reads at once, unless a reading is under way. */
  async now(): Promise<void> {
    if (this.running) return;
    clearTimeout(this.timer);
    const controller = new AbortController();
    this.running = controller;
    this.show({ reading: true });
    try {
      this.show({ value: await this.read(controller.signal), failure: null, readAt: new Date() });
    } catch (error) {
      if (!isAbort(error)) this.fail(error);
    } finally {
      this.running = null;
      this.show({ reading: false });
      if (!controller.signal.aborted) this.schedule();
    }
  }

  /** A session that ended is told by the log-in that covers the page, and what was there before is there after it. */
  private fail(error: unknown): void {
    const failure = error instanceof Failure ? error : new Failure("internal");
    if (failure.kind !== "unauthenticated") this.show({ failure });
  }

  private schedule(): void {
    if (document.visibilityState === "visible") this.timer = setTimeout(() => void this.now(), this.intervalSeconds * 1000);
  }

  private readonly onVisibility = (): void => {
    clearTimeout(this.timer);
    if (document.visibilityState === "visible") void this.now();
  };

  private show(change: Partial<Pick<Poll<T>, "value" | "failure" | "readAt" | "reading">>): void {
    Object.assign(this, change);
    this.host.requestUpdate();
  }
}
