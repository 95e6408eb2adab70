import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** Conversations as analytics says them: docs/api.md. */
export interface Wanted {
  text: string;
  from: string;
  to: string;
  assistant: string;
  ending: string;
  visitor: string;
}

export interface Conversation {
  id: string;
  started: string;
  last: string;
  questions: number;
  question: string | null;
  matching: string | null;
  visitor: string | null;
  assistants: string[];
  models: string[];
  /** How the answers ended, each with how often. */
  endings: [string, number][];
  tokens: number;
  costUsd: number;
  thumbsUp: number;
  thumbsDown: number;
}

export interface ConversationPage {
  items: Conversation[];
  nextCursor: string | null;
  assistants: string[];
  endings: string[];
}

export interface Search {
  query: string;
  found: number;
  topScore: number | null;
}

export interface Turn {
  requestId: string;
  time: string;
  question: string | null;
  answer: string | null;
  assistant: string | null;
  /** `provider/model`. */
  model: string | null;
  fallbackFrom: string | null;
  attempts: number;
  status: number | null;
  errorType: string | null;
  ending: string;
  firstTokenSeconds: number | null;
  durationSeconds: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  estimated: boolean;
  costUsd: number | null;
  /** Null: none were looked for. */
  citations: string[] | null;
  searches: Search[];
  rating: "up" | "down" | null;
  comment: string | null;
}

export interface WholeConversation {
  id: string;
  started: string;
  last: string;
  visitor: string | null;
  turns: Turn[];
  earlier: number;
  storesQuestions: boolean;
  storesAnswers: boolean;
}

/** A passage that an answer was written from. */
export interface Passage {
  id: string;
  documentId: string;
  position: number;
  collection: string;
  title: string;
  source: string;
}

const NAMES = { text: "text", from: "date_from", to: "date_to", assistant: "assistant", ending: "end_reason", visitor: "visitor" } as const;
export const FILTERS = Object.keys(NAMES) as (keyof Wanted)[];
const MAX_ANSWER_CHARACTERS = 8000;
const MAX_PASSAGES = 200;

export async function readConversations(client: ApiClient, wanted: Wanted, cursor: string, signal: AbortSignal): Promise<ConversationPage> {
  const given = FILTERS.filter((name) => wanted[name] !== "").map((name) => [NAMES[name], bounded(name, wanted[name])]);
  const query: Record<string, string> = { ...Object.fromEntries(given), ...(cursor ? { cursor } : {}) };
  return parsePage(await client.get("api/analytics/conversations", { query, signal }));
}

/** A day of the reader's zone as a time: it begins at midnight, and its end is the next midnight. */
function bounded(name: keyof Wanted, value: string): string {
  if (name !== "from" && name !== "to") return value;
  const [year = 0, month = 1, day = 1] = value.split("-").map(Number);
  const time = new Date(year, month - 1, day + (name === "to" ? 1 : 0));
  return Number.isNaN(time.getTime()) ? value : time.toISOString();
}

export function parsePage(value: unknown): ConversationPage {
  const body = fields(value);
  return {
    items: list(body, "items").map(parseConversation),
    nextCursor: body.text("next_cursor") || null,
    assistants: body.texts("known_assistants"),
    endings: body.texts("known_end_reasons"),
  };
}

function parseConversation(item: Fields): Conversation {
  const endings = fields(item.value("end_reasons"));
  return {
    id: item.text("id"),
    started: item.text("started"),
    last: item.text("last"),
    questions: item.count("questions"),
    question: item.text("question") || null,
    matching: item.text("matching") || null,
    visitor: item.text("visitor_id") || null,
    assistants: item.texts("assistants"),
    models: item.texts("models"),
    endings: Object.keys(endings.all).map((name) => [name, endings.count(name)]),
    tokens: item.count("input_tokens") + item.count("output_tokens"),
    costUsd: item.count("cost_usd"),
    thumbsUp: item.count("thumbs_up"),
    thumbsDown: item.count("thumbs_down"),
  };
}

/** A longer list without what stands in it already: a conversation may have moved up meanwhile. */
export function joined(before: ConversationPage, next: ConversationPage): ConversationPage {
  const known = new Set(before.items.map(({ id }) => id));
  return { ...next, items: [...before.items, ...next.items.filter(({ id }) => !known.has(id))] };
}

export async function readConversation(client: ApiClient, id: string, signal: AbortSignal): Promise<WholeConversation> {
  return parseWhole(await client.get("api/analytics/conversation", { query: { id }, signal }));
}

export function parseWhole(value: unknown): WholeConversation {
  const body = fields(value);
  return {
    id: body.text("id"),
    started: body.text("started"),
    last: body.text("last"),
    visitor: body.text("visitor_id") || null,
    turns: list(body, "turns").map(parseTurn),
    earlier: body.count("earlier_turns"),
    storesQuestions: body.value("stores_questions") !== false,
    storesAnswers: body.flag("stores_answers"),
  };
}

function parseTurn(item: Fields): Turn {
  const text = (name: string): string | null => item.text(name) || null;
  const rating = item.text("rating");
  const [provider, model] = [item.text("provider"), item.text("model")];
  return {
    requestId: item.text("request_id"),
    time: item.text("time"),
    question: text("question"),
    answer: text("answer"),
    assistant: text("assistant"),
    model: provider && model ? `${provider}/${model}` : model || null,
    fallbackFrom: text("fallback_from"),
    attempts: item.count("attempts"),
    status: item.number("status"),
    errorType: text("error_type"),
    ending: item.text("end_reason") || "complete",
    firstTokenSeconds: item.number("first_token_seconds"),
    durationSeconds: item.number("duration_seconds"),
    inputTokens: item.number("input_tokens"),
    outputTokens: item.number("output_tokens"),
    estimated: ["estimated", "partial"].includes(item.text("usage_source")),
    costUsd: item.number("cost_usd"),
    citations: Array.isArray(item.value("citations")) ? item.texts("citations") : null,
    searches: list(item, "searches").map((one) => ({ query: one.text("query"), found: one.count("total_found"), topScore: one.number("top_score") })),
    rating: rating === "up" || rating === "down" ? rating : null,
    comment: text("comment"),
  };
}

/** Whether only an answer's beginning is kept. */
export const isCut = (answer: string): boolean => answer.length >= MAX_ANSWER_CHARACTERS;

/** The passages of a conversation by their ids; those that are gone are missing. */
export async function readPassages(client: ApiClient, turns: readonly Turn[], signal: AbortSignal): Promise<Map<string, Passage>> {
  const ids = [...new Set(turns.flatMap(({ citations }) => citations ?? []))].slice(0, MAX_PASSAGES);
  if (ids.length === 0) return new Map();
  const body = fields(await client.get("api/passages", { query: { ids: ids.join(",") }, signal }));
  return new Map(list(body, "items").map(parsePassage).map((passage) => [passage.id, passage]));
}

function parsePassage(item: Fields): Passage {
  const path = item.texts("heading_path");
  return {
    id: item.text("id"),
    documentId: item.text("document_id"),
    position: item.count("position"),
    collection: item.text("collection"),
    title: path.length > 0 ? path.join(" › ") : item.text("title"),
    source: item.text("source"),
  };
}
