import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { PageRegistry, type ConsolePage } from "../src/console/registry";
import { HashRouter, formatRoute, matchRoute, parseRoute } from "../src/console/router";

const page = (id: string, path: string, group: ConsolePage["group"] = "observe"): ConsolePage => ({
  id,
  path,
  group,
  title: { en: id, zh: id },
  icon: () => {
    throw new Error("not drawn here");
  },
  load: () => Promise.reject(new Error("not loaded here")),
});

describe("addresses", () => {
  it.each([
    ["", "/"],
    ["#", "/"],
    ["#/", "/"],
    ["#knowledge", "/knowledge"],
    ["#/knowledge/documents/", "/knowledge/documents"],
    ["#//knowledge", "/knowledge"],
    ["#/%E8%AF%97/a%2Fb?q=1", "/诗/a/b"],
    ["#/100%", "/100%"],
  ])("%j leads to %s", (hash, path) => {
    expect(parseRoute(hash).path).toBe(path);
  });

  it("carry a question, and come back as they went", () => {
    const hash = formatRoute("/knowledge/诗 1", new URLSearchParams({ q: "如何 &=?" }));
    const route = parseRoute(hash);
    expect(route.path).toBe("/knowledge/诗 1");
    expect(route.query.get("q")).toBe("如何 &=?");
    expect(formatRoute("/")).toBe("#/");
  });

  it.each([
    ["/", "start", "/"],
    ["/knowledge", "knowledge", "/"],
    ["/knowledge/documents/7", "documents", "/7"],
    ["/knowledge/other", "knowledge", "/other"],
    ["/knowledgeable", null, null],
    ["/nowhere", null, null],
  ])("%s belongs to %s", (path, id, rest) => {
    const entries = [page("start", "/"), page("knowledge", "/knowledge"), page("documents", "/knowledge/documents")];
    const found = matchRoute(entries, path);
    expect([found?.entry.id ?? null, found?.rest ?? null]).toEqual([id, rest]);
  });

  it("are followed, and left with or without a way back", async () => {
    const { window } = new JSDOM("", { url: "https://example.com/chat/console/#/a" });
    const router = new HashRouter(window as unknown as Window);
    const seen: string[] = [];
    router.addEventListener("change", () => seen.push(router.route.path));
    router.start();
    const changed = new Promise((resolve) => window.addEventListener("hashchange", resolve));
    router.navigate("/b");
    await changed;
    const { length } = window.history;
    router.navigate("/c", undefined, true);
    expect(seen).toEqual(["/b", "/c"]);
    expect(window.history.length).toBe(length);
    expect(window.location.pathname).toBe("/chat/console/");
    router.stop();
  });
});

describe("the registry of pages", () => {
  it("shows the groups that have pages, in the order of the groups", () => {
    const registry = new PageRegistry()
      .register(page("settings", "/settings", "system"))
      .register(page("overview", "/"))
      .register(page("analytics", "/analytics"));
    const shown = registry.groups().map(({ group, pages }) => [group, pages.map(({ id }) => id)]);
    expect(shown).toEqual([
      ["observe", ["overview", "analytics"]],
      ["system", ["settings"]],
    ]);
  });

  it.each([
    ["an id twice", page("overview", "/other")],
    ["a path twice", page("other", "/")],
    ["a path without its slash", page("other", "other")],
    ["a path with one at its end", page("other", "/other/")],
  ])("refuses %s", (_name, second) => {
    expect(() => new PageRegistry().register(page("overview", "/")).register(second)).toThrow(RangeError);
  });
});
