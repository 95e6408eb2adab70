import type { Language } from "../preferences/preferences";

type Headers = Record<string, string>;

/** What the page says of the site that it serves. Everything has a default: the chat works without it. */
export interface Site {
  name: Record<Language, string>;
  suggestions: Record<Language, string[]>;
  contact: Contact | null;
}

/** How to reach the people behind the site. */
export interface Contact {
  name: Record<Language, string>;
  website: string;
  email: string;
  phone: string;
  address: Record<Language, string>;
}

export const UNKNOWN_SITE: Site = {
  name: { en: "Trivet", zh: "Trivet" },
  suggestions: { en: [], zh: [] },
  contact: null,
};

/**
 * What the company's file says: of the assistant `name`, and if they are there `name_cn`, `name_en` and the questions
 * `suggested_questions_cn`, `suggested_questions_en`; of the company `email`, `phone`, `website`, `address_cn`, `address_en`.
 */
export async function readSite(root: URL, assistant: string, headers: Headers = {}): Promise<Site> {
  return parseSite(await getJson(new URL(`api/llm/assistants/${encodeURIComponent(assistant)}`, root), headers));
}

export function parseSite(body: unknown): Site {
  const assistant = record(record(body)["assistant_info"]);
  return {
    name: pair(assistant, "name", "Trivet"),
    suggestions: {
      en: strings(assistant["suggested_questions_en"]),
      zh: strings(assistant["suggested_questions_cn"]),
    },
    contact: contactOf(record(record(body)["company_info"])),
  };
}

/** Null where there is no way to reach anybody. */
function contactOf(company: Record<string, unknown>): Contact | null {
  const [email, phone] = [text(company["email"]), text(company["phone"])];
  if (email === "" && phone === "") return null;
  const website = text(company["website"]);
  return {
    name: pair(company, "name", ""),
    website: /^https?:/.test(website) && URL.canParse(website) ? website : "",
    email,
    phone,
    address: pair(company, "address", ""),
  };
}

/** `name_cn` and `name_en`, else `name`, else what is given. */
function pair(fields: Record<string, unknown>, name: string, otherwise: string): Record<Language, string> {
  const find = (suffix: string): string => text(fields[`${name}_${suffix}`]) || text(fields[name]) || otherwise;
  return { en: find("en"), zh: find("cn") };
}

/** Whether every model of this stack is the small local one: then each answer is its. */
export async function onlyTrialModels(root: URL, headers: Headers = {}): Promise<boolean> {
  const body = record(await getJson(new URL("v1/models", root), headers));
  const entries = Array.isArray(body["data"]) ? body["data"] : [];
  const models = entries.map((entry) => record(entry)["id"]).filter((id) => typeof id === "string" && id.includes("/"));
  const chat = models.filter((id) => !String(id).startsWith("assistant/"));
  return chat.length > 0 && chat.every((id) => isTrialModel(String(id)));
}

/** The SmolLM that comes with the stack, so that it runs without a key. Its name may come with the provider's or without. */
export const isTrialModel = (model: string): boolean => /(?:^|\/)smollm/i.test(model);

async function getJson(address: URL, headers: Headers): Promise<unknown> {
  const response = await fetch(address, { headers: { Accept: "application/json", ...headers } });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string" && item !== "") : [];
