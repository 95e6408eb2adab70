import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** Questions that mean the same and were not answered: docs/api.md. */
export const STATES = ["open", "answered", "failed", "all"] as const;
export type Shown = (typeof STATES)[number];
export type GapState = "open" | "answering" | "answered" | "failed";
export type GapKind = "missing" | "weak" | "unhelpful";

export interface Gap {
  id: number;
  state: GapState;
  kind: GapKind;
  question: string;
  collection: string;
  asked: number;
  zeroHits: number;
  lowScores: number;
  thumbsDown: number;
  refused: number;
  lastAsked: string;
  questions: { text: string; asked: number }[];
  answeredAt: string | null;
  source: string | null;
  replay: Replay[];
}

/** What a search found; `rank`: the place of the answer's document, from 1. */
export interface Side {
  found: number;
  topScore: number | null;
  rank: number | null;
}

export interface Replay {
  question: string;
  before: Side;
  after: Side;
}

export interface GapPage {
  items: Gap[];
  nextCursor: string | null;
  unclustered: number;
}

const GAPS = "api/analytics/gaps";

export async function readGaps(client: ApiClient, state: Shown, cursor: string, signal: AbortSignal): Promise<GapPage> {
  // The service shows one state at a time; without one the open gaps.
  const query = { limit: "50", ...(state === "all" ? {} : { state }), ...(cursor ? { cursor } : {}) };
  const pages = state === "all" ? await everyState(client, signal) : [parsePage(await client.get(GAPS, { query, signal }))];
  const items = pages.flatMap((page) => page.items);
  return { items, nextCursor: pages.length === 1 ? (pages[0]?.nextCursor ?? null) : null, unclustered: pages[0]?.unclustered ?? 0 };
}

async function everyState(client: ApiClient, signal: AbortSignal): Promise<GapPage[]> {
  const states: GapState[] = ["open", "answering", "failed", "answered"];
  return Promise.all(states.map(async (state) => parsePage(await client.get(GAPS, { query: { state, limit: "50" }, signal }))));
}

export interface GapAnswer {
  title: string;
  content: string;
  collection: string;
  lang: string;
}

export const answerGap = async (client: ApiClient, id: number, answer: GapAnswer): Promise<Gap> =>
  parseGap(fields(await client.post(`${GAPS}/${id}/answer`, answer)));

export function parsePage(body: unknown): GapPage {
  const page = fields(body);
  return { items: list(page, "items").map(parseGap), nextCursor: page.text("next_cursor") || null, unclustered: page.count("unclustered") };
}

export function parseGap(item: Fields): Gap {
  const states: GapState[] = ["open", "answering", "answered", "failed"];
  const kinds: GapKind[] = ["missing", "weak", "unhelpful"];
  return {
    id: item.count("id"),
    state: states.find((known) => known === item.text("state")) ?? "open",
    kind: kinds.find((known) => known === item.text("kind")) ?? "missing",
    question: item.text("question"),
    collection: item.text("collection") || "site",
    asked: item.count("asked"),
    zeroHits: item.count("zero_hits"),
    lowScores: item.count("low_scores"),
    thumbsDown: item.count("thumbs_down"),
    refused: item.count("refused"),
    lastAsked: item.text("last_asked"),
    questions: list(item, "questions").map((question) => ({ text: question.text("text"), asked: question.count("asked") })),
    answeredAt: item.text("answered_at") || null,
    source: item.text("source") || null,
    replay: list(item, "replay").map(parseReplay),
  };
}

const side = (item: Fields): Side => ({ found: item.count("found"), topScore: item.number("top_score"), rank: item.number("rank") });

const parseReplay = (item: Fields): Replay => ({
  question: item.text("question"),
  before: side(fields(item.value("before"))),
  after: side(fields(item.value("after"))),
});

/** The language of those who ask, as far as its signs tell. */
export const languageOf = (text: string): "zh" | "en" => (/\p{Script=Han}/u.test(text) ? "zh" : "en");
