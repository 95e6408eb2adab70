// A task of a workflow, followed to its end through whatever happens to the connection.

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const MOST_FAILURES = 6;
const PROGRESS = ["connected", "status", "step_change", "token", "heartbeat"];
const ENDS = ["completed", "failed", "cancelled"];

/**
 * Fires "update" for each event of the task, "pause" (detail: ms) before it tries again, and "end" once: with the task
 * as detail, or with null when the server could not be reached again.
 *
 * A broken connection is mended by EventSource itself, which then names the last event that it saw. What ends it is an
 * answer that is no stream, such as nginx's 502 while a service starts: then a new one is opened after a pause that
 * doubles with each failure. A new one hears the task's whole history, so what was told before is passed over.
 */
export class TaskFollower extends EventTarget {
  #address;
  #firstPauseMs;
  #source = null;
  #timer = null;
  #failures = 0;
  #last = 0;

  constructor(base, taskId, firstPauseMs = FIRST_PAUSE_MS) {
    super();
    this.#address = new URL(`api/v1/workflow/tasks/${encodeURIComponent(taskId)}/stream`, base);
    this.#firstPauseMs = firstPauseMs;
  }

  follow() {
    this.#source = new EventSource(this.#address);
    for (const name of PROGRESS) this.#source.addEventListener(name, (event) => this.#tell(event));
    for (const name of ENDS) {
      this.#source.addEventListener(name, (event) => {
        this.#tell(event);
        this.#end(JSON.parse(event.data));
      });
    }
    this.#source.addEventListener("error", (event) => {
      // The stream's own event of this name has data and follows an end; the connection's has none.
      if (!event.data && this.#source.readyState === EventSource.CLOSED) this.#tryAgain();
    });
    return this;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #tell(event) {
    this.#failures = 0;
    const place = Number(event.lastEventId);
    if (place && place <= this.#last) return;
    this.#last = place || this.#last;
    this.dispatchEvent(new CustomEvent("update", { detail: JSON.parse(event.data) }));
  }

  #tryAgain() {
    this.#failures += 1;
    if (this.#failures > MOST_FAILURES) return this.#end(null);
    const pauseMs = Math.min(this.#firstPauseMs * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    this.dispatchEvent(new CustomEvent("pause", { detail: pauseMs }));
    this.#timer = setTimeout(() => this.follow(), pauseMs);
  }

  #end(task) {
    this.stop();
    this.dispatchEvent(new CustomEvent("end", { detail: task }));
  }
}
