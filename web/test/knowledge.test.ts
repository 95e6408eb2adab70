import { describe, expect, it } from "vitest";
import { languageOf, parsePage } from "../src/console/pages/gaps/gaps";
import { parseGolden, parseRun, previousRuns } from "../src/console/pages/knowledge/evaluations";
import { canRetry, followJob, parseJob } from "../src/console/pages/knowledge/jobs";
import { parseChunk, parseCollection, parseDocument } from "../src/console/pages/knowledge/library";
import { goldenLine, joined, parseAnswer, pieces, type Answer } from "../src/console/pages/knowledge/tester";
import { splitUrls } from "../src/console/pages/knowledge/upload";
import { Draft } from "../src/console/parts/draft";
import { formatBytes, formatTime, formatUsd } from "../src/console/parts/format";
import { fields, rows } from "../src/console/parts/json";
import type { ApiClient } from "../src/console/client";
import type { ServerEvent } from "../src/transport/events";
import { Failure } from "../src/transport/failure";

describe("what a service says", () => {
  it.each([null, undefined, 7, "text", [1, 2], {}])("%j is read without harm", (body) => {
    expect(parseCollection(fields(body))).toMatchObject({ name: "", state: "empty", model: null });
    expect(parseDocument(fields(body))).toMatchObject({ id: "", url: null, upToDate: true });
    expect(parseChunk(fields(body))).toMatchObject({ position: 0, headingPath: [], indexed: true });
    expect(parseJob(body)).toMatchObject({ state: "queued", progress: 0, files: [] });
    expect(parseAnswer(body)).toEqual({ hits: [], total: 0, tookMs: 0, degraded: [] });
    expect(parsePage(body)).toEqual({ items: [], nextCursor: null, unclustered: 0 });
    expect(rows(body).every((item) => item.text("x") === "")).toBe(true);
  });

  it("gives no number for what is none", () => {
    const item = fields({ a: Number.NaN, b: "7", c: 0 });
    expect([item.number("a"), item.number("b"), item.number("c"), item.count("a")]).toEqual([null, null, 0, 0]);
  });
});

describe("jobs", () => {
  it.each([
    [{ state: "running", files_failed: 1 }, false],
    [{ state: "done", files_failed: 0 }, false],
    [{ state: "done", files_failed: 1 }, true],
    [{ state: "failed" }, true],
    [{ state: "cancelled" }, true],
  ])("%j can be tried again: %s", (body, expected) => {
    expect(canRetry(parseJob(body))).toBe(expected);
  });

  it("are followed to their end over connections that break, and no further than a refusal", async () => {
    const said: ServerEvent[][] = [[event("progress", "running")], [event("progress", "running"), event("done", "done")]];
    const seen: string[] = [];
    for await (const job of followJob(clientOf(said), "j", new AbortController().signal)) seen.push(job.state);
    expect(seen).toEqual(["running", "running", "done"]);
    const refused = { events: async function* () { throw new Failure("not_found"); } } as unknown as ApiClient;
    await expect(followJob(refused, "j", new AbortController().signal).next()).rejects.toMatchObject({ kind: "not_found" });
  });
});

const event = (name: string, state: string): ServerEvent => ({ name, data: JSON.stringify({ id: "j", state }) });

/** Each call of `events` gives the next list. */
function clientOf(streams: ServerEvent[][]): ApiClient {
  return {
    async *events() {
      yield* streams.shift() ?? [];
    },
  } as unknown as ApiClient;
}

describe("the search test", () => {
  const answer = (...ids: string[]): Answer => ({
    ...parseAnswer({ results: ids.map((id) => ({ id, score_dense: id === "b" ? 0.7 : null })), took_ms: 3 }),
  });

  it("puts the three orders side by side, the fused one first", () => {
    const { rows: found } = joined({ hybrid: answer("a", "b"), dense: answer("b"), lexical: answer("c", "a") });
    expect(found.map(({ hit, ranks }) => [hit.id, ranks.hybrid, ranks.dense, ranks.lexical])).toEqual([
      ["a", 1, null, 2],
      ["b", 2, 1, null],
      ["c", null, null, 1],
    ]);
    expect(found[1]?.dense).toBe(0.7);
  });

  it.each([
    ["𝔘ber backup", [[5, 9]], ["𝔘ber ", "*back", "up"]],
    ["备份文件", [[0, 2]], ["*备份", "文件"]],
    ["plain", [], ["plain"]],
    ["bad spans", [[7, 99], [3, 3], [0, 3]], ["*bad", " spans"]],
  ])("marks words of %j by code points", (text, spans, expected) => {
    expect(pieces(text, spans as [number, number][]).map((piece) => (piece.marked ? `*${piece.text}` : piece.text))).toEqual(expected);
  });

  it("writes a golden query on one line", () => {
    expect(goldenLine('a "b"\nc', ["x.md#y"])).toBe('{"query":"a \\"b\\"\\nc","relevant":["x.md#y"]}');
  });
});

describe("golden queries", () => {
  it("are read a line at a time, and the first that is none is named", () => {
    const good = '{"query": "a", "relevant": ["x.md"]}';
    expect(parseGolden(`${good}\n\n${good}\n`)).toMatchObject({ queries: [{ query: "a" }, { query: "a" }], line: null });
    expect(parseGolden(`${good}\n{"query": "a"}`).line).toBe(2);
    expect(parseGolden("nonsense").line).toBe(1);
    expect(parseGolden("  \n")).toEqual({ queries: [], line: null });
  });

  it("are compared with the last run of the same questions", () => {
    const run = (id: string, set: string) => parseRun(fields({ id, question_set: set }));
    const found = previousRuns([run("3", "a"), run("2", "b"), run("1", "a"), run("0", "a"), run("x", "")]);
    expect([...found].map(([id, before]) => [id, before.id])).toEqual([
      ["3", "1"],
      ["1", "0"],
    ]);
  });
});

describe("addresses to fetch", () => {
  it("are one a line, once, and only of the web", () => {
    expect(splitUrls("https://a.example/x\n\nhttps://a.example/x  http://b.example\nftp://c\nplain")).toEqual({
      urls: ["https://a.example/x", "http://b.example"],
      bad: ["ftp://c", "plain"],
    });
  });
});

describe("gaps", () => {
  it("are answered in the language of the question", () => {
    expect([languageOf("可以寄到 Norway 吗"), languageOf("Do you ship?")]).toEqual(["zh", "en"]);
  });
});

describe("figures", () => {
  it("are written as people read them", () => {
    expect(formatBytes(999, "en")).toMatch(/^999 bytes?$|^999 byte$/);
    expect(formatBytes(4120, "en")).toBe("4.1 kB");
    expect(formatUsd(0.0042, "en")).toBe("$0.0042");
    expect(formatUsd(12.5, "en")).toBe("$12.50");
    expect(formatTime("never", "en")).toBe("never");
  });
});

describe("drafts", () => {
  it("are kept apart, forgotten when empty, and do without storage", () => {
    const kept = new Map<string, string>();
    const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
    const draft = new Draft("a", storage as unknown as Storage);
    draft.text = "typed";
    expect([draft.text, new Draft("b", storage as unknown as Storage).text]).toEqual(["typed", ""]);
    draft.text = "";
    expect(kept.size).toBe(0);
    const none = new Draft("a", null);
    none.text = "typed";
    expect(none.text).toBe("");
  });
});
