/** What a person chose for themselves: language and theme. Kept in the browser, shared by all our pages of a site. */
export type Language = "zh" | "en";
export type Theme = "auto" | "light" | "dark";

export const LANGUAGES: readonly Language[] = ["zh", "en"];
export const THEMES: readonly Theme[] = ["auto", "light", "dark"];

const LANGUAGE_KEY = "trivet.language";
const THEME_KEY = "trivet.theme";

/** Dispatches "change". Works without storage, too: then the choice lasts as long as the page. */
export class Preferences extends EventTarget {
  private chosenLanguage: Language;
  private chosenTheme: Theme;

  constructor(
    private readonly storage: Storage | null = availableStorage(),
    languages: readonly string[] = navigator.languages,
  ) {
    super();
    this.chosenLanguage = oneOf(LANGUAGES, this.read(LANGUAGE_KEY)) ?? preferredLanguage(languages);
    this.chosenTheme = oneOf(THEMES, this.read(THEME_KEY)) ?? "auto";
  }

  get language(): Language {
    return this.chosenLanguage;
  }

  set language(language: Language) {
    this.chosenLanguage = language;
    this.write(LANGUAGE_KEY, language);
  }

  /** The language of the page around us, unless the person chose another one here. */
  prefer(language: Language): void {
    if (oneOf(LANGUAGES, this.read(LANGUAGE_KEY)) || !LANGUAGES.includes(language)) return;
    this.chosenLanguage = language;
    this.dispatchEvent(new Event("change"));
  }

  get theme(): Theme {
    return this.chosenTheme;
  }

  set theme(theme: Theme) {
    this.chosenTheme = theme;
    this.write(THEME_KEY, theme);
  }

  /** The page's own ground and language follow: what is around and behind the elements. */
  applyTo(root: HTMLElement): void {
    root.lang = this.language === "zh" ? "zh-CN" : "en";
    root.dataset["theme"] = this.theme;
  }

  private read(key: string): string | null {
    try {
      return this.storage?.getItem(key) ?? null;
    } catch {
      return null; // storage may be closed to us at any time
    }
  }

  private write(key: string, value: string): void {
    try {
      this.storage?.setItem(key, value);
    } catch {
      // full or closed: the choice still holds for this page
    }
    this.dispatchEvent(new Event("change"));
  }
}

/** The first of the browser's languages that we speak; English for all others. */
export function preferredLanguage(languages: readonly string[]): Language {
  for (const language of languages) {
    const spoken = oneOf(LANGUAGES, language.toLowerCase().split("-", 1)[0] ?? "");
    if (spoken) return spoken;
  }
  return "en";
}

/** Local storage, or null where the browser forbids it. */
export function availableStorage(): Storage | null {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

const oneOf = <T extends string>(allowed: readonly T[], value: string | null): T | undefined =>
  allowed.find((item) => item === value);
