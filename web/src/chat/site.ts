import type { Language } from "../preferences/preferences";

/** What the page says of the site that it serves. Everything has a default: the chat works without it. */
export interface Site {
  name: Record<Language, string>;
  suggestions: Record<Language, string[]>;
}

export const UNKNOWN_SITE: Site = { name: { en: "Trivet", zh: "Trivet" }, suggestions: { en: [], zh: [] } };

/**
 * What the company's file says of the assistant: `name`, and if they are there `name_cn`, `name_en` and the questions
 * `suggested_questions_cn`, `suggested_questions_en`.
 */
export async function readSite(root: URL): Promise<Site> {
  return parseSite(await getJson(new URL("api/company_info", root)));
}

export function parseSite(body: unknown): Site {
  const assistant = record(record(body)["assistant_info"]);
  const name = (suffix: string): string => text(assistant[`name_${suffix}`]) || text(assistant["name"]) || "Trivet";
  return {
    name: { en: name("en"), zh: name("cn") },
    suggestions: {
      en: strings(assistant["suggested_questions_en"]),
      zh: strings(assistant["suggested_questions_cn"]),
    },
  };
}

/** Whether every model of this stack is the small local one: then each answer is its. */
export async function onlyTrialModels(root: URL): Promise<boolean> {
  const body = record(await getJson(new URL("v1/models", root)));
  const entries = Array.isArray(body["data"]) ? body["data"] : [];
  const models = entries.map((entry) => record(entry)["id"]).filter((id) => typeof id === "string" && id.includes("/"));
  const chat = models.filter((id) => !String(id).startsWith("assistant/"));
  return chat.length > 0 && chat.every((id) => isTrialModel(String(id)));
}

/** The SmolLM that comes with the stack, so that it runs without a key. Its name may come with the provider's or without. */
export const isTrialModel = (model: string): boolean => /(?:^|\/)smollm/i.test(model);

async function getJson(address: URL): Promise<unknown> {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string" && item !== "") : [];
