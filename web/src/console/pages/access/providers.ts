import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** A model with one of its keys, as all instances that were heard see it. */
export interface Deployment {
  model: string;
  /** Counted from 1. */
  key: number;
  usable: boolean;
  /** RFC 3339; null where nothing is waited for. */
  coolingUntil: string | null;
  running: number;
  failures: number;
  reachable: boolean | null;
  lastError: string | null;
}

export interface ProviderView {
  name: string;
  adapter: string;
  configured: boolean;
  variable: string | null;
  keys: number;
  deployments: Deployment[];
}

export interface ProvidersSeen {
  instance: number;
  seenAt: number;
  providers: ProviderView[];
}

export type Standing = "ready" | "cooling" | "failing" | "untried";

const FRESH_MS = 60_000;

export async function readProvidersSeen(client: ApiClient, signal: AbortSignal): Promise<ProvidersSeen> {
  const body = fields(await client.get("api/llm/providers", { signal }));
  return { instance: body.count("instance"), seenAt: Date.now(), providers: list(body, "items").map(parseProvider) };
}

export function parseProvider(item: Fields): ProviderView {
  return {
    name: item.text("name"),
    adapter: item.text("adapter"),
    configured: item.flag("configured"),
    variable: item.text("set_variable") || null,
    keys: item.count("keys"),
    deployments: list(item, "deployments").map(parseDeployment),
  };
}

const parseDeployment = (item: Fields): Deployment => ({
  model: item.text("model"),
  key: item.number("key") ?? 1,
  usable: item.value("usable") !== false,
  coolingUntil: item.text("cooling_down_until") || null,
  running: item.count("running"),
  failures: item.count("failures"),
  reachable: typeof item.value("reachable") === "boolean" ? item.flag("reachable") : null,
  lastError: item.text("last_error") || null,
});

/**
 * What each instance saw, the newest answer of each: nginx asks them in turn, and each knows its own calls alone.
 * One that was not heard of for a minute is gone.
 */
export function noted(before: readonly ProvidersSeen[], seen: ProvidersSeen): ProvidersSeen[] {
  const others = before.filter(({ instance, seenAt }) => instance !== seen.instance && seen.seenAt - seenAt < FRESH_MS);
  return [...others, seen].sort((a, b) => a.instance - b.instance);
}

/** Instances put together: calls are added up, of all else the worst counts. The newest answer says what there is. */
export function together(seen: readonly ProvidersSeen[]): ProviderView[] {
  const newest = seen.reduce<ProvidersSeen | null>((best, one) => (best && best.seenAt >= one.seenAt ? best : one), null);
  return (newest?.providers ?? []).map((provider) => ({
    ...provider,
    deployments: provider.deployments.map((deployment) => seen.flatMap((one) => same(one, provider.name, deployment)).reduce(worst)),
  }));
}

const same = ({ providers }: ProvidersSeen, name: string, { model, key }: Deployment): Deployment[] =>
  providers.filter((provider) => provider.name === name).flatMap(({ deployments }) => deployments.filter((one) => one.model === model && one.key === key));

function worst(one: Deployment, other: Deployment): Deployment {
  return {
    ...one,
    usable: one.usable && other.usable,
    coolingUntil: [one.coolingUntil, other.coolingUntil].filter((time) => time !== null).sort().at(-1) ?? null,
    running: one.running + other.running,
    failures: Math.max(one.failures, other.failures),
    reachable: one.reachable === false || other.reachable === false ? false : (one.reachable ?? other.reachable),
    lastError: one.lastError ?? other.lastError,
  };
}

export function standingOf(deployment: Deployment): Standing {
  if (deployment.coolingUntil || !deployment.usable) return "cooling";
  if (deployment.reachable === false) return "failing";
  return deployment.reachable === null ? "untried" : "ready";
}
