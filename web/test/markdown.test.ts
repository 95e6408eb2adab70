import { JSDOM } from "jsdom";
import { beforeAll, describe, expect, it } from "vitest";
import { GrowingMarkdown } from "../src/markdown/growing";
import { MarkdownRenderer, type RenderOptions } from "../src/markdown/render";

const { window } = new JSDOM("<!doctype html>");
const renderer = new MarkdownRenderer(window);
const options: RenderOptions = {
  words: { copy: "Copy", code: "Code" },
  sources: [
    { index: 1, title: "Back up", href: "https://example.com/guide#backup" },
    { index: 2, title: "No address", href: null },
  ],
};

beforeAll(() => {
  // morph.ts asks for the page's own constants.
  globalThis.Node ??= window.Node;
});

const host = (): HTMLElement => window.document.createElement("div");

const whole = (source: string): HTMLElement => {
  const element = host();
  element.append(renderer.fragment(source, options));
  return element;
};

describe("sanitising", () => {
  it.each([
    ["a script", "<script>alert(1)</script>"],
    ["an event handler", '<img src=x onerror="alert(1)">'],
    ["a frame", '<iframe src="https://example.com"></iframe>'],
    ["a style", '<p style="position:fixed">x</p><style>*{display:none}</style>'],
    ["a form", '<form action="https://example.com"><button>x</button></form>'],
    ["SVG with a script", "<svg><script>alert(1)</script></svg>"],
    ["HTML inside a list", "- a\n- <b onclick=alert(1)>b</b>"],
  ])("shows %s as text, never as an element", (_name, source) => {
    const element = whole(source);
    expect(element.querySelector("script, img, iframe, style, form, svg, b, [onclick], [onerror], [style]")).toBeNull();
    expect(element.textContent).toContain("<");
  });

  it.each(["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "java\tscript:alert(1)"])(
    "gives a link to %j no address",
    (address) => {
      const link = whole(`[x](<${address}>)`).querySelector("a[href]");
      expect(link?.getAttribute("href") ?? "").not.toMatch(/script:|data:/i);
    },
  );

  it("opens links in a new tab without handing over the page", () => {
    const link = whole("[x](https://example.com/?a=1&b=2)").querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://example.com/?a=1&b=2");
    expect(link?.rel).toBe("noopener noreferrer nofollow");
    expect(link?.target).toBe("_blank");
  });

  it("turns a picture into a link, so that an answer cannot make the page call another host", () => {
    const element = whole("![a cat](https://example.com/cat.png)");
    expect(element.querySelector("img")).toBeNull();
    expect(element.querySelector("a")?.textContent).toBe("a cat");
  });

  it("cannot be led out of a code block by its language or text", () => {
    const element = whole('```"><script>x</script>\n</code><script>y</script>\n```');
    expect(element.querySelector("script")).toBeNull();
    expect(element.querySelector("code")?.textContent).toContain("</code><script>y</script>");
  });
});

describe("what an answer may hold", () => {
  it("marks a source's number as a link to it", () => {
    const cites = whole("It is safe [1], also [2], but not [7] nor [1](https://x.example).").querySelectorAll(".cite");
    expect([...cites].map((cite) => cite.innerHTML)).toEqual([
      '<a href="https://example.com/guide#backup" title="Back up" target="_blank" rel="noopener noreferrer nofollow">1</a>',
      "2",
    ]);
  });

  it("gives a code block its language and a copy button", () => {
    const element = whole("```sh\nmake run\n```");
    expect(element.querySelector(".code-bar span")?.textContent).toBe("sh");
    expect(element.querySelector("button.copy")?.textContent).toBe("Copy");
    expect(element.querySelector("pre code")?.textContent).toBe("make run");
  });

  it("keeps the answer's headings below the page's own", () => {
    expect(whole("# a\n\n## b").innerHTML).toBe("<h3>a</h3>\n<h4>b</h4>\n");
  });
});

const DOCUMENTS: Record<string, string> = {
  prose: "Stop the stack first.\n\nThen copy **the `data` folder** to a *safe* place, and start it again.\n",
  chinese: "要备份 **Trivet**，先停止服务。\n\n1. 运行 `make stop`。\n2. 复制 `data/` 目录。\n3. 再次运行 `make run`。\n\n详见[指南](https://example.com/zh)。",
  list: "Three steps:\n\n- stop\n- copy\n  - the databases\n  - the token\n- start\n\nThat is all.",
  "tight list": "Three steps:\n- stop\n- copy\n- start",
  code: "Run this:\n\n```sh\nmake stop\ncp -a data backup  # 2 * 3\n```\n\nThen:\n\n~~~\nmake run\n~~~\n",
  table: "Ports:\n\n| service | port |\n|---|---:|\n| kb | 8739 |\n| gateway | 8741 |\n\nEach can be changed.",
  headings: "## Back up\n\nText.\n\n### Restore\n\nMore [1] text [guide](https://example.com/a_b) here.",
  quote: "> A quote of **two**\n> lines.\n\n---\n\nAfter the rule: 2 * 3 = 6 and snake_case_name.",
  "stars in code": "Look:\n\n```py\na = 1\n\nb = f(**c)\n```\n\nDone.",
  "bold link": "See **[the guide](https://example.com/g)** and `a [b](c)`, or ***both***.",
  emoji: "Hot 🍲 pot: **三足鼎立** ~~never~~ always.",
};

const words = (node: Element): string => (node.textContent ?? "").replace(/\s+/g, "");

const kinds = (node: Element): string => [...node.children].map(({ tagName, className }) => `${tagName}${className} `).join("");

describe("growing text", () => {
  it.each(Object.entries(DOCUMENTS))("never takes back a word or changes a block of %s, and ends the same", (_name, source) => {
    const element = host();
    const growing = new GrowingMarkdown(element, renderer, options);
    const expected = whole(source);
    for (let length = 1; length <= source.length; length += 1) {
      growing.grow(source.slice(0, length));
      const shown = `${JSON.stringify(source.slice(0, length))} → ${element.innerHTML}`;
      expect(words(expected).startsWith(words(element)), shown).toBe(true);
      expect(kinds(expected).startsWith(kinds(element)), shown).toBe(true);
    }
    growing.finish(source);
    expect(element.innerHTML).toBe(expected.innerHTML);
  });

  it("leaves the nodes of finished blocks and the growing text node in place", () => {
    const element = host();
    const growing = new GrowingMarkdown(element, renderer, options);
    growing.grow("First.\n\nSec");
    const [first, second] = [element.children[0], element.children[1]?.firstChild];
    growing.grow("First.\n\nSecond part");
    expect(element.children[0]).toBe(first);
    expect(element.children[1]?.firstChild).toBe(second);
    expect(second?.textContent).toBe("Second part");
  });
});
