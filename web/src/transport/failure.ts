/**
 * Everything that can go wrong between a page and the services, as one type.
 *
 * `kind` chooses the words a person reads; the server's own message stands below them as a detail.
 */
export type FailureKind =
  | "offline"
  | "unreachable"
  | "truncated"
  | "unreadable"
  | "empty"
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "too_large"
  | "rate_limited"
  | "upstream"
  | "overloaded"
  | "timeout"
  | "internal";

export interface FailureDetails {
  message?: string | undefined;
  status?: number | undefined;
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
}

export class Failure extends Error {
  readonly kind: FailureKind;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: FailureKind, details: FailureDetails = {}) {
    super(details.message ?? "");
    this.name = "Failure";
    this.kind = kind;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

const KIND_BY_TYPE: Record<string, FailureKind> = {
  invalid_request_error: "invalid",
  authentication_error: "unauthenticated",
  permission_error: "forbidden",
  not_found_error: "not_found",
  conflict_error: "conflict",
  payload_too_large: "too_large",
  rate_limit_error: "rate_limited",
  proxy_error: "upstream",
  overloaded_error: "overloaded",
  timeout_error: "timeout",
  internal_error: "internal",
};

const KIND_BY_STATUS: Record<number, FailureKind> = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  405: "invalid",
  409: "conflict",
  413: "too_large",
  422: "invalid",
  429: "rate_limited",
  502: "upstream",
  503: "overloaded",
  504: "timeout",
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** The contract's error body, `{"error": {message, type, code, request_id}}`, or anything else that came instead. */
export function failureFromBody(body: unknown, headers?: Headers, status?: number): Failure {
  const error = isRecord(body) && isRecord(body["error"]) ? body["error"] : {};
  const code = status ?? (typeof error["code"] === "number" ? error["code"] : undefined);
  const kind =
    KIND_BY_TYPE[text(error["type"]) ?? ""] ?? (code === undefined ? undefined : KIND_BY_STATUS[code]);
  return new Failure(kind ?? "internal", {
    message: text(error["message"]),
    status: code,
    requestId: text(error["request_id"]) ?? headers?.get("x-request-id") ?? undefined,
    retryAfterSeconds: seconds(headers?.get("retry-after")),
  });
}

/** A refused answer; its body may be JSON of the contract, or a proxy's page. */
export async function failureFromResponse(response: Response): Promise<Failure> {
  const body = await response.text().then(parseJson, () => undefined);
  return failureFromBody(body, response.headers, response.status);
}

/** What `fetch` or a reader threw: no connection, or one that broke. An abort is passed on as it is. */
export function failureFromThrown(error: unknown): unknown {
  if (error instanceof Failure || isAbort(error)) return error;
  const online = globalThis.navigator?.onLine ?? true;
  return new Failure(online ? "unreachable" : "offline");
}

export const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";

export function parseJson(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch {
    return undefined;
  }
}

/** `Retry-After` in seconds; its date form is read too. */
function seconds(header: string | null | undefined): number | undefined {
  if (!header) return undefined;
  const number = Number(header);
  if (Number.isFinite(number)) return Math.max(0, Math.ceil(number));
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}
