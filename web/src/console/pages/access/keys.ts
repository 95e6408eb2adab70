import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** Keys as llm_proxy says them: docs/http.md, docs/api.md. */
export const KINDS = ["application", "publishable", "provider"] as const;
export type Kind = (typeof KINDS)[number];
export type KeyState = "active" | "spent" | "expired" | "revoked";

/** Limits that are whole numbers, and those that are money. */
export const COUNTS = ["requests_per_minute", "tokens_per_minute", "concurrent", "visitor_requests_per_minute"] as const;
export const MONEYS = ["daily_budget_usd", "monthly_budget_usd"] as const;
export type Limit = (typeof COUNTS)[number] | (typeof MONEYS)[number];

export interface Key {
  id: string;
  kind: Kind;
  name: string;
  /** The first and the last characters of the secret. */
  hint: string;
  provider: string | null;
  models: string[];
  origins: string[];
  assistant: string | null;
  limits: Record<Limit, number | null>;
  spentTodayUsd: number;
  spentThisMonthUsd: number;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
  oldSecretUntil: string | null;
  revokedAt: string | null;
}

/** A key whose secret came with it, this once; a provider's has none to show. */
export interface Made {
  key: Key;
  secret: string | null;
}

/** What is sent; null takes a limit away. */
export type KeyValues = Record<string, string | number | string[] | null>;

const KEYS = "api/llm/keys";
const one = (id: string): string => `${KEYS}/${encodeURIComponent(id)}`;

export const readKeys = async (client: ApiClient, signal: AbortSignal): Promise<Key[]> =>
  list(fields(await client.get(KEYS, { signal })), "items").map(parseKey);

export const readKey = async (client: ApiClient, id: string, signal: AbortSignal): Promise<Key> =>
  parseKey(fields(await client.get(one(id), { signal })));

/** What is used right now, over all instances; null where no limit counts it. */
export type Usage = Partial<Record<Limit, number | null>>;

export async function readUsage(client: ApiClient, id: string, signal: AbortSignal): Promise<Usage> {
  const body = fields(await client.get(`${one(id)}/usage`, { signal }));
  return {
    requests_per_minute: body.number("requests_last_minute"),
    tokens_per_minute: body.number("tokens_last_minute"),
    concurrent: body.number("running"),
  };
}

export const createKey = async (client: ApiClient, values: KeyValues): Promise<Made> => made(await client.post(KEYS, values));

export const changeKey = async (client: ApiClient, id: string, values: KeyValues): Promise<Key> =>
  parseKey(fields(await client.patch(one(id), values)));

export const rotateKey = async (client: ApiClient, id: string, values: KeyValues): Promise<Made> =>
  made(await client.post(`${one(id)}/rotate`, values));

export const revokeKey = async (client: ApiClient, id: string): Promise<void> => {
  await client.delete(one(id));
};

function made(body: unknown): Made {
  const item = fields(body);
  return { key: parseKey(item), secret: item.text("key") || null };
}

export function parseKey(item: Fields): Key {
  return {
    id: item.text("id"),
    kind: KINDS.find((kind) => kind === item.text("kind")) ?? "application",
    name: item.text("name"),
    hint: item.text("hint"),
    provider: item.text("provider") || null,
    models: item.texts("models"),
    origins: item.texts("origins"),
    assistant: item.text("assistant") || null,
    limits: Object.fromEntries([...COUNTS, ...MONEYS].map((name) => [name, item.number(name)])) as Key["limits"],
    spentTodayUsd: item.count("spent_today_usd"),
    spentThisMonthUsd: item.count("spent_this_month_usd"),
    createdAt: item.text("created_at"),
    lastUsedAt: item.text("last_used_at") || null,
    expiresAt: item.text("expires_at") || null,
    oldSecretUntil: item.text("old_secret_until") || null,
    revokedAt: item.text("revoked_at") || null,
  };
}

export function stateOf(key: Key, now: Date): KeyState {
  if (key.revokedAt) return "revoked";
  if (key.expiresAt && new Date(key.expiresAt) <= now) return "expired";
  const { daily_budget_usd: daily, monthly_budget_usd: monthly } = key.limits;
  const spent = (daily !== null && key.spentTodayUsd >= daily) || (monthly !== null && key.spentThisMonthUsd >= monthly);
  return spent ? "spent" : "active";
}

/** Which limits a key of a kind may have, in the order in which they are shown. */
export const limitsOf = (kind: Kind): Limit[] =>
  kind === "provider" ? [] : [...COUNTS.filter((name) => kind === "publishable" || name !== "visitor_requests_per_minute"), ...MONEYS];

/** Whether the old secret of a rotated key works on. */
export const oldWorks = (key: Key, now: Date): boolean => key.oldSecretUntil !== null && new Date(key.oldSecretUntil) > now;
