import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiClient } from "../src/console/client";
import { roundedUp } from "../src/console/parts/chart";
import { parseCleanup, parseDays } from "../src/console/pages/analytics/cleanup";
import { LiveLog, MOST_SHOWN, parseRecord, watchLive, type LiveRecord, type LiveState } from "../src/console/pages/analytics/live";
import { periodName, timeIn } from "../src/console/parts/period";
import { addressOf, linkTo, offers, parseQuestion, partOf, zonesBy } from "../src/console/pages/analytics/question";
import { parseReport } from "../src/console/parts/report";
import { parseIntents, parseUnanswered } from "../src/console/pages/analytics/unanswered";

const HERE = "Asia/Shanghai";

describe("the question of an address", () => {
  it.each([
    ["", 30, "day"],
    ["days=7&by=hour", 7, "hour"],
    ["days=1", 1, "hour"],
    ["days=90&by=hour", 90, "day"],
    ["days=365&by=month", 365, "month"],
    ["days=12&by=century", 30, "day"],
  ])("%j is %i days by the %s", (query, days, groupBy) => {
    expect(parseQuestion(new URLSearchParams(query), HERE)).toEqual({ days, groupBy, tz: HERE, kind: null });
  });

  it.each([
    ["tz=Asia/Kathmandu", "Asia/Kathmandu"],
    ["tz=Nowhere/At_all", HERE],
    ["tz=", HERE],
  ])("%j is of the zone %s", (query, tz) => {
    expect(parseQuestion(new URLSearchParams(query), HERE).tz).toBe(tz);
  });

  it("offers hours for a few days only", () => {
    expect(offers(7)).toContain("hour");
    expect(offers(30)).not.toContain("hour");
  });

  it("goes along from part to part, and what is changed to nothing goes", () => {
    const query = new URLSearchParams("days=7&by=hour&tz=UTC&odd=1");
    expect(linkTo("models", query)).toBe("#/analytics/models?days=7&by=hour&tz=UTC");
    expect(addressOf("figures", query, { days: "90", by: "" })[1].toString()).toBe("days=90&tz=UTC");
    expect(partOf("/live")).toBe("live");
    expect(partOf("/nothing")).toBe("figures");
  });

  it("offers each zone once, the browser's first, and one that no browser lists", () => {
    const { usual, continents } = zonesBy("Asia/Kolkata", HERE);
    expect(usual.slice(0, 2)).toEqual([HERE, "UTC"]);
    expect([...usual, ...continents.flatMap(([, zones]) => zones)]).toContain("Asia/Kolkata");
  });
});

describe("a period's name", () => {
  it.each([
    ["2026-01-31T13:00+05:30", "Jan 31, 13:00", "1月31日 13:00"],
    ["2026-01-31", "Jan 31", "1月31日"],
    ["2026-W05", "Week 5, 2026", "2026 年第 5 周"],
    ["2026-01", "Jan 2026", "2026年1月"],
    ["2026-99", "2026-99", "2026-99"],
    ["odd", "odd", "odd"],
  ])("%s is %j", (label, en, zh) => {
    expect(periodName(label, "en")).toBe(en);
    expect(periodName(label, "zh")).toBe(zh);
  });

  it("tells a time in the chosen zone", () => {
    expect(timeIn("2026-01-31T12:00:01Z", "Asia/Kathmandu", "en", "seconds")).toBe("17:45:01");
    expect(timeIn("soon", "UTC", "en")).toBe("soon");
  });
});

describe("a chart's scale", () => {
  it.each([
    [0, 0],
    [1, 1],
    [11, 20],
    [37, 40],
    [100, 100],
    [0.0042, 0.005],
  ])("for %d ends at %d", (value, top) => {
    expect(roundedUp(value)).toBeCloseTo(top, 9);
  });
});

describe("a report", () => {
  it("names models and keeps what was not measured apart from nought", () => {
    const report = parseReport({
      total_questions: 3,
      total_thumbs_down: 2,
      series: [{ label: "2026-01-31", questions: 3, input_tokens: 5, output_tokens: 7 }],
      by_model: [{ provider: "local", model: "small", first_token_seconds: { p50: 0.4, p95: null }, end_reasons: { complete: 3 } }],
      errors: { timeout_error: 2, odd: "x" },
    });
    expect(report.totals).toMatchObject({ questions: 3, thumbsDown: 2 });
    expect(report.periods[0]).toMatchObject({ label: "2026-01-31", questions: 3, inputTokens: 5, outputTokens: 7 });
    expect(report.models[0]).toMatchObject({ provider: "local", model: "small", firstToken: { p50: 0.4, p95: null, p99: null }, endings: [["complete", 3]] });
    expect(report.duration.p50).toBeNull();
    expect(report.errorKinds).toEqual([["timeout_error", 2]]);
  });

  it.each([null, "x", 7, { series: 7, errors: [] }])("survives %j as a body", (body) => {
    expect(parseReport(body)).toMatchObject({ periods: [], top: [], models: [], errorKinds: [] });
    expect(parseUnanswered(body)).toEqual([]);
    expect(parseIntents(body, body)).toEqual({ labels: [], intents: [] });
  });

  it("counts each subject in each period", () => {
    const trend = { series: [{ label: "a", intents: { price: 2 } }, { label: "b", intents: {} }] };
    expect(parseIntents({ intents: [{ intent: "price", count: 2, share: 1 }] }, trend).intents[0]?.series).toEqual([2, 0]);
  });
});

const record = (id: string): LiveRecord => parseRecord({ id, kind: "chat" });

describe("the live view", () => {
  it("keeps the newest, newest first", () => {
    const log = new LiveLog();
    log.add(Array.from({ length: MOST_SHOWN + 5 }, (_, place) => record(String(place))), 0);
    expect(log.shown).toHaveLength(MOST_SHOWN);
    expect(log.shown[0]?.id).toBe(String(MOST_SHOWN + 4));
    expect(log.missed).toBe(0);
  });

  it("holds a bounded number back while it is paused, and says how many were never shown", () => {
    const log = new LiveLog();
    log.add([record("a")], 0);
    log.paused = true;
    log.add(Array.from({ length: MOST_SHOWN + 3 }, (_, place) => record(String(place))), 2);
    expect(log.shown.map(({ id }) => id)).toEqual(["a"]);
    expect(log.waiting).toHaveLength(MOST_SHOWN);
    expect(log.missed).toBe(5);
    log.goOn();
    expect(log.waiting).toHaveLength(0);
    expect(log.shown[0]?.id).toBe(String(MOST_SHOWN + 2));
  });

  describe("over a connection", () => {
    afterEach(() => void vi.unstubAllGlobals());

    const follow = async (answers: Response[]): Promise<{ states: LiveState[]; ids: string[]; missed: number }> => {
      const watching = new AbortController();
      const states: LiveState[] = [];
      const ids: string[] = [];
      let missed = 0;
      const fetched = vi.fn(() => Promise.resolve(answers.shift() ?? new Response("{}", { status: 403 })));
      vi.stubGlobal("fetch", fetched);
      vi.stubGlobal("setTimeout", ((work: () => void) => queueMicrotask(work)) as unknown as typeof setTimeout);
      await watchLive(new ApiClient(new URL("http://127.0.0.1/")), "chat", watching.signal, {
        state: (state) => states.push(state),
        arrived: (records, some) => {
          ids.push(...records.map(({ id }) => id));
          missed += some;
        },
      }).catch(() => undefined);
      expect(String((fetched.mock.calls as unknown[][])[0]?.[0])).toContain("/api/analytics/live?kind=chat");
      return { states, ids, missed };
    };

    it("is made again when it breaks, and told of as broken meanwhile", async () => {
      const stream = (text: string): Response => new Response(text, { headers: { "Content-Type": "text/event-stream" } });
      const first = stream('event: record\nid: 1\ndata: {"id": "a"}\n\nevent: missed\ndata: {"missed": 4}\n\n');
      const { states, ids, missed } = await follow([first, stream('event: record\ndata: {"id": "b"}\n\n')]);
      expect(ids).toEqual(["a", "b"]);
      expect(missed).toBe(4);
      expect(states).toEqual(["connecting", "watching", "broken", "watching", "broken"]);
    });
  });
});

describe("a cleanup", () => {
  it.each([
    ["180", 180],
    [" 1 ", 1],
    ["0", null],
    ["-3", null],
    ["1.5", null],
    ["many", null],
    ["99999", null],
  ])("takes %j for %j days", (text, days) => {
    expect(parseDays(text)).toBe(days);
  });

  it("tells what would go of a dry run, and what went of another", () => {
    const answer = { would_delete: { total: 5, chat: 3, search: 2 }, deleted: { total: 4, chat: 4 }, freed_bytes: 7 };
    expect(parseCleanup({ ...answer, dry_run: true })).toMatchObject({ total: 5, byKind: [["chat", 3], ["search", 2]] });
    expect(parseCleanup({ ...answer, dry_run: false })).toMatchObject({ total: 4, byKind: [["chat", 4]], freedBytes: 7 });
  });
});
