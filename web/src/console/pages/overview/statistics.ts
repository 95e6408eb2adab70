import type { ApiClient } from "../../client";

/** Totals of today, in the reader's time zone. A total that the service does not name is null, which is not zero. */
export interface Totals {
  questions: number | null;
  searches: number | null;
  zeroHits: number | null;
  sessions: number | null;
  errors: number | null;
  tokens: number | null;
  costUsd: number | null;
}

export async function readTotals(client: ApiClient, signal: AbortSignal): Promise<Totals> {
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return parseTotals(await client.get("api/analytics/statistics", { query: { days: "1", tz }, signal }));
}

export function parseTotals(body: unknown): Totals {
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const number = (name: string): number | null => (typeof fields[name] === "number" ? fields[name] : null);
  return {
    questions: number("total_questions"),
    searches: number("total_searches"),
    zeroHits: number("total_zero_hits"),
    sessions: number("total_sessions"),
    errors: number("total_errors"),
    tokens: number("total_tokens"),
    costUsd: number("total_cost_usd"),
  };
}
