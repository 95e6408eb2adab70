import { html, type TemplateResult } from "lit";
import { icons } from "../design/icons";
import { commonWords } from "../i18n/common";
import { THEMES, type Preferences, type Theme } from "./preferences";

/** The two switches that every page of ours has. They need `controls` in the same root. */
export function languageButton(preferences: Preferences): TemplateResult {
  const words = commonWords[preferences.language];
  const other = preferences.language === "zh" ? "en" : "zh";
  return html`<button
    class="button quiet"
    type="button"
    lang=${other === "zh" ? "zh-CN" : "en"}
    aria-label=${words.switchLanguage}
    title=${words.switchLanguage}
    @click=${() => (preferences.language = other)}
  >
    ${words.otherLanguage}
  </button>`;
}

export function themeButton(preferences: Preferences): TemplateResult {
  const words = commonWords[preferences.language];
  const labels: Record<Theme, string> = { auto: words.themeAuto, light: words.themeLight, dark: words.themeDark };
  const signs = { auto: icons.contrast, light: icons.sun, dark: icons.moon };
  const next = THEMES[(THEMES.indexOf(preferences.theme) + 1) % THEMES.length] ?? "auto";
  return html`<button
    class="button quiet icon"
    type="button"
    aria-label=${labels[preferences.theme]}
    title=${labels[preferences.theme]}
    @click=${() => (preferences.theme = next)}
  >
    ${signs[preferences.theme]()}
  </button>`;
}
