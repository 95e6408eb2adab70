import { html, nothing, type ReactiveControllerHost, type TemplateResult } from "lit";
import type { Language } from "../../preferences/preferences";
import type { Failure } from "../../transport/failure";
import { problem } from "./looks";
import { Reading, asFailure } from "./reading";

/**
 * The next page of a list, appended to what a reading holds; dropped where that was read anew meanwhile.
 *
 * `extend` asks for what comes after a value and gives both together; null: nothing comes after it.
 */
export class Further<T> {
  private failure: Failure | null = null;
  private loading = false;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly reading: Reading<T>,
    private readonly extend: (before: T, signal: AbortSignal) => Promise<T> | null,
  ) {}

  /** Another list is read: an old failure says nothing of it. To be called before the host draws. */
  forget(): void {
    this.failure = null;
  }

  /** What went wrong, and the button where more `waits`. */
  look(waits: boolean, label: string, language: Language): TemplateResult {
    return html`${this.failure ? problem(this.failure, language) : nothing}
    ${waits
      ? html`<div class="more">
          <button class="button" type="button" aria-disabled=${this.loading} @click=${() => void this.next()}>${label}</button>
        </div>`
      : nothing}`;
  }

  private async next(): Promise<void> {
    const before = this.reading.value;
    const asked = before === null || this.loading ? null : this.extend(before, new AbortController().signal);
    if (!asked) return;
    this.failure = null;
    this.note(true);
    try {
      const longer = await asked;
      if (this.reading.value === before) this.reading.set(longer);
    } catch (error) {
      this.failure = asFailure(error);
    } finally {
      this.note(false);
    }
  }

  private note(loading: boolean): void {
    this.loading = loading;
    this.host.requestUpdate();
  }
}
