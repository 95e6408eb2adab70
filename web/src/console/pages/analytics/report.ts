import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

export const RANGES_DAYS = [1, 7, 30, 90, 365] as const;
export const GROUPS = ["hour", "day", "week", "month"] as const;
export type GroupBy = (typeof GROUPS)[number];

/** What is asked for of the service. */
export interface Question {
  days: number;
  groupBy: GroupBy;
  tz: string;
}

export interface Figures {
  label: string;
  questions: number;
  searches: number;
  zeroHits: number;
  errors: number;
  tokens: number;
  costUsd: number;
}

/** Seconds; null where nothing was measured. */
export interface Times {
  p50: number | null;
  p95: number | null;
}

export interface Report {
  totals: Figures;
  sessions: number;
  firstToken: Times;
  duration: Times;
  periods: Figures[];
  models: (Figures & { firstToken: Times })[];
  top: { text: string; count: number; zeroHits: number }[];
  errorKinds: [string, number][];
}

/** More bars than a week of hours cannot be told apart; the service itself would give 92 days. */
const MAX_DAYS_BY_HOUR = 7;

/** The question that an address asks; anything else in it is passed over. */
export function parseQuestion(query: URLSearchParams, tz: string): Question {
  const days = RANGES_DAYS.find((range) => String(range) === query.get("days")) ?? 30;
  const asked = GROUPS.find((group) => group === query.get("by"));
  const groupBy = asked && offers(days).includes(asked) ? asked : days === 1 ? "hour" : "day";
  return { days, groupBy, tz };
}

/** The groups that a range can be shown in. */
export const offers = (days: number): GroupBy[] => GROUPS.filter((group) => group !== "hour" || days <= MAX_DAYS_BY_HOUR);

export async function readReport(client: ApiClient, { days, groupBy, tz }: Question, signal: AbortSignal): Promise<Report> {
  const query = { days: String(days), group_by: groupBy, tz };
  return parseReport(await client.get("api/analytics/statistics", { query, signal }));
}

export function parseReport(body: unknown): Report {
  const from = fields(body);
  const total = (name: string): number => from.count(`total_${name}`);
  return {
    totals: {
      label: "",
      questions: total("questions"),
      searches: total("searches"),
      zeroHits: total("zero_hits"),
      errors: total("errors"),
      tokens: total("tokens"),
      costUsd: total("cost_usd"),
    },
    sessions: total("sessions"),
    firstToken: times(from, "first_token_seconds"),
    duration: times(from, "duration_seconds"),
    periods: list(from, "series").map((period) => figures(period, period.text("label"))),
    models: list(from, "by_model").map((model) => ({
      ...figures(model, [model.text("provider"), model.text("model")].filter(Boolean).join("/")),
      firstToken: times(model, "first_token_seconds"),
    })),
    top: list(from, "top_queries").map((asked) => ({ text: asked.text("text"), count: asked.count("count"), zeroHits: asked.count("zero_hits") })),
    errorKinds: Object.entries(fields(from.value("errors")).all).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  };
}

const figures = (from: Fields, label: string): Figures => ({
  label,
  questions: from.count("questions"),
  searches: from.count("searches"),
  zeroHits: from.count("zero_hits"),
  errors: from.count("errors"),
  tokens: from.count("input_tokens") + from.count("output_tokens"),
  costUsd: from.count("cost_usd"),
});

function times(from: Fields, name: string): Times {
  const measured = fields(from.value(name));
  return { p50: measured.number("p50"), p95: measured.number("p95") };
}
