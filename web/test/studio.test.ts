import { describe, expect, it } from "vitest";
import { fileName, toMarkdown } from "../src/console/pages/studio/export";
import { briefingLines, parsePoem, parseTranslation } from "../src/console/pages/studio/poems";
import { applied, costOf, followTask, parseSession, parseTask, tokensOf, type Run } from "../src/console/pages/studio/tasks";
import { fields } from "../src/console/parts/json";
import type { ApiClient, ApiRequest } from "../src/console/client";
import { briefingPart, stepName } from "../src/i18n/studio";
import { MarkdownRenderer } from "../src/markdown/render";
import { JSDOM } from "jsdom";
import type { ServerEvent } from "../src/transport/events";
import { Failure } from "../src/transport/failure";

describe("a run", () => {
  const token = (step: string, attempt: number, text: string) => ({ status: "running", step, attempt, text });

  it("grows by its tokens, step by step, and begins a step anew with a new attempt", () => {
    let run: Run | null = null;
    for (const data of [token("a", 1, "fal"), token("a", 1, "se"), token("a", 2, "tr"), token("b", 1, "x"), token("a", 2, "ue")]) {
      run = applied(run, "token", data);
    }
    expect([run?.texts.get("a")?.text, run?.texts.get("b")?.text]).toEqual(["true", "x"]);
    run = applied(run, "step_change", { status: "running", progress: 250 });
    expect([run.task.progress, run.texts.size]).toEqual([100, 2]);
  });

  it("sums tokens and, where one is known, the price", () => {
    const task = parseTask({ steps: [{ tokens: 5, cost_usd: 0.1 }, { tokens: null, cost_usd: null }, { tokens: 7 }] });
    expect([tokensOf(task), costOf(task)]).toEqual([12, 0.1]);
    expect(costOf(parseTask({ steps: [{ tokens: 5 }] }))).toBeNull();
  });

  it.each([null, 7, [], {}])("%j is read without harm", (body) => {
    expect(parseTask(body)).toMatchObject({ status: "pending", steps: [], error: null });
    expect(parseSession(body)).toMatchObject({ prompt: null, steps: [] });
    expect(parsePoem(fields(body))).toMatchObject({ title: "", translations: 0 });
    expect(parseTranslation(fields(body))).toMatchObject({ rating: null, byPerson: true });
  });

  it("is followed over a connection that breaks, from the event that came last", async () => {
    const asked: string[] = [];
    const streams: ServerEvent[][] = [[event("status", "running", "4")], [event("completed", "completed", "5")]];
    const client = {
      async *events(_path: string, { headers }: ApiRequest) {
        asked.push(headers?.["Last-Event-ID"] ?? "");
        yield* streams.shift() ?? [];
      },
    } as unknown as ApiClient;
    const told: number[] = [];
    const seen: string[] = [];
    for await (const { task } of followTask(client, "t", new AbortController().signal, (tries) => told.push(tries))) seen.push(task.status);
    expect([seen, asked, told]).toEqual([["running", "completed"], ["", "4"], [1, 0]]);
  });

  it("is not followed where it is refused", async () => {
    const client = { async *events() { throw new Failure("not_found"); } } as unknown as ApiClient;
    const following = followTask(client, "t", new AbortController().signal, () => undefined);
    await expect(following.next()).rejects.toMatchObject({ kind: "not_found" });
  });
});

const event = (name: string, status: string, id: string): ServerEvent => ({ name, id, data: JSON.stringify({ task_id: "t", status }) });

describe("a poem as Markdown", () => {
  const poem = (text: string, title = "A *star*") => parsePoem(fields({ title, author: "N. N.", source_lang: "en", original_text: text }));
  const renderer = new MarkdownRenderer(new JSDOM("").window as never);
  const html = (source: string): string => renderer.html(source, { words: { copy: "", code: "" }, sources: [] });

  it("keeps lines and stanzas, whatever signs they begin with", () => {
    const page = html(toMarkdown(poem("# not a heading\n- not a list\n1. not either\n\n    _last_ <b>"), [], { notes: "Notes" }));
    const { document } = new JSDOM(page).window;
    const verses = [...document.querySelectorAll("p")].slice(1);
    expect(verses.map(({ textContent }) => textContent)).toEqual(["# not a heading- not a list1. not either", "\u00a0\u00a0\u00a0\u00a0_last_ <b>"]);
    expect(document.querySelectorAll("br").length).toBe(2);
    expect(document.querySelector("h3")?.textContent).toBe("A *star*");
    expect(document.querySelectorAll("li, b").length).toBe(0);
  });

  it("names who made a translation, and holds its notes", () => {
    const made = (more: object) => parseTranslation(fields({ target_lang: "zh", translated_text: "星", translated_title: "星", ...more }));
    const text = toMarkdown(poem("Star"), [made({ translator_type: "ai", model: "doubao/pro", notes: "Short." }), made({ translator: "A. Reader" })], { notes: "Notes" });
    expect(text).toContain("## 星 (zh)\n\n*doubao/pro*\n\n星\n\n### Notes\n\nShort.");
    expect(text).toContain("*A. Reader*");
  });

  it("gets a name that every system takes", () => {
    expect(fileName(poem("x", 'a/b: "c"?'))).toBe("N. N. a b c.md");
  });
});

describe("names", () => {
  it("are those of the page's language, and those of one's own workflow as they are called", () => {
    expect([stepName("editor_review", "zh"), stepName("my_step", "zh"), briefingPart("summary", "en")]).toEqual(["编辑审读", "My step", "In short"]);
  });

  it("read a briefing's values as lines", () => {
    expect(briefingLines(["a", { some_name: ["b", "c"] }])).toEqual(["a", "Some name: b, c"]);
    expect(briefingLines(null)).toEqual([""]);
  });
});
