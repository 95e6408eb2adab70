import type { ApiClient } from "../../client";
import { fields } from "../../parts/json";
import { KINDS, type Kind } from "./question";

/** Deleting old records: what would go, or what went. docs/api.md. */
export interface Cleanup {
  olderThanDays: number;
  cutoff: string;
  total: number;
  byKind: [kind: Kind, count: number][];
  kept: { questions: number; searches: number; tokens: number; costUsd: number };
  freedBytes: number;
}

export async function cleanUp(client: ApiClient, olderThanDays: number, dryRun: boolean): Promise<Cleanup> {
  return parseCleanup(await client.post("api/analytics/cleanup", { older_than_days: olderThanDays, dry_run: dryRun }));
}

export function parseCleanup(body: unknown): Cleanup {
  const answer = fields(body);
  const counted = fields(answer.value(answer.flag("dry_run") ? "would_delete" : "deleted"));
  const kept = fields(answer.value("totals_kept"));
  return {
    olderThanDays: answer.count("older_than_days"),
    cutoff: answer.text("cutoff"),
    total: counted.count("total"),
    byKind: KINDS.map((kind): [Kind, number] => [kind, counted.count(kind)]).filter(([, count]) => count > 0),
    kept: {
      questions: kept.count("total_questions"),
      searches: kept.count("total_searches"),
      tokens: kept.count("total_tokens"),
      costUsd: kept.count("total_cost_usd"),
    },
    freedBytes: answer.count("freed_bytes"),
  };
}

const MOST_DAYS = 36_500;

/** Null where the text is no number of days that the service takes. */
export function parseDays(text: string): number | null {
  const days = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return days >= 1 && days <= MOST_DAYS ? days : null;
}
