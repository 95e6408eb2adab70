import { describe, expect, it } from "vitest";
import { offers, parseQuestion, parseReport } from "../src/console/pages/analytics/report";

describe("the range of an address", () => {
  it.each([
    ["", 30, "day"],
    ["days=7&by=hour", 7, "hour"],
    ["days=1", 1, "hour"],
    ["days=90&by=hour", 90, "day"],
    ["days=365&by=month", 365, "month"],
    ["days=12&by=century", 30, "day"],
  ])("%j is %i days by the %s", (query, days, groupBy) => {
    expect(parseQuestion(new URLSearchParams(query), "Asia/Shanghai")).toEqual({ days, groupBy, tz: "Asia/Shanghai" });
  });

  it("offers hours for a few days only", () => {
    expect(offers(7)).toContain("hour");
    expect(offers(30)).not.toContain("hour");
  });
});

describe("a report", () => {
  it("adds up tokens, names models and keeps what was not measured apart from nought", () => {
    const report = parseReport({
      total_questions: 3,
      series: [{ label: "2026-01-31", questions: 3, input_tokens: 5, output_tokens: 7 }],
      by_model: [{ provider: "local", model: "small", first_token_seconds: { p50: 0.4, p95: null } }],
      errors: { timeout_error: 2, odd: "x" },
    });
    expect(report.periods[0]).toMatchObject({ label: "2026-01-31", questions: 3, tokens: 12 });
    expect(report.models[0]).toMatchObject({ label: "local/small", firstToken: { p50: 0.4, p95: null } });
    expect(report.duration.p50).toBeNull();
    expect(report.errorKinds).toEqual([["timeout_error", 2]]);
  });

  it.each([null, "x", 7, { series: 7, errors: [] }])("survives %j as a body", (body) => {
    expect(parseReport(body)).toMatchObject({ periods: [], top: [], errorKinds: [] });
  });
});
