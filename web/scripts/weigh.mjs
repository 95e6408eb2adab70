// The weight of each page's first paint: what its HTML names (scripts, preloads, styles), gzipped as nginx does.
// Fails the build where a page is heavier than its budget.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url);
const BUDGETS_BYTES = { "index.html": 60_000, "console/index.html": 60_000, "read/index.html": 60_000, "widget/index.html": 60_000 };

const files = (page) => {
  const html = readFileSync(new URL(page, DIST), "utf8");
  const named = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path]) => path);
  return [...new Set(named)].map((path) => new URL(path, new URL(page, DIST)));
};

for (const [page, budget] of Object.entries(BUDGETS_BYTES)) {
  const bytes = files(page).reduce((sum, file) => sum + gzipSync(readFileSync(fileURLToPath(file)), { level: 6 }).length, 0);
  console.log(`${page}: ${(bytes / 1000).toFixed(1)} kB gzipped of ${budget / 1000} kB`);
  if (bytes === 0) throw new Error(`${page} names no script`);
  if (bytes > budget) process.exitCode = 1;
}
