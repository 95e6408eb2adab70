import { readEvents } from "./events";
import { Failure, failureFromBody, failureFromResponse, failureFromThrown, parseJson } from "./failure";

export interface ChatMessage {
  role: "user" | "assistant";
  content: string;
}

export interface Citation {
  index: number;
  id: string;
  title: string;
  url: string | null;
  source: string;
  snippet: string;
  relevance_score: number;
}

/** What a chat stream says, one thing at a time. */
export type ChatSignal =
  | { kind: "opened"; requestId: string | null }
  | { kind: "model"; model: string }
  | { kind: "citations"; citations: Citation[] }
  | { kind: "reasoning"; text: string }
  | { kind: "text"; text: string }
  | { kind: "finish"; reason: string };

export interface ChatRequest {
  /** The address that the API's paths are relative to, ending in "/". */
  root: URL;
  model: string;
  messages: ChatMessage[];
  sessionId: string;
  signal: AbortSignal;
  /** Who asks, as headers: none on the stack's own pages. */
  credential?: (() => Promise<Record<string, string>>) | undefined;
}

/**
 * Asks, and yields the answer as it streams.
 *
 * Throws `Failure` for a refusal, a broken connection, an in-band `event: error`, and a stream that ends without
 * `[DONE]`; throws `AbortError` when `signal` is aborted, which also closes the connection.
 */
export async function* askChat(request: ChatRequest): AsyncGenerator<ChatSignal, void> {
  try {
    const response = await fetch(new URL("v1/chat/completions", request.root), {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "text/event-stream",
        "X-Session-ID": request.sessionId,
        ...(await request.credential?.()),
      },
      body: JSON.stringify({ model: request.model, messages: request.messages, stream: true }),
      signal: request.signal,
    });
    if (!response.ok) throw await failureFromResponse(response);
    yield* readChat(response);
  } catch (error) {
    throw failureFromThrown(error);
  }
}

/** An answer that has begun with status 200. */
export async function* readChat(response: Response): AsyncGenerator<ChatSignal, void> {
  const requestId = response.headers.get("x-request-id");
  const type = response.headers.get("content-type") ?? "";
  if (!response.body || !type.startsWith("text/event-stream")) {
    throw new Failure("unreadable", { requestId: requestId ?? undefined });
  }
  yield { kind: "opened", requestId };
  for await (const event of readEvents(response.body)) {
    if (event.data === "[DONE]") return;
    const chunk = parseJson(event.data);
    if (event.name === "error" || hasError(chunk)) throw failureFromBody(chunk, response.headers);
    if (isChunk(chunk)) yield* signals(chunk);
  }
  throw new Failure("truncated", { requestId: requestId ?? undefined });
}

interface Chunk {
  model?: unknown;
  citations?: unknown;
  choices?: { delta?: { content?: unknown; reasoning_content?: unknown }; finish_reason?: unknown }[];
}

function* signals(chunk: Chunk): Generator<ChatSignal, void> {
  if (typeof chunk.model === "string" && chunk.model) yield { kind: "model", model: chunk.model };
  if (Array.isArray(chunk.citations)) yield { kind: "citations", citations: chunk.citations.flatMap(citation) };
  const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  const { content, reasoning_content: reasoning } = choice?.delta ?? {};
  if (typeof reasoning === "string" && reasoning) yield { kind: "reasoning", text: reasoning };
  if (typeof content === "string" && content) yield { kind: "text", text: content };
  if (typeof choice?.finish_reason === "string") yield { kind: "finish", reason: choice.finish_reason };
}

/** A citation as the page needs it; one that has nothing to show is left out. */
function citation(value: unknown, position: number): Citation[] {
  if (typeof value !== "object" || value === null) return [];
  const given = value as Record<string, unknown>;
  const text = (name: string): string => (typeof given[name] === "string" ? given[name] : "");
  if (!text("title") && !text("source") && !text("snippet")) return [];
  return [
    {
      index: typeof given["index"] === "number" ? given["index"] : position + 1,
      id: text("id"),
      title: text("title") || text("source"),
      url: text("url") || null,
      source: text("source"),
      snippet: text("snippet"),
      relevance_score: typeof given["relevance_score"] === "number" ? given["relevance_score"] : 0,
    },
  ];
}

const isChunk = (value: unknown): value is Chunk => typeof value === "object" && value !== null;

const hasError = (value: unknown): boolean => isChunk(value) && "error" in value && Boolean(value.error);
