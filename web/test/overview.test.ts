import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiClient } from "../src/console/client";
import { concernsOf, type Seen } from "../src/console/pages/overview/concerns";
import { parseHealth } from "../src/console/pages/overview/health";
import { parseBudgets, parseGaps, readMatters, type Matters } from "../src/console/pages/overview/matters";
import { parseProviders } from "../src/console/pages/overview/providers";

const NOW = new Date("2026-01-30T12:00:00Z");
const NOTHING: Matters = { openGaps: 0, topGap: "", budgets: [], failedTasks: [], failedJobs: [], unread: [] };
const WELL = { status: "ok", checks: { database: { ok: true, detail: "" } } };

const failing = (name: string, detail = "") => ({ status: "degraded", checks: { [name]: { ok: false, detail } } });

const concerns = (seen: Partial<Seen>, language: "en" | "zh" = "en") => concernsOf({ health: [], providers: [], matters: null, ...seen }, language);

describe("what the services say", () => {
  it.each([null, undefined, "x", 7, { checks: 7 }, { checks: { a: null } }])("survives %j as a body", (body) => {
    expect(parseHealth("kb", body).status).toBe("silent");
    expect(parseProviders(body)).toEqual([]);
    expect(parseGaps(body)).toEqual({ openGaps: 0, topGap: "" });
    expect(parseBudgets(body, NOW)).toEqual([]);
  });

  it("puts the providers that work first, and names the variable of those that lack a key", () => {
    const providers = parseProviders({
      items: [
        { name: "doubao", configured: false, set_variable: "DOUBAO_API_KEY", models: ["a"] },
        { name: "local", configured: true, reachable: null, set_variable: null, models: ["b", 7] },
        { name: "openai", configured: true, reachable: false, last_error: "401" },
      ],
    });
    expect(providers.map(({ name, state, variable, lastError }) => [name, state, variable, lastError])).toEqual([
      ["local", "ready", null, ""],
      ["openai", "silent", null, "401"],
      ["doubao", "unset", "DOUBAO_API_KEY", ""],
    ]);
    expect(providers[0]?.models).toEqual(["b"]);
  });

  it("calls a provider cooling when all its deployments are", () => {
    const until = { cooling_down_until: "2026-01-30T12:01:00Z" };
    const state = (deployments: object[]): unknown => parseProviders({ items: [{ name: "a", configured: true, deployments }] })[0]?.state;
    expect(state([until, until])).toBe("cooling");
    expect(state([until, { cooling_down_until: null }])).toBe("ready");
    expect(state([])).toBe("ready");
  });
});

describe("what needs attention", () => {
  it("is nothing where all is well", () => {
    expect(concerns({ health: [parseHealth("kb", WELL)], matters: NOTHING })).toEqual([]);
  });

  it("says of a failing check what to do and where", () => {
    const [concern] = concerns({ health: [parseHealth("kb", failing("embedder", "away or loading"))] });
    expect(concern).toMatchObject({ tone: "warn", what: "Knowledge: Embedder", detail: "away or loading", href: "#/knowledge/collections" });
    expect(concern?.todo).toContain("pm2 restart trivet-embedder");
  });

  it("says so of a check that it does not know, too", () => {
    const [concern] = concerns({ health: [parseHealth("kb", failing("new_part"))] }, "zh");
    expect(concern).toMatchObject({ what: "知识库：new part", href: null });
    expect(concern?.todo).toContain("pm2 logs");
  });

  it("tells of a silent service once, not of all that leans on it, unless events are lost", () => {
    const silent = [parseHealth("kb", null), parseHealth("analytics", null)];
    const leaning = { status: "degraded", checks: { kb: { ok: false, detail: "" }, outbox: { ok: false, detail: "analytics is away" } } };
    expect(concerns({ health: [parseHealth("llm_proxy", leaning), ...silent] }).map(({ id }) => id)).toEqual(["kb", "analytics"]);
    const full = parseHealth("llm_proxy", failing("outbox", "full: new events are dropped"));
    expect(concerns({ health: [full, ...silent] })[0]).toMatchObject({ id: "llm_proxy.outbox", tone: "bad" });
  });

  it("puts the worst first", () => {
    const providers = parseProviders({ items: [{ name: "a", configured: true, reachable: false, last_error: "no route" }] });
    const found = concerns({ providers, matters: { ...NOTHING, openGaps: 2, topGap: "why" } });
    expect(found.map(({ id, tone }) => [id, tone])).toEqual([
      ["provider.a", "bad"],
      ["gaps", "warn"],
    ]);
    expect(found[1]).toMatchObject({ what: "2 questions have no answer", href: "#/gaps" });
    expect(found[1]?.todo).toContain("“why”");
  });

  it("leads to the run that failed last, and to the uploads", () => {
    const found = concerns({ matters: { ...NOTHING, failedTasks: ["t2", "t1"], failedJobs: ["j"] } });
    expect(found.map(({ href }) => href)).toEqual(["#/studio/runs/t2", "#/knowledge/add"]);
  });
});

describe("budgets", () => {
  const key = { id: "k", name: "shop", daily_budget_usd: 10, spent_today_usd: 0, monthly_budget_usd: 100, spent_this_month_usd: 0, revoked_at: null, expires_at: null };
  const found = (more: object): unknown[] => parseBudgets({ items: [{ ...key, ...more }] }, NOW);

  it.each([
    [{ spent_today_usd: 7.9 }, []],
    [{ spent_today_usd: 8 }, ["day"]],
    [{ spent_today_usd: 8, spent_this_month_usd: 99 }, ["month"]],
    [{ daily_budget_usd: 0 }, []],
    [{ daily_budget_usd: null, spent_today_usd: 50 }, []],
    [{ spent_today_usd: 10, revoked_at: "2026-01-01T00:00:00Z" }, []],
    [{ spent_today_usd: 10, expires_at: "2026-01-30T11:59:00Z" }, []],
    [{ spent_today_usd: 10, expires_at: "2026-02-01T00:00:00Z" }, ["day"]],
  ])("%j: %j", (more, periods) => {
    expect(found(more)).toMatchObject(periods.map((period) => ({ period, keyId: "k" })));
    expect(found(more)).toHaveLength(periods.length);
  });

  it("are told with their share, and as used up once they are", () => {
    const budgets = [...parseBudgets({ items: [{ ...key, spent_today_usd: 9 }] }, NOW), ...parseBudgets({ items: [{ ...key, id: "l", spent_today_usd: 11 }] }, NOW)];
    const told = concerns({ matters: { ...NOTHING, budgets } });
    expect(told.map(({ what, tone }) => [what, tone])).toEqual([
      ["The budget of “shop” is used up", "bad"],
      ["“shop” has used 90% of its budget", "warn"],
    ]);
    expect(told[1]).toMatchObject({ href: "#/access/keys/k" });
    expect(told[1]?.todo).toContain("$9.00 of $10.00 today");
  });
});

describe("what is read besides", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("counts what failed since yesterday, and names what could not be read", async () => {
    const answers: Record<string, [number, object]> = {
      "/api/analytics/gaps": [200, { total: 3, items: [{ question: "why" }] }],
      "/api/llm/keys": [503, { error: { type: "overloaded_error", message: "", code: 503 } }],
      "/api/v1/workflow/tasks": [200, { items: [{ task_id: "new", updated_at: "2026-01-30T11:00:00Z" }, { task_id: "old", updated_at: "2026-01-29T11:00:00Z" }] }],
      "/api/jobs": [
        200,
        {
          items: [
            { id: "a", state: "failed", updated_at: "2026-01-30T11:00:00Z" },
            { id: "b", state: "done", files_failed: 1, updated_at: "2026-01-30T11:00:00Z" },
            { id: "c", state: "done", files_failed: 0, updated_at: "2026-01-30T11:00:00Z" },
          ],
        },
      ],
    };
    vi.stubGlobal("fetch", (address: URL) => {
      const [status, body] = answers[address.pathname] ?? [404, {}];
      return Promise.resolve(Response.json(body, { status }));
    });
    const client = new ApiClient(new URL("http://127.0.0.1/"));
    expect(await readMatters(client, new AbortController().signal, NOW)).toEqual({
      openGaps: 3,
      topGap: "why",
      budgets: [],
      failedTasks: ["new"],
      failedJobs: ["a", "b"],
      unread: ["budgets"],
    });
  });

  it("leaves a log-in that ran out to the shell", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ error: { type: "authentication_error", message: "", code: 401 } }, { status: 401 })));
    const reading = readMatters(new ApiClient(new URL("http://127.0.0.1/")), new AbortController().signal, NOW);
    await expect(reading).rejects.toMatchObject({ kind: "unauthenticated" });
  });
});
