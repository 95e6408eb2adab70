import { html, nothing } from "lit";
import { icons } from "../../../design/icons";

/** A configuration file that could not be taken, and why; nothing where it could. */
export function loadedProblem(told: string, problem: string | null) {
  if (!problem) return nothing;
  return html`<div class="panel problem" role="alert">${icons.alert()}<div class="told"><p>${told}</p><p><code>${problem}</code></p></div></div>`;
}
