import type { ReactiveController, ReactiveControllerHost } from "lit";
import { Failure, isAbort } from "../../transport/failure";

/**
 * Something read once, and again when asked; `Poll` is for what changes by itself.
 *
 * A new reading ends the one under way. A failed one keeps the value before it.
 */
export class Reading<T> implements ReactiveController {
  value: T | null = null;
  failure: Failure | null = null;
  running: AbortController | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly read: (signal: AbortSignal) => Promise<T>,
  ) {
    host.addController(this);
  }

  hostDisconnected(): void {
    this.running?.abort();
  }

  get busy(): boolean {
    return this.running !== null;
  }

  async now(): Promise<void> {
    this.running?.abort();
    const controller = new AbortController();
    this.running = controller;
    this.host.requestUpdate();
    try {
      const value = await this.read(controller.signal);
      if (this.running === controller) this.set(value);
    } catch (error) {
      if (this.running === controller && !isAbort(error)) this.failure = asFailure(error);
    } finally {
      if (this.running === controller) this.running = null;
      this.host.requestUpdate();
    }
  }

  /** What is known without asking: an answer to a change, or nothing (null) of something else. */
  set(value: T | null): void {
    this.value = value;
    this.failure = null;
    this.host.requestUpdate();
  }
}

/** Anything thrown as a failure that a page can tell of; what is a fault of ours stands in the browser's console, too. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  console.error(error);
  return new Failure("internal");
}
