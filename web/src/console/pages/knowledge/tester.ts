import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** The search tester: one question asked in three ways, and where each passage stands in each of them. */
export const MODES = ["hybrid", "dense", "lexical"] as const;
export type Mode = (typeof MODES)[number];

export interface Hit {
  id: string;
  title: string;
  source: string;
  snippet: string;
  /** Where the snippet holds words of the question: [start, end) in code points. */
  highlights: [number, number][];
  relevance: number;
  dense: number | null;
  lexical: number | null;
  documentId: string;
  position: number;
}

export interface Answer {
  hits: Hit[];
  total: number;
  tookMs: number;
  degraded: string[];
}

/** A passage with its place, from 1, in each way of searching; null: not among the first. */
export interface Row {
  hit: Hit;
  ranks: Record<Mode, number | null>;
  dense: number | null;
  lexical: number | null;
}

export interface Comparison {
  rows: Row[];
  tookMs: Record<Mode, number>;
  degraded: string[];
}

export const TOP_K = 10;

export async function compare(client: ApiClient, collection: string, question: string, signal: AbortSignal): Promise<Comparison> {
  const answers = await Promise.all(MODES.map((mode) => search(client, collection, question, mode, signal)));
  return joined(Object.fromEntries(MODES.map((mode, place) => [mode, answers[place]])) as Record<Mode, Answer>);
}

async function search(client: ApiClient, collection: string, q: string, mode: Mode, signal: AbortSignal): Promise<Answer> {
  const body = { q, collection, mode, top_k: TOP_K };
  const headers = { "X-Trivet-Cause": "replay" }; // a trial is nobody's search: analytics does not count it
  return parseAnswer(await client.post("api/search", body, { signal, headers }));
}

export function parseAnswer(body: unknown): Answer {
  const answer = fields(body);
  return {
    hits: list(answer, "results").map(parseHit),
    total: answer.count("total_found"),
    tookMs: answer.count("took_ms"),
    degraded: answer.texts("degraded"),
  };
}

function parseHit(item: Fields): Hit {
  const metadata = fields(item.value("metadata"));
  const spans = item.value("highlights");
  return {
    id: item.text("id"),
    title: item.text("title"),
    source: item.text("source"),
    snippet: item.text("snippet"),
    highlights: Array.isArray(spans) ? spans.filter(isSpan) : [],
    relevance: item.count("relevance_score"),
    dense: item.number("score_dense"),
    lexical: item.number("score_lexical"),
    documentId: metadata.text("document_id"),
    position: metadata.count("position"),
  };
}

const isSpan = (value: unknown): value is [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === "number");

/** Fused order first; then what only one way found, in the order of that way. */
export function joined(answers: Record<Mode, Answer>): Comparison {
  const rows = new Map<string, Row>();
  for (const mode of MODES) {
    answers[mode].hits.forEach((hit, place) => {
      const row = rows.get(hit.id) ?? { hit, ranks: { hybrid: null, dense: null, lexical: null }, dense: null, lexical: null };
      row.ranks[mode] = place + 1;
      row.dense ??= hit.dense;
      row.lexical ??= hit.lexical;
      rows.set(hit.id, row);
    });
  }
  return {
    rows: [...rows.values()],
    tookMs: { hybrid: answers.hybrid.tookMs, dense: answers.dense.tookMs, lexical: answers.lexical.tookMs },
    degraded: answers.hybrid.degraded,
  };
}

/** A snippet in pieces, those with words of the question marked. Offsets count code points, as Python does. */
export function pieces(text: string, highlights: readonly [number, number][]): { text: string; marked: boolean }[] {
  const characters = [...text];
  const found: { text: string; marked: boolean }[] = [];
  let at = 0;
  for (const [start, end] of highlights) {
    if (start < at || end > characters.length || end <= start) continue;
    if (start > at) found.push({ text: characters.slice(at, start).join(""), marked: false });
    found.push({ text: characters.slice(start, end).join(""), marked: true });
    at = end;
  }
  if (at < characters.length) found.push({ text: characters.slice(at).join(""), marked: false });
  return found;
}

/** A golden query as `trivet evaluate` reads it: one line of JSON. */
export const goldenLine = (query: string, relevant: readonly string[]): string => JSON.stringify({ query, relevant });
