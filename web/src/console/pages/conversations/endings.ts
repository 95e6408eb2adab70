import { html, type TemplateResult } from "lit";
import { conversationsWords } from "../../../i18n/conversations";
import type { Language } from "../../../preferences/preferences";

const TONES: Record<string, string> = { complete: "good", error: "bad", truncated: "bad", refused: "warn", client_disconnect: "idle" };

/** How an answer ended, in words; a reason without words is shown by its own name. */
export function endingName(ending: string, language: Language): string {
  const words: Record<string, unknown> = conversationsWords[language];
  const said = words[`end_${ending}`];
  return typeof said === "string" ? said : ending.replaceAll("_", " ");
}

export const endingSign = (ending: string, language: Language, count = 1): TemplateResult =>
  html`<span class="state" data-tone=${TONES[ending] ?? "idle"}>${endingName(ending, language)}${count > 1 ? ` × ${count}` : ""}</span>`;
