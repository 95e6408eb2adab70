import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** models.yaml and assistants.yaml as the gateway loaded them: docs/api.md. */
export interface LoadedModel {
  name: string;
  kind: "chat" | "embedding";
  price: { currency: string; input: number; output: number } | null;
  maxTokens: number | null;
  contextTokens: number | null;
  languages: string[];
}

export interface LoadedProvider {
  name: string;
  adapter: string;
  baseUrl: string;
  configured: boolean;
  variable: string | null;
  anyModel: boolean;
  headerNames: string[];
  models: LoadedModel[];
}

/** One text in both languages. */
export type Both = Record<"zh" | "en", string>;

export const TEXTS = ["prompt", "question", "nothing_found", "quoted"] as const;

export interface LoadedAssistant {
  name: string;
  collection: string;
  topK: number;
  minScore: number | null;
  model: string | null;
  rewriteModel: string | null;
  maxTokens: number;
  temperature: number;
  maxPassageCharacters: number;
  maxQuestionCharacters: number;
  maxHistoryMessages: number;
  maxHistoryCharacters: number;
  texts: Record<(typeof TEXTS)[number], Both>;
}

export interface Loaded {
  modelsProblem: string | null;
  assistantsProblem: string | null;
  default: string | null;
  order: string[];
  embedding: string | null;
  aliases: [string, string][];
  deployments: [string, { model: string; weight: number; ownKey: boolean }[]][];
  fallbacks: [string, string[]][];
  providers: LoadedProvider[];
  assistants: LoadedAssistant[];
}

export const readLoaded = async (client: ApiClient, signal: AbortSignal): Promise<Loaded> =>
  parseLoaded(await client.get("api/llm/configuration", { signal }));

export function parseLoaded(value: unknown): Loaded {
  const body = fields(value);
  const group = (name: string): Fields => fields(body.value(name));
  const names = (name: string): string[] => Object.keys(group(name).all);
  return {
    modelsProblem: group("models_file").text("problem") || null,
    assistantsProblem: group("assistants_file").text("problem") || null,
    default: body.text("default") || null,
    order: body.texts("default_order"),
    embedding: body.text("default_embedding") || null,
    aliases: names("aliases").map((name) => [name, group("aliases").text(name)]),
    deployments: names("deployments").map((name) => [name, list(group("deployments"), name).map(parseDeployment)]),
    fallbacks: names("fallbacks").map((name) => [name, group("fallbacks").texts(name)]),
    providers: list(body, "providers").map(parseProvider),
    assistants: list(body, "assistants").map(parseAssistant),
  };
}

const parseDeployment = (item: Fields) => ({ model: item.text("model"), weight: item.count("weight"), ownKey: item.flag("own_key") });

const parseProvider = (item: Fields): LoadedProvider => ({
  name: item.text("name"),
  adapter: item.text("adapter"),
  baseUrl: item.text("base_url"),
  configured: item.flag("configured"),
  variable: item.text("set_variable") || null,
  anyModel: item.flag("any_model"),
  headerNames: item.texts("header_names"),
  models: list(item, "models").map(parseModel),
});

function parseModel(item: Fields): LoadedModel {
  const price = fields(item.value("price"));
  return {
    name: item.text("name"),
    kind: item.text("kind") === "embedding" ? "embedding" : "chat",
    price: price.number("input") === null ? null : { currency: price.text("currency") || "USD", input: price.count("input"), output: price.count("output") },
    maxTokens: item.number("max_tokens"),
    contextTokens: item.number("context_tokens"),
    languages: item.texts("languages"),
  };
}

function parseAssistant(item: Fields): LoadedAssistant {
  const both = (name: string): Both => {
    const words = fields(item.value(name));
    return { zh: words.text("zh"), en: words.text("en") };
  };
  return {
    name: item.text("name"),
    collection: item.text("collection"),
    topK: item.count("top_k"),
    minScore: item.number("min_score"),
    model: item.text("model") || null,
    rewriteModel: item.text("rewrite_model") || null,
    maxTokens: item.count("max_tokens"),
    temperature: item.count("temperature"),
    maxPassageCharacters: item.count("max_passage_characters"),
    maxQuestionCharacters: item.count("max_question_characters"),
    maxHistoryMessages: item.count("max_history_messages"),
    maxHistoryCharacters: item.count("max_history_characters"),
    texts: Object.fromEntries(TEXTS.map((name) => [name, both(name)])) as LoadedAssistant["texts"],
  };
}
