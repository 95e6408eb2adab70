import type { ApiClient } from "../client";
import { fields, list, type Fields } from "./json";

/** What `GET /api/analytics/statistics` tells of a range: docs/api.md. */
export interface Figures {
  /** A period as the service calls it. */
  label: string;
  questions: number;
  searches: number;
  zeroHits: number;
  lowScores: number;
  sessions: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
  thumbsUp: number;
  thumbsDown: number;
  fallbacks: number;
  cacheHits: number;
}

/** Seconds; null where nothing was measured. */
export interface Times {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** Names as the service calls them, with how often; most first. */
export type Counts = [name: string, count: number][];

export interface ModelFigures {
  provider: string;
  /** Empty: all models of the provider. */
  model: string;
  questions: number;
  /** Calls for embeddings, which are no questions. */
  embeddings: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
  fallbacks: number;
  cacheHits: number;
  firstToken: Times;
  duration: Times;
  endings: Counts;
  errorKinds: Counts;
}

export interface Report {
  /** RFC 3339, UTC; the end is no part of the range. */
  start: string;
  end: string;
  totals: Figures;
  firstToken: Times;
  duration: Times;
  periods: Figures[];
  providers: ModelFigures[];
  models: ModelFigures[];
  top: { text: string; count: number; zeroHits: number }[];
  /** No count of `top` is too low by more than this. */
  topMissed: number;
  errorKinds: Counts;
}

/** The range that the service is asked for. */
export interface Span {
  days: number;
  groupBy: string;
  tz: string;
}

export async function readReport(client: ApiClient, { days, groupBy, tz }: Span, signal: AbortSignal): Promise<Report> {
  const query = { days: String(days), group_by: groupBy, tz };
  return parseReport(await client.get("api/analytics/statistics", { query, signal }));
}

export function parseReport(body: unknown): Report {
  const from = fields(body);
  return {
    start: from.text("start"),
    end: from.text("end"),
    totals: figures(from, "", "total_"),
    firstToken: times(from, "first_token_seconds"),
    duration: times(from, "duration_seconds"),
    periods: list(from, "series").map((period) => figures(period, period.text("label"))),
    providers: list(from, "by_provider").map(modelFigures),
    models: list(from, "by_model").map(modelFigures),
    top: list(from, "top_queries").map((asked) => ({ text: asked.text("text"), count: asked.count("count"), zeroHits: asked.count("zero_hits") })),
    topMissed: from.count("top_queries_missed_at_most"),
    errorKinds: counts(from, "errors"),
  };
}

const figures = (from: Fields, label: string, prefix = ""): Figures => {
  const count = (name: string): number => from.count(prefix + name);
  return {
    label,
    questions: count("questions"),
    searches: count("searches"),
    zeroHits: count("zero_hits"),
    lowScores: count("low_scores"),
    sessions: count("sessions"),
    errors: count("errors"),
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    costUsd: count("cost_usd"),
    thumbsUp: count("thumbs_up"),
    thumbsDown: count("thumbs_down"),
    fallbacks: count("fallbacks"),
    cacheHits: count("cache_hits"),
  };
};

const modelFigures = (from: Fields): ModelFigures => ({
  provider: from.text("provider"),
  model: from.text("model"),
  questions: from.count("questions"),
  embeddings: from.count("embeddings"),
  errors: from.count("errors"),
  inputTokens: from.count("input_tokens"),
  outputTokens: from.count("output_tokens"),
  costUsd: from.count("cost_usd"),
  fallbacks: from.count("fallbacks"),
  cacheHits: from.count("cache_hits"),
  firstToken: times(from, "first_token_seconds"),
  duration: times(from, "duration_seconds"),
  endings: counts(from, "end_reasons"),
  errorKinds: counts(from, "error_types"),
});

function times(from: Fields, name: string): Times {
  const measured = fields(from.value(name));
  return { p50: measured.number("p50"), p95: measured.number("p95"), p99: measured.number("p99") };
}

const counts = (from: Fields, name: string): Counts =>
  Object.entries(fields(from.value(name)).all).filter((entry): entry is [string, number] => typeof entry[1] === "number");
