import { html, nothing, type TemplateResult } from "lit";
import { icons } from "../../design/icons";
import { commonWords, describeFailure } from "../../i18n/common";
import type { Language } from "../../preferences/preferences";
import type { Failure } from "../../transport/failure";

interface Source<T> {
  value: T | null;
  failure: Failure | null;
  now(): Promise<void>;
}

/**
 * The looks of whatever is read: waiting, failed in words with a way to try again, and there. A failed reading never
 * takes away what was there: then its words stand above it. What is empty is said by `show`.
 */
export function looks<T>(
  source: Source<T>,
  language: Language,
  waiting: TemplateResult,
  show: (value: T) => TemplateResult,
): TemplateResult {
  const failed = source.failure ? problem(source.failure, language, () => void source.now()) : nothing;
  if (source.value === null) return source.failure ? html`${failed}` : waiting;
  return html`${failed} ${show(source.value)}`;
}

/** A failure in words, the server's own below them; with a way to try again where there is one. */
export function problem(failure: Failure, language: Language, again?: () => void): TemplateResult {
  const words = commonWords[language];
  return html`<div class="panel problem" role="alert">
    ${icons.alert()}
    <div class="told">
      <p>${describeFailure(failure, language)}</p>
      ${failure.message ? html`<details><summary>${words.details}</summary><p>${failure.message}</p></details>` : nothing}
    </div>
    ${again ? html`<button class="button" type="button" @click=${again}>${icons.retry()} ${words.retry}</button>` : nothing}
  </div>`;
}

/** Lines that wait for their words. */
export const ghostLines = (count: number, height = "2.75rem"): TemplateResult =>
  html`<div class="ghosts" aria-hidden="true">
    ${Array.from({ length: count }, () => html`<div class="ghost" .style=${`block-size: ${height}`}></div>`)}
  </div>`;
