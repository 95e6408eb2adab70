import { readEvents, type ServerEvent } from "../transport/events";
import { Failure, failureFromResponse, failureFromThrown } from "../transport/failure";

export interface ApiRequest {
  query?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
  /** Statuses besides 2xx whose body is an answer, too: `/readyz` says 503 and why. */
  accept?: readonly number[];
  headers?: Record<string, string>;
  /** Told when a stream's connection stands, which may be long before its first event. */
  opened?: () => void;
}

/**
 * The services' JSON, with the session's cookie.
 *
 * Throws `Failure`; dispatches "unauthenticated" for a 401, so that the shell can ask for a log-in.
 */
export class ApiClient extends EventTarget {
  constructor(readonly root: URL) {
    super();
  }

  get(path: string, request: ApiRequest = {}): Promise<unknown> {
    return this.send("GET", path, request);
  }

  post(path: string, body: unknown, request: ApiRequest = {}): Promise<unknown> {
    return this.send("POST", path, { ...request, body });
  }

  patch(path: string, body: unknown, request: ApiRequest = {}): Promise<unknown> {
    return this.send("PATCH", path, { ...request, body });
  }

  delete(path: string, request: ApiRequest = {}): Promise<unknown> {
    return this.send("DELETE", path, request);
  }

  /** A server's events as they come, until the server or `signal` ends them. A connection that breaks throws. */
  async *events(path: string, request: ApiRequest = {}): AsyncGenerator<ServerEvent, void> {
    const headers = { Accept: "text/event-stream", ...request.headers };
    const response = await this.answered("GET", path, { ...request, headers });
    if (!response.body) throw new Failure("unreadable");
    request.opened?.();
    try {
      yield* readEvents(response.body);
    } catch (error) {
      throw failureFromThrown(error);
    }
  }

  private async send(method: string, path: string, request: ApiRequest): Promise<unknown> {
    const response = await this.answered(method, path, request);
    if (response.status === 204) return undefined;
    return response.json().catch(() => {
      throw new Failure("unreadable", { status: response.status });
    });
  }

  private async answered(method: string, path: string, request: ApiRequest): Promise<Response> {
    const response = await this.fetch(method, path, request);
    if (response.status === 401) this.dispatchEvent(new Event("unauthenticated"));
    if (!response.ok && !request.accept?.includes(response.status)) throw await failureFromResponse(response);
    return response;
  }

  private async fetch(method: string, path: string, { query, body, signal, headers: given }: ApiRequest): Promise<Response> {
    const address = new URL(path, this.root);
    for (const [name, value] of Object.entries(query ?? {})) address.searchParams.set(name, value);
    const headers: Record<string, string> = { Accept: "application/json", ...given };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const content = body === undefined ? null : JSON.stringify(body);
    try {
      return await fetch(address, { method, headers, body: content, signal: signal ?? null, credentials: "same-origin" });
    } catch (error) {
      throw failureFromThrown(error);
    }
  }
}
