import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

export type ProviderState = "ready" | "unset" | "cooling" | "silent";

export interface Provider {
  name: string;
  adapter: string;
  state: ProviderState;
  /** The variable to set, when a key is missing. */
  variable: string | null;
  /** Of the last call, if that failed. */
  lastError: string;
  models: string[];
}

export async function readProviders(client: ApiClient, signal: AbortSignal): Promise<Provider[]> {
  return parseProviders(await client.get("api/llm/providers", { signal }));
}

/** Those that can be used first; within that, the order of the configuration. */
export function parseProviders(body: unknown): Provider[] {
  const providers = list(fields(body), "items").map(provider);
  return [...providers.filter(({ state }) => state !== "unset"), ...providers.filter(({ state }) => state === "unset")];
}

const provider = (item: Fields): Provider => ({
  name: item.text("name"),
  adapter: item.text("adapter"),
  state: stateOf(item),
  variable: item.text("set_variable") || null,
  lastError: item.value("reachable") === false ? item.text("last_error") : "",
  models: item.texts("models"),
});

/** A provider cools down as a whole when none of its models can be called with any key. */
function stateOf(item: Fields): ProviderState {
  if (item.value("configured") === false) return "unset";
  const deployments = list(item, "deployments");
  const cooling = deployments.filter((deployment) => deployment.text("cooling_down_until") !== "");
  if (cooling.length > 0 && cooling.length === deployments.length) return "cooling";
  return item.value("reachable") === false ? "silent" : "ready";
}
