import { JSDOM } from "jsdom";
import { beforeAll, describe, expect, it } from "vitest";
import { GrowingMarkdown } from "../src/markdown/growing";
import { MarkdownRenderer, type RenderOptions } from "../src/markdown/render";
import { picturePath } from "../src/read/document";

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

  it("shows a picture where the page says that it lies with us", () => {
    const picture = (address: string): string | null => (address === "../a.webp" ? "/guide/images/a.webp" : null);
    const element = host();
    element.append(renderer.fragment("![one](../a.webp) ![two](https://example.com/b.png)", { ...options, picture }));
    expect([...element.querySelectorAll("img")].map((image) => image.outerHTML)).toEqual([
      '<img src="/guide/images/a.webp" alt="one" loading="lazy">',
    ]);
    expect(element.querySelector("a")?.textContent).toBe("two");
  });

  it.each([
    ["docs/images/chat-en.webp", "guide/images/chat-en.webp"],
    ["docs/images/../secret.webp", null],
    ["docs/images/a.html", null],
    ["library/a.webp", null],
  ])("knows where the guide's picture %s lies", (address, path) => {
    expect(picturePath("../".repeat(3) + address)).toBe(path);
    expect(picturePath(`https://example.com/${address}`)).toBeNull();
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

/** Without a limit of time: what is due is drawn when `grow` returns. */
const atOnce = (element: Element, drawer = renderer): GrowingMarkdown => new GrowingMarkdown(element, drawer, options, Infinity);

const words = (node: Element): string => (node.textContent ?? "").replace(/\s+/g, "");

const kinds = (node: Element): string => [...node.children].map(({ tagName, className }) => `${tagName}${className} `).join("");

describe("growing text", () => {
  it.each(Object.entries(DOCUMENTS))("never takes back a word or changes a block of %s, and ends the same", (_name, source) => {
    const element = host();
    const growing = atOnce(element);
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
    const growing = atOnce(element);
    growing.grow("First.\n\nSec");
    const [first, second] = [element.children[0], element.children[1]?.firstChild];
    growing.grow("First.\n\nSecond part");
    expect(element.children[0]).toBe(first);
    expect(element.children[1]?.firstChild).toBe(second);
    expect(second?.textContent).toBe("Second part");
  });
});

const times = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join("");

const LONG: Record<string, string> = {
  prose: times(60, (index) => `Part ${index} has **bold words**, a [link](https://example.com/${index}) and \`code\`.\n\n`),
  "one paragraph": times(300, (index) => `sentence ${index} with **two *nested* marks** and snake_case_names, `),
  "one Chinese paragraph": times(300, (index) => `第 ${index} 句说明**备份**的步骤，并且提到 \`make run\`。`),
  "one list": times(300, (index) => `- item ${index} with **bold** words\n`),
  "one loose list": times(160, (index) => `${index + 100}. item ${index}\n\n     more of *it*\n\n`),
  "one nested list": times(150, (index) => `* item ${index}\n  - within *it*\n  - and \`more\`\n`),
  "one code block": `\`\`\`py\n${times(400, (index) => (index % 7 === 0 ? "\n" : `line_${index} = [${index}]\n`))}\`\`\`\n`,
  "one table": `| a | b |\n|---|---:|\n${times(300, (index) => `| cell ${index} | **${index}** |\n`)}`,
  "one quote": times(80, (index) => `> line ${index} of *it*\n`),
  "one word": "word".repeat(2000),
  mixed: `# Title\n\n${times(120, (index) => `- item ${index} of the list, long enough to be cut\n`)}\nThen\n\n\`\`\`\n${times(200, (index) => `line ${index}\n`)}\`\`\`\n\nEnd.\n`,
};

/** Counts the characters that are parsed and drawn. */
function counting(): MarkdownRenderer & { characters: number } {
  const drawer = new MarkdownRenderer(window) as MarkdownRenderer & { characters: number };
  drawer.characters = 0;
  for (const name of ["blocks", "fragment", "html"] as const) {
    const real = drawer[name].bind(drawer) as (source: string, options: RenderOptions) => never;
    drawer[name] = (source: string, given: RenderOptions = options) => {
      drawer.characters += source.length;
      return real(source, given);
    };
  }
  return drawer;
}

describe("long text", () => {
  const STEP = 331;
  const uncut = ["one quote", "one word"]; // there is no place in them where nothing is open

  it.each(Object.entries(LONG))("of %s is drawn once, never takes back a word, and costs no more at its end", (name, source) => {
    const element = host();
    const drawer = counting();
    const growing = atOnce(element, drawer);
    const expected = whole(source);
    const costs: number[] = [];
    let first: Node | null = null;
    const draw = (length: number, step: "grow" | "finish"): void => {
      const before = drawer.characters;
      growing[step](source.slice(0, length));
      costs.push(drawer.characters - before);
      const shown = words(element);
      expect(words(expected).startsWith(shown), `${source.slice(length - 200, length)} → ${shown.slice(-200)}`).toBe(true);
      first ??= window.document.createTreeWalker(element, window.NodeFilter.SHOW_TEXT).nextNode();
    };
    for (let length = STEP; length < source.length; length += STEP) draw(length, "grow");
    draw(source.length, "finish");
    expect(element.innerHTML).toBe(expected.innerHTML);
    expect(element.contains(first)).toBe(true);
    const half = Math.floor(costs.length / 2);
    const [early, late] = [Math.max(...costs.slice(0, half)), Math.max(...costs.slice(half))];
    if (!uncut.includes(name)) expect(late, costs.join(" ")).toBeLessThan(1.5 * early);
  }, 30_000);

  it("keeps a selection in what is cut off for good", () => {
    const element = host();
    window.document.body.append(element);
    const growing = atOnce(element);
    const source = LONG["one code block"] ?? "";
    growing.grow(source.slice(0, 1900));
    const text = element.querySelector("code")?.firstChild as Text;
    const range = window.document.createRange();
    range.setStart(text, 10);
    range.setEnd(text, 1500);
    const selected = range.toString();
    growing.grow(source.slice(0, 6000));
    expect(range.toString()).toBe(selected);
    element.remove();
  });

  it("is drawn in slices of time, the whole of it in the end", async () => {
    const element = host();
    const growing = new GrowingMarkdown(element, renderer, options, 0);
    const source = LONG["mixed"] ?? "";
    growing.finish(source);
    expect(words(element).length).toBeLessThan(words(whole(source)).length);
    await expect.poll(() => element.innerHTML).toBe(whole(source).innerHTML);
  });

  it("is not drawn further once it is stopped", async () => {
    const element = host();
    const growing = new GrowingMarkdown(element, renderer, options, 0);
    growing.finish(LONG["mixed"] ?? "");
    growing.stop();
    const shown = element.innerHTML;
    await new Promise((resolve) => setTimeout(resolve));
    expect(element.innerHTML).toBe(shown);
  });
});

describe("links that are defined below", () => {
  it("become links when the text has ended, in the paragraphs above", () => {
    const element = host();
    const growing = atOnce(element);
    const source = "See [the guide].\n\nMore text.\n\n[the guide]: https://example.com/guide\n";
    for (let length = 1; length <= source.length; length += 9) growing.grow(source.slice(0, length));
    growing.finish(source);
    expect(element.querySelector("a")?.getAttribute("href")).toBe("https://example.com/guide");
    expect(words(element)).toBe("Seetheguide.Moretext.");
  });
});
