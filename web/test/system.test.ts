import { describe, expect, it } from "vitest";
import { changedValues, faultsOf, localTime, newValues, readTyped, typedOf } from "../src/console/pages/access/key-draft";
import { limitsOf, oldWorks, parseKey, stateOf, type Key } from "../src/console/pages/access/keys";
import { noted, parseProvider, standingOf, together, type ProvidersSeen } from "../src/console/pages/access/providers";
import { isCut, joined, parsePage, parseWhole, readConversations, type Wanted } from "../src/console/pages/conversations/conversations";
import { parseLoaded } from "../src/console/pages/settings/loaded";
import { found, parseSetting } from "../src/console/pages/settings/settings";
import { fields } from "../src/console/parts/json";
import type { ApiClient } from "../src/console/client";

const NOW = new Date("2026-03-02T12:00:00Z");
const key = (more: Record<string, unknown> = {}): Key => parseKey(fields({ id: "k", kind: "application", name: "Shop", models: ["a/b"], ...more }));

describe("what a service says", () => {
  it.each([null, undefined, 7, "text", [1, 2], {}])("%j is read without harm", (body) => {
    expect(parseKey(fields(body))).toMatchObject({ id: "", kind: "application", models: [], limits: { concurrent: null } });
    expect(parseProvider(fields(body))).toMatchObject({ name: "", configured: false, deployments: [] });
    expect(parseSetting(fields(body))).toMatchObject({ name: "", value: null, source: "default" });
    expect(parseLoaded(body)).toMatchObject({ default: null, providers: [], assistants: [] });
    expect(parsePage(body)).toEqual({ items: [], nextCursor: null, assistants: [], endings: [] });
    expect(parseWhole(body)).toMatchObject({ turns: [], earlier: 0, storesAnswers: false });
  });
});

describe("a key", () => {
  it.each([
    [{}, "active"],
    [{ expires_at: "2026-03-02T11:59:00Z" }, "expired"],
    [{ expires_at: "2026-03-02T12:01:00Z" }, "active"],
    [{ daily_budget_usd: 1, spent_today_usd: 1 }, "spent"],
    [{ monthly_budget_usd: 0 }, "spent"],
    [{ revoked_at: "2026-01-01T00:00:00Z", expires_at: "2026-01-01T00:00:00Z" }, "revoked"],
  ])("%j is %s", (more, state) => {
    expect(stateOf(key(more), NOW)).toBe(state);
  });

  it("has the limits of its kind", () => {
    expect(limitsOf("provider")).toEqual([]);
    expect(limitsOf("application")).not.toContain("visitor_requests_per_minute");
    expect(limitsOf("publishable")).toContain("visitor_requests_per_minute");
  });

  it("works on under its old secret until a time", () => {
    expect(oldWorks(key({ old_secret_until: "2026-03-02T12:01:00Z" }), NOW)).toBe(true);
    expect(oldWorks(key({ old_secret_until: "2026-03-02T11:59:00Z" }), NOW)).toBe(false);
  });
});

describe("what is typed of a key", () => {
  it("leaves out what is empty, and what another kind has", () => {
    const typed = { kind: "publishable", name: " Site ", assistant: "site", origins: "https://a.example\n\n https://b.example ", models: "x/*", concurrent: "" };
    expect(newValues("publishable", typed)).toEqual({ kind: "publishable", name: "Site", assistant: "site", origins: ["https://a.example", "https://b.example"] });
  });

  it("sends only what changed, and takes a limit away where a field was emptied", () => {
    const stored = key({ concurrent: 3, daily_budget_usd: 0.5, expires_at: "2027-01-02T03:04:00Z" });
    const typed = typedOf(stored);
    expect(changedValues(stored, typed)).toEqual({});
    expect(changedValues(stored, { ...typed, concurrent: "", models: "", daily_budget_usd: "2" })).toEqual({ concurrent: null, models: [], daily_budget_usd: 2 });
  });

  it.each([
    ["application", { name: "" }, { name: "missing" }],
    ["application", { name: "a", concurrent: "0" }, { concurrent: "badNumber" }],
    ["application", { name: "a", concurrent: "1.5" }, { concurrent: "badNumber" }],
    ["application", { name: "a", daily_budget_usd: "1e3" }, { daily_budget_usd: "badMoney" }],
    ["application", { name: "a", daily_budget_usd: "0" }, {}],
    ["application", { name: "a", origins: "no matter" }, {}],
    ["publishable", { name: "a", assistant: "site", origins: "https://A.example" }, { origins: "badOrigin" }],
    ["publishable", { name: "a", assistant: "site", origins: "http://localhost:3000" }, {}],
    ["provider", { name: "a", provider: "openai" }, { value: "missing" }],
  ] as const)("a key of kind %s with %j has the faults %j", (kind, typed, faults) => {
    expect(Object.fromEntries(faultsOf(kind, typed as Record<string, string>))).toEqual(faults);
  });

  it("never brings back a vendor's key", () => {
    expect(readTyped(JSON.stringify({ name: "a", value: "sk-test-not-a-key", x: 7 }))).toEqual({ name: "a" });
    expect(readTyped("rubbish")).toEqual({});
  });

  it("keeps a time through the form", () => {
    const time = new Date("2027-01-02T03:04:00Z");
    expect(new Date(localTime(time)).getTime()).toBe(time.getTime());
  });
});

describe("what several instances saw", () => {
  const seen = (instance: number, seenAt: number, more: Record<string, unknown>): ProvidersSeen => ({
    instance,
    seenAt,
    providers: [parseProvider(fields({ name: "p", configured: true, deployments: [{ model: "m", key: 1, usable: true, running: 1, ...more }] }))],
  });

  it("adds calls up, and believes whoever had trouble", () => {
    const trouble = { usable: false, cooling_down_until: "2026-03-02T12:05:00Z", reachable: false, last_error: "timeout_error", failures: 3 };
    const [deployment] = together([seen(0, 1, { reachable: true }), seen(1, 2, trouble)])[0]?.deployments ?? [];
    expect(deployment).toMatchObject({ running: 2, failures: 3, usable: false, reachable: false, lastError: "timeout_error", coolingUntil: "2026-03-02T12:05:00Z" });
    expect(deployment && standingOf(deployment)).toBe("cooling");
  });

  it("takes an instance's newest word, and forgets one that is gone", () => {
    const first = noted([], seen(0, 0, {}));
    const both = noted(first, seen(1, 5_000, {}));
    expect(both.map(({ instance }) => instance)).toEqual([0, 1]);
    expect(noted(both, seen(1, 61_000, {})).map(({ instance }) => instance)).toEqual([1]);
  });
});

describe("settings", () => {
  const settings = [
    parseSetting(fields({ name: "KB_PORT", help: "Port of kb.", value: "8739", source: "file" })),
    parseSetting(fields({ name: "KB_CHUNK_TOKENS", help: "Most tokens.", value: "400", source: "default" })),
  ];

  it.each([
    ["", false, 2],
    ["port", false, 1],
    ["TOKENS most", false, 1],
    ["8739", false, 1],
    ["端口", false, 1],
    ["", true, 1],
    ["tokens", true, 0],
  ])("are found by %j (given only: %s)", (wanted, given, count) => {
    expect(found(settings, wanted, given, ({ name }) => (name === "KB_PORT" ? "端口" : ""))).toHaveLength(count);
  });
});

describe("conversations", () => {
  it("asks for the reader's whole days", async () => {
    const asked: Record<string, string>[] = [];
    const client = { get: (_path: string, { query }: { query: Record<string, string> }) => (asked.push(query), Promise.resolve({})) } as unknown as ApiClient;
    const wanted: Wanted = { text: "a", from: "2026-03-01", to: "2026-03-31", assistant: "", ending: "error", visitor: "" };
    await readConversations(client, wanted, "7", new AbortController().signal);
    expect(asked[0]).toEqual({
      text: "a",
      date_from: new Date(2026, 2, 1).toISOString(),
      date_to: new Date(2026, 3, 1).toISOString(),
      end_reason: "error",
      cursor: "7",
    });
  });

  it("stand once in a list that grew meanwhile", () => {
    const page = (...ids: string[]) => parsePage({ items: ids.map((id) => ({ id })), next_cursor: ids[0] });
    expect(joined(page("a", "b"), page("b", "c"))).toMatchObject({ items: [{ id: "a" }, { id: "b" }, { id: "c" }], nextCursor: "b" });
  });

  it("tell what was looked for and not found from what was not looked for", () => {
    const { turns } = parseWhole({ turns: [{ citations: [] }, { citations: null }, { citations: ["1", 7] }] });
    expect(turns.map(({ citations }) => citations)).toEqual([[], null, ["1"]]);
  });

  it("say when only an answer's beginning is kept", () => {
    expect(isCut("x".repeat(8000))).toBe(true);
    expect(isCut("x")).toBe(false);
  });
});
