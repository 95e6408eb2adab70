/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const page = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Relative addresses: one build works under "/" and under any prefix.
  base: "./",
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
    rolldownOptions: { input: { chat: page("index.html"), console: page("console/index.html") } },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
