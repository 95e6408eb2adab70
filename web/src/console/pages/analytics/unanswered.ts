import type { ApiClient } from "../../client";
import { fields, list } from "../../parts/json";
import type { Span } from "../../parts/report";

/** Questions without an answer, and what questions are about: docs/api.md. */
export const REASONS = ["zero_hit", "low_score", "refused", "thumbs_down"] as const;
export type Reason = (typeof REASONS)[number];

export interface Unanswered {
  text: string;
  count: number;
  lastAsked: string;
  gapId: number | null;
  answered: boolean;
}

export async function readUnanswered(client: ApiClient, reason: Reason, { days, tz }: Span, signal: AbortSignal): Promise<Unanswered[]> {
  const query = { reason, days: String(days), tz };
  return parseUnanswered(await client.get("api/analytics/unanswered", { query, signal }));
}

export const parseUnanswered = (body: unknown): Unanswered[] =>
  list(fields(body), "questions").map((question) => ({
    text: question.text("text"),
    count: question.count("count"),
    lastAsked: question.text("last_asked"),
    gapId: question.number("gap_id"),
    answered: question.text("gap_state") === "answered",
  }));

export interface Intent {
  name: string;
  count: number;
  share: number;
  /** One for each period of the range. */
  series: number[];
}

export interface Intents {
  /** The periods' labels. */
  labels: string[];
  intents: Intent[];
}

export async function readIntents(client: ApiClient, { days, groupBy, tz }: Span, signal: AbortSignal): Promise<Intents> {
  const query = { days: String(days), group_by: groupBy, tz };
  const [distribution, trend] = await Promise.all([
    client.get("api/analytics/intent-distribution", { query, signal }),
    client.get("api/analytics/query-trend", { query, signal }),
  ]);
  return parseIntents(distribution, trend);
}

export function parseIntents(distribution: unknown, trend: unknown): Intents {
  const periods = list(fields(trend), "series");
  const counted = periods.map((period) => fields(period.value("intents")));
  return {
    labels: periods.map((period) => period.text("label")),
    intents: list(fields(distribution), "intents").map((intent) => ({
      name: intent.text("intent"),
      count: intent.count("count"),
      share: intent.count("share"),
      series: counted.map((period) => period.count(intent.text("intent"))),
    })),
  };
}
