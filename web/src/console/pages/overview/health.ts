import type { ApiClient } from "../../client";
import { Failure } from "../../../transport/failure";

export const SERVICES = ["llm_proxy", "kb", "analytics"] as const;
export type ServiceName = (typeof SERVICES)[number];
export type ServiceStatus = "ok" | "degraded" | "unavailable" | "silent";

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

/** What a service says of itself; `silent` when it says nothing. */
export interface ServiceHealth {
  service: ServiceName;
  status: ServiceStatus;
  version: string;
  checks: Check[];
}

/** All services at once; one that does not answer is news, not a failure. */
export const readHealth = (client: ApiClient, signal: AbortSignal): Promise<ServiceHealth[]> =>
  Promise.all(SERVICES.map((service) => readService(client, service, signal)));

async function readService(client: ApiClient, service: ServiceName, signal: AbortSignal): Promise<ServiceHealth> {
  try {
    return parseHealth(service, await client.get(`services/${service}/readyz`, { signal, accept: [503] }));
  } catch (error) {
    if (error instanceof Failure) return { service, status: "silent", version: "", checks: [] };
    throw error;
  }
}

export function parseHealth(service: ServiceName, body: unknown): ServiceHealth {
  const { status, version, checks } = (body ?? {}) as Record<string, unknown>;
  const known = status === "ok" || status === "degraded" || status === "unavailable";
  return {
    service,
    // A 503 of nginx has no status in its body: the service itself said nothing.
    status: known ? status : "silent",
    version: typeof version === "string" ? version : "",
    checks: typeof checks === "object" && checks !== null ? Object.entries(checks).map(parseCheck) : [],
  };
}

function parseCheck([name, value]: [string, unknown]): Check {
  const { ok, detail } = (value ?? {}) as Record<string, unknown>;
  return { name, ok: ok === true, detail: typeof detail === "string" ? detail : "" };
}
