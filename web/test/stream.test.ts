import { describe, expect, it } from "vitest";
import { readChat, type ChatSignal } from "../src/transport/completion";
import { MAX_EVENT_CHARACTERS, readEvents, type ServerEvent } from "../src/transport/events";
import { Failure, failureFromBody, failureFromResponse } from "../src/transport/failure";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function streamOf(chunks: Iterable<Uint8Array>, onCancel: () => void = () => undefined): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: onCancel,
  });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function failureOf(items: AsyncIterable<unknown>): Promise<Failure> {
  const error = await collect(items).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

const STREAM =
  '\uFEFF: a comment\n\ndata: {"a":"三足\u2028鼎立 🍲"}\n\nevent: error\ndata:{"b":1}\ndata: \ndata: two\n\nid: 7\n\ndata: [DONE]\n\n';

const EVENTS: ServerEvent[] = [
  { name: "message", data: '{"a":"三足\u2028鼎立 🍲"}' },
  { name: "error", data: '{"b":1}\n\ntwo' },
  { name: "message", data: "[DONE]" },
];

describe("reading events", () => {
  for (const [name, end] of Object.entries({ LF: "\n", CR: "\r", CRLF: "\r\n" })) {
    const bytes = encode(STREAM.replaceAll("\n", end));

    it(`gives the same events for every split in two with ${name}`, async () => {
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        expect(await collect(readEvents(streamOf([bytes.slice(0, cut), bytes.slice(cut)])))).toEqual(EVENTS);
      }
    });

    it(`gives the same events for every pair of cuts with ${name}`, async () => {
      for (let first = 0; first <= bytes.length; first += 3) {
        for (let second = first; second <= bytes.length; second += 3) {
          const parts = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
          expect(await collect(readEvents(streamOf(parts)))).toEqual(EVENTS);
        }
      }
    });

    it(`gives the same events byte by byte with ${name}`, async () => {
      expect(await collect(readEvents(streamOf([...bytes].map((byte) => Uint8Array.of(byte)))))).toEqual(EVENTS);
    });

    it(`hands an event over as soon as its blank line is there with ${name}`, async () => {
      const never = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(encode(`data: now${end}${end}`)),
      });
      expect((await readEvents(never).next()).value).toEqual({ name: "message", data: "now" });
    });
  }

  it("drops an event that was never closed", async () => {
    expect(await collect(readEvents(streamOf([encode("data: a\n\ndata: b\n")])))).toEqual([{ name: "message", data: "a" }]);
  });

  it("cancels the stream when the reader leaves early", async () => {
    let cancelled = false;
    const stream = streamOf([encode("data: a\n\n"), encode("data: b\n\n")], () => (cancelled = true));
    for await (const event of readEvents(stream)) {
      expect(event.data).toBe("a");
      break;
    }
    expect(cancelled).toBe(true);
  });

  it("refuses an event without end before it fills the memory", async () => {
    const endless = (function* () {
      for (;;) yield encode("x".repeat(64 * 1024));
    })();
    const failure = await failureOf(readEvents(streamOf(endless)));
    expect(failure.kind).toBe("unreadable");
    expect(MAX_EVENT_CHARACTERS).toBeLessThan(8 * 1024 * 1024);
  });
});

const answer = (...events: string[]): Response =>
  new Response(streamOf([encode(events.map((event) => `${event}\n\n`).join(""))]), {
    headers: { "content-type": "text/event-stream; charset=utf-8", "x-request-id": "request-from-header" },
  });

const chunk = (fields: object): string => `data: ${JSON.stringify(fields)}`;

describe("reading a chat", () => {
  it("gives sources, reasoning, text and the end in order", async () => {
    const citation = { index: 1, id: "c1", title: "Back up", url: "https://example.com", source: "guide/backup.md" };
    const signals = await collect(
      readChat(
        answer(
          ": heartbeat",
          chunk({ model: "local/small", citations: [citation, "junk", {}], choices: [{ delta: { role: "assistant" } }] }),
          chunk({ choices: [{ delta: { reasoning_content: "hm" } }] }),
          chunk({ choices: [{ delta: { content: "Stop " } }] }),
          chunk({ choices: [{ delta: { content: "first." }, finish_reason: "stop" }] }),
          chunk({ choices: [], usage: { total_tokens: 3 } }),
          "data: [DONE]",
        ),
      ),
    );
    expect(signals).toEqual<ChatSignal[]>([
      { kind: "opened", requestId: "request-from-header" },
      { kind: "model", model: "local/small" },
      { kind: "citations", citations: [{ ...citation, snippet: "", relevance_score: 0 }] },
      { kind: "reasoning", text: "hm" },
      { kind: "text", text: "Stop " },
      { kind: "text", text: "first." },
      { kind: "finish", reason: "stop" },
    ]);
  });

  it("fails with the kind, words and id of an in-band error", async () => {
    const body = { error: { message: "API proxy error: gone", type: "proxy_error", code: 502, request_id: "r-1" } };
    const failure = await failureOf(readChat(answer(chunk({ choices: [] }), `event: error\n${chunk(body)}`)));
    expect(failure).toMatchObject({ kind: "upstream", message: "API proxy error: gone", status: 502, requestId: "r-1" });
  });

  it("takes an error without the event's name for an error, too", async () => {
    const failure = await failureOf(readChat(answer(chunk({ error: { message: "slow", type: "timeout_error" } }))));
    expect(failure.kind).toBe("timeout");
  });

  it("calls a stream without its [DONE] truncated", async () => {
    const failure = await failureOf(readChat(answer(chunk({ choices: [{ delta: { content: "half" } }] }))));
    expect(failure).toMatchObject({ kind: "truncated", requestId: "request-from-header" });
  });

  it("passes over a chunk that is no JSON", async () => {
    const signals = await collect(readChat(answer("data: {broken", chunk({ choices: [{ delta: { content: "ok" } }] }), "data: [DONE]")));
    expect(signals.at(-1)).toEqual({ kind: "text", text: "ok" });
  });

  it("does not take a page of HTML for an answer", async () => {
    const page = new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
    expect((await failureOf(readChat(page))).kind).toBe("unreadable");
  });
});

describe("naming a failure", () => {
  it.each([
    [400, "invalid"],
    [401, "unauthenticated"],
    [403, "forbidden"],
    [404, "not_found"],
    [413, "too_large"],
    [422, "invalid"],
    [429, "rate_limited"],
    [500, "internal"],
    [502, "upstream"],
    [503, "overloaded"],
    [504, "timeout"],
  ])("reads a bare status %i, as a proxy would send it", async (status, kind) => {
    const response = new Response("<html>", { status, headers: { "retry-after": "7", "x-request-id": "r" } });
    expect(await failureFromResponse(response)).toMatchObject({ kind, status, retryAfterSeconds: 7, requestId: "r" });
  });

  it("trusts the type of the contract more than the status", () => {
    expect(failureFromBody({ error: { type: "overloaded_error" } }, undefined, 500).kind).toBe("overloaded");
  });

  it("reads a date in Retry-After", async () => {
    const soon = new Date(Date.now() + 60_000).toUTCString();
    const failure = await failureFromResponse(new Response("", { status: 429, headers: { "retry-after": soon } }));
    expect(failure.retryAfterSeconds).toBeGreaterThan(50);
    expect(failure.retryAfterSeconds).toBeLessThanOrEqual(60);
  });
});
