import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** What a service runs with: `/settings` of each service, docs/api.md. */
export const SERVICES = ["llm_proxy", "kb", "analytics"] as const;
export type Service = (typeof SERVICES)[number];
export type Source = "default" | "file" | "environment";

export interface Setting {
  name: string;
  common: boolean;
  /** In English; the words of other languages are the page's. */
  help: string;
  /** As it would be written; null for a secret. */
  value: string | null;
  default: string | null;
  isSet: boolean;
  source: Source;
  secret: boolean;
  choices: string[];
  minimum: number | null;
  maximum: number | null;
}

export async function readSettings(client: ApiClient, service: Service, signal: AbortSignal): Promise<Setting[]> {
  return list(fields(await client.get(`services/${service}/settings`, { signal })), "items").map(parseSetting);
}

export function parseSetting(item: Fields): Setting {
  const text = (name: string): string | null => (typeof item.value(name) === "string" ? item.text(name) : null);
  const source = item.text("source");
  return {
    name: item.text("name"),
    common: item.text("group") === "common",
    help: item.text("help"),
    value: text("value"),
    default: text("default"),
    isSet: item.flag("is_set"),
    source: source === "file" || source === "environment" ? source : "default",
    secret: item.flag("secret"),
    choices: item.texts("choices"),
    minimum: item.number("minimum"),
    maximum: item.number("maximum"),
  };
}

/** Those whose name or help holds all words of `wanted`. `help`: the words that a reader sees. */
export function found(settings: readonly Setting[], wanted: string, given: boolean, help: (setting: Setting) => string): Setting[] {
  const words = wanted.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return settings.filter((setting) => {
    if (given && setting.source === "default") return false;
    const text = `${setting.name} ${setting.help} ${help(setting)} ${setting.value ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
