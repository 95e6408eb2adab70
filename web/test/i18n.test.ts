import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { accessWords } from "../src/i18n/access";
import { analyticsWords } from "../src/i18n/analytics";
import { chatWords } from "../src/i18n/chat";
import { commonWords, describeFailure, failureWords } from "../src/i18n/common";
import { consoleWords } from "../src/i18n/console";
import { conversationsWords } from "../src/i18n/conversations";
import { gapsWords } from "../src/i18n/gaps";
import { knowledgeWords } from "../src/i18n/knowledge";
import { adviceWords, checkWords, overviewWords } from "../src/i18n/overview";
import { readWords } from "../src/i18n/read";
import { settingsWords } from "../src/i18n/settings";
import { studioWords } from "../src/i18n/studio";
import { widgetWords } from "../src/i18n/widget";
import { Preferences, preferredLanguage } from "../src/preferences/preferences";
import { Failure } from "../src/transport/failure";

const AREAS = { accessWords, adviceWords, analyticsWords, chatWords, checkWords, commonWords, consoleWords, conversationsWords, failureWords, gapsWords, knowledgeWords, overviewWords, readWords, settingsWords, studioWords, widgetWords };

describe("words", () => {
  it.each(Object.entries(AREAS))("%s have the same names, kinds and parameters in both languages", (_name, words) => {
    const shape = (area: object): Record<string, string> =>
      Object.fromEntries(
        Object.entries(area).map(([key, phrase]: [string, unknown]) => [
          key,
          typeof phrase === "function" ? `function of ${phrase.length}` : typeof phrase,
        ]),
      );
    expect(shape(words.zh)).toEqual(shape(words.en));
  });

  it.each(Object.entries(AREAS))("%s are never empty, and Chinese where they should be", (_name, words) => {
    const spoken = (phrase: unknown): string => String(typeof phrase === "function" ? phrase("x", "x") : phrase);
    for (const phrase of [...Object.values(words.en), ...Object.values(words.zh)]) expect(spoken(phrase).trim()).not.toBe("");
    const borrowed = ["title", "languageName", "otherLanguage", "switchLanguage", "tokens"];
    for (const [key, phrase] of Object.entries(words.zh)) {
      if (!borrowed.includes(key)) expect(spoken(phrase), key).toMatch(/[\u4e00-\u9fff]/);
    }
  });

  it("leaves no file of words out of these tests", () => {
    const files = readdirSync(new URL("../src/i18n/", import.meta.url)).filter((name) => name !== "words.ts");
    expect(files.sort()).toEqual(["access.ts", "analytics.ts", "chat.ts", "common.ts", "console.ts", "conversations.ts", "gaps.ts", "knowledge.ts", "overview.ts", "read.ts", "settings.ts", "studio.ts", "widget.ts"]);
  });

  it("says how long to wait where the server said it", () => {
    const failure = new Failure("rate_limited", { retryAfterSeconds: 7 });
    expect(describeFailure(failure, "en")).toMatch(/Try again in 7 seconds\.$/);
    expect(describeFailure(failure, "zh")).toMatch(/请 7 秒后再试。$/);
  });
});

describe("preferences", () => {
  it.each([
    [["zh-CN", "en"], "zh"],
    [["zh-Hant-TW"], "zh"],
    [["fr-FR", "zh"], "zh"],
    [["en-GB", "zh"], "en"],
    [["fr"], "en"],
    [[], "en"],
  ])("speak to a browser of %j in %s", (languages, expected) => {
    expect(preferredLanguage(languages)).toBe(expected);
  });

  it("remember a choice, and tell of it", () => {
    const storage = memory();
    const preferences = new Preferences(storage, ["en"]);
    let told = 0;
    preferences.addEventListener("change", () => (told += 1));
    preferences.language = "zh";
    preferences.theme = "dark";
    expect(told).toBe(2);
    expect(new Preferences(storage, ["en"])).toMatchObject({ language: "zh", theme: "dark" });
  });

  it("pass over nonsense in the storage, and a storage that refuses", () => {
    const storage = memory();
    storage.setItem("trivet.theme", "purple");
    expect(new Preferences(storage, ["zh"])).toMatchObject({ language: "zh", theme: "auto" });
    const closed = { getItem: refuse, setItem: refuse } as unknown as Storage;
    const preferences = new Preferences(closed, ["en"]);
    preferences.theme = "light";
    expect(preferences.theme).toBe("light");
  });
});

const refuse = (): never => {
  throw new DOMException("closed", "SecurityError");
};

function memory(): Storage {
  const entries = new Map<string, string>();
  return {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
    removeItem: (key: string) => void entries.delete(key),
  } as unknown as Storage;
}
