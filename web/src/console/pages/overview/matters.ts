import { Failure } from "../../../transport/failure";
import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** What may need a person's attention, besides the services themselves; each is read by itself. */
export const MATTERS = ["gaps", "budgets", "tasks", "jobs"] as const;
export type MatterName = (typeof MATTERS)[number];

export interface Budget {
  keyId: string;
  name: string;
  period: "day" | "month";
  spentUsd: number;
  budgetUsd: number;
}

export interface Matters {
  openGaps: number;
  /** The most pressing question. */
  topGap: string;
  /** Those of which most is used. */
  budgets: Budget[];
  /** Ids of runs that failed lately, newest first. */
  failedTasks: string[];
  /** Ids of jobs that failed lately, in whole or in part. */
  failedJobs: string[];
  /** What could not be read. */
  unread: MatterName[];
}

const NEARLY_USED = 0.8;
const LATELY_MS = 24 * 60 * 60 * 1000;

export async function readMatters(client: ApiClient, signal: AbortSignal, now = new Date()): Promise<Matters> {
  const read = async (path: string, query: Record<string, string>): Promise<unknown> => {
    try {
      return await client.get(path, { query, signal });
    } catch (error) {
      // A log-in that ran out is asked for by the shell; then all is read again.
      if (error instanceof Failure && error.kind !== "unauthenticated") return undefined;
      throw error;
    }
  };
  const bodies = await Promise.all([
    read("api/analytics/gaps", { state: "open", limit: "1" }),
    read("api/llm/keys", {}),
    read("api/v1/workflow/tasks", { status: "failed", limit: "20" }),
    read("api/jobs", { limit: "20" }),
  ]);
  const [gaps, keys, tasks, jobs] = bodies;
  return {
    ...parseGaps(gaps),
    budgets: parseBudgets(keys, now),
    failedTasks: lately(tasks, "task_id", now),
    failedJobs: lately(jobs, "id", now, (job) => job.text("state") === "failed" || job.count("files_failed") > 0),
    unread: MATTERS.filter((_name, place) => bodies[place] === undefined),
  };
}

export function parseGaps(body: unknown): Pick<Matters, "openGaps" | "topGap"> {
  const page = fields(body);
  return { openGaps: page.count("total"), topGap: list(page, "items")[0]?.text("question") ?? "" };
}

/** Budgets of keys in force of which four fifths are used, or more; a key's more pressing one alone. */
export function parseBudgets(body: unknown, now: Date): Budget[] {
  const inForce = (key: Fields): boolean => !key.text("revoked_at") && !(Date.parse(key.text("expires_at")) <= now.getTime());
  return list(fields(body), "items")
    .filter(inForce)
    .flatMap((key) => budgetsOf(key).sort((one, other) => usedShare(other) - usedShare(one)).slice(0, 1))
    .filter((budget) => usedShare(budget) >= NEARLY_USED);
}

export const usedShare = ({ spentUsd, budgetUsd }: Budget): number => spentUsd / budgetUsd;

function budgetsOf(key: Fields): Budget[] {
  const budget = (period: Budget["period"], spent: string, limit: string): Budget[] => {
    const budgetUsd = key.number(limit);
    // A budget of nothing is somebody's will, and no news.
    return !budgetUsd ? [] : [{ keyId: key.text("id"), name: key.text("name"), period, spentUsd: key.count(spent), budgetUsd }];
  };
  return [...budget("day", "spent_today_usd", "daily_budget_usd"), ...budget("month", "spent_this_month_usd", "monthly_budget_usd")];
}

function lately(body: unknown, id: string, now: Date, counts: (item: Fields) => boolean = () => true): string[] {
  const recent = (item: Fields): boolean => now.getTime() - Date.parse(item.text("updated_at")) < LATELY_MS;
  return list(fields(body), "items")
    .filter((item) => recent(item) && counts(item))
    .map((item) => item.text(id));
}
