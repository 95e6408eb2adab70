/// <reference types="vitest/config" />
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const page = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const GUIDE = new URL("../library/guide/", import.meta.url);
const IMAGES = new URL("../docs/images/", import.meta.url);

/** The guide's Markdown and its pictures beside the pages, so that the sources of the sample library can be read. */
const guide: Plugin = {
  name: "guide",
  generateBundle() {
    for (const path of readdirSync(GUIDE, { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".md")) continue;
      const source = readFileSync(new URL(path, GUIDE), "utf8");
      this.emitFile({ type: "asset", fileName: `guide/${path}`, source });
      for (const [, name = ""] of source.matchAll(/\]\([./]*docs\/images\/([\w-]+\.\w+)\)/g)) {
        this.emitFile({ type: "asset", fileName: `guide/images/${name}`, source: readFileSync(new URL(name, IMAGES)) });
      }
    }
  },
};

export default defineConfig({
  // Relative addresses: one build works under "/" and under any prefix.
  base: "./",
  plugins: [guide],
  build: {
    target: "es2022",
    // These understand light-dark() and nesting, which the design tokens use.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // A data: address would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    // The polyfill is an inline script's cousin; every browser we support preloads modules.
    modulePreload: { polyfill: false },
    // The budget of the first paint is checked by scripts/weigh.mjs.
    reportCompressedSize: false,
    rolldownOptions: {
      input: {
        chat: page("index.html"),
        console: page("console/index.html"),
        read: page("read/index.html"),
        widgetGuide: page("widget/index.html"),
        widget: page("src/widget.ts"),
      },
      // Other sites name widget.js: its address never changes. All else has a hash in its name.
      output: { entryFileNames: ({ name }) => (name === "widget" ? "widget.js" : "assets/[name]-[hash].js") },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
