import type { ApiClient } from "../../client";
import { fields, list } from "../../parts/json";

/** What a key can be bound to, as the gateway loaded it. */
export interface Choices {
  providers: string[];
  assistants: string[];
  /** Names as callers say them, assistants last. */
  models: string[];
}

export async function readChoices(client: ApiClient, signal: AbortSignal): Promise<Choices> {
  const body = fields(await client.get("api/llm/configuration", { signal }));
  const providers = list(body, "providers");
  const assistants = list(body, "assistants").map((item) => item.text("name"));
  const listed = providers
    .filter((provider) => provider.flag("configured"))
    .flatMap((provider) => list(provider, "models").filter((model) => model.text("kind") !== "embedding").map((model) => `${provider.text("name")}/${model.text("name")}`));
  const named = ["aliases", "deployments"].flatMap((group) => Object.keys(fields(body.value(group)).all));
  return {
    providers: providers.map((provider) => provider.text("name")),
    assistants,
    models: [...new Set([...listed, ...named, ...assistants.map((name) => `assistant/${name}`)])],
  };
}
