import type { ApiClient } from "../../client";

export type ProviderState = "ready" | "unset" | "cooling" | "silent";

export interface Provider {
  name: string;
  adapter: string;
  state: ProviderState;
  /** The variable to set, when a key is missing. */
  variable: string | null;
  models: string[];
}

export async function readProviders(client: ApiClient, signal: AbortSignal): Promise<Provider[]> {
  return parseProviders(await client.get("api/llm/providers", { signal }));
}

/** Those that can be used first; within that, the order of the configuration. */
export function parseProviders(body: unknown): Provider[] {
  const { items } = (body ?? {}) as { items?: unknown };
  const providers = Array.isArray(items) ? items.map((item) => provider(item as Record<string, unknown>)) : [];
  return [...providers.filter(({ state }) => state !== "unset"), ...providers.filter(({ state }) => state === "unset")];
}

function provider(item: Record<string, unknown>): Provider {
  const text = (name: string): string => (typeof item[name] === "string" ? item[name] : "");
  const models = Array.isArray(item["models"]) ? item["models"].filter((model) => typeof model === "string") : [];
  return { name: text("name"), adapter: text("adapter"), state: stateOf(item), variable: text("set_variable") || null, models };
}

function stateOf(item: Record<string, unknown>): ProviderState {
  if (item["configured"] === false) return "unset";
  if (item["cooling_down"] === true) return "cooling";
  return item["reachable"] === false ? "silent" : "ready";
}
