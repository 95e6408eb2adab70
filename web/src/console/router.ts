/**
 * Addresses of the console's pages: `console/#/knowledge/documents?lang=zh`.
 *
 * The fragment never reaches the server, so that the console is static files under any prefix.
 */
export interface Route {
  /** Begins with "/", without one at the end: "/knowledge/documents"; the start page is "/". */
  path: string;
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const segments = path.split("/").filter((segment) => segment !== "");
  return { path: `/${segments.map(decode).join("/")}`, query: new URLSearchParams(query) };
}

export function formatRoute(path: string, query?: URLSearchParams): string {
  const segments = path.split("/").filter((segment) => segment !== "");
  const question = query && query.size > 0 ? `?${query}` : "";
  return `#/${segments.map(encodeURIComponent).join("/")}${question}`;
}

/** The entry whose path is `path` or the longest beginning of it, and what follows: "/knowledge" + "/documents". */
export function matchRoute<T extends { path: string }>(entries: Iterable<T>, path: string): { entry: T; rest: string } | null {
  let best: T | null = null;
  for (const entry of entries) {
    if (isWithin(path, entry.path) && (!best || entry.path.length > best.path.length)) best = entry;
  }
  return best && { entry: best, rest: best.path === "/" ? path : path.slice(best.path.length) || "/" };
}

/** The start page holds itself alone: an unknown path is unknown, not the start page. */
const isWithin = (path: string, base: string): boolean =>
  path === base || (base !== "/" && path.startsWith(`${base}/`));

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray "%": taken as it stands
  }
}

/** Follows the address bar. Dispatches "change". */
export class HashRouter extends EventTarget {
  private readonly follow = (): void => {
    this.dispatchEvent(new Event("change"));
  };

  constructor(private readonly window: Window = globalThis.window) {
    super();
  }

  get route(): Route {
    return parseRoute(this.window.location.hash);
  }

  start(): void {
    this.window.addEventListener("hashchange", this.follow);
  }

  stop(): void {
    this.window.removeEventListener("hashchange", this.follow);
  }

  /** Goes to a page; `replace` leaves no step back to where we are. */
  navigate(path: string, query?: URLSearchParams, replace = false): void {
    const hash = formatRoute(path, query);
    if (!replace) {
      this.window.location.hash = hash;
      return;
    }
    this.window.history.replaceState(null, "", hash);
    this.follow();
  }
}
