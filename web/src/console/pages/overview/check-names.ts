import { adviceWords, checkWords } from "../../../i18n/overview";
import type { Language } from "../../../preferences/preferences";

/** A check that has no words yet is shown by its own name. */
export function checkName(name: string, language: Language): string {
  const words: Record<string, string> = checkWords[language];
  return words[name] ?? name.replaceAll("_", " ");
}

/** What to do when a check fails. */
export function checkAdvice(name: string, language: Language): string {
  const words: Record<string, string> = adviceWords[language];
  return words[name] ?? adviceWords[language].other;
}
