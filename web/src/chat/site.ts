import type { Language } from "../preferences/preferences";

/** What the page says of the site that it serves. Everything has a default: the chat works without it. */
export interface Site {
  name: string | null;
  suggestions: Partial<Record<Language, string[]>>;
}

export const UNKNOWN_SITE: Site = { name: null, suggestions: {} };

/** The assistant's name, and its suggested questions where the company's file has some. */
export async function readSite(root: URL): Promise<Site> {
  const body = await getJson(new URL("api/company_info", root));
  const assistant = record(record(body)["assistant_info"]);
  const suggested = record(assistant["suggested_questions"]);
  return {
    name: typeof assistant["name"] === "string" && assistant["name"] ? assistant["name"] : null,
    suggestions: { en: strings(suggested["en"]), zh: strings(suggested["zh"]) },
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

/** The models of the provider `local` come with the stack so that it runs without a key. */
export const isTrialModel = (model: string): boolean => model.startsWith("local/");

async function getJson(address: URL): Promise<unknown> {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string" && item !== "") : [];
