import { html, type TemplateResult } from "lit";
import { knowledgeWords } from "../../../i18n/knowledge";
import type { Language } from "../../../preferences/preferences";
import type { Collection } from "./library";

/** Chooses a collection; one that the address names is a choice even before the list is there. */
export function collectionField(
  collections: readonly Collection[] | null,
  chosen: string,
  language: Language,
  choose: (name: string) => void,
): TemplateResult {
  const names = [...new Set([...(collections ?? []).map(({ name }) => name), chosen])];
  return html`<div class="field">
    <label for="collection">${knowledgeWords[language].collection}</label>
    <select id="collection" @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
      ${names.map((name) => html`<option value=${name} ?selected=${name === chosen}>${name}</option>`)}
    </select>
  </div>`;
}
