import type { SVGTemplateResult } from "lit";
import type { Language, Preferences } from "../preferences/preferences";
import type { ApiClient } from "./client";
import { matchRoute, type HashRouter, type Route } from "./router";

/** The parts of the navigation, in order. One without pages is not shown. */
export const GROUPS = ["observe", "knowledge", "studio", "system"] as const;
export type Group = (typeof GROUPS)[number];

/** What each page gets. */
export interface ConsoleContext {
  client: ApiClient;
  preferences: Preferences;
  router: HashRouter;
}

/** A page's own element: the shell sets these, and sets `route` again when the address changes below the page. */
export interface ConsolePageElement extends HTMLElement {
  context: ConsoleContext;
  route: Route;
}

/**
 * A page of the console.
 *
 * `path`: "/" for the start page, else such as "/knowledge"; everything below it belongs to the page.
 * `load` brings the element's class when the page is first opened.
 */
export interface ConsolePage {
  id: string;
  path: string;
  group: Group;
  title: Record<Language, string>;
  icon: () => SVGTemplateResult;
  load: () => Promise<new () => ConsolePageElement>;
}

/** Where pages hang themselves in. */
export class PageRegistry {
  private readonly pages = new Map<string, ConsolePage>();

  /** Throws RangeError for an id or a path that is taken, and for a path of the wrong form. */
  register(page: ConsolePage): this {
    if (!/^\/(?:[a-z0-9-]+(?:\/[a-z0-9-]+)*)?$/.test(page.path)) throw new RangeError(`Bad path: ${page.path}`);
    const taken = [...this.pages.values()].some(({ id, path }) => id === page.id || path === page.path);
    if (taken) throw new RangeError(`Registered twice: ${page.id} at ${page.path}`);
    this.pages.set(page.id, page);
    return this;
  }

  /** The groups that have pages, each with its pages in the order of their registration. */
  groups(): { group: Group; pages: ConsolePage[] }[] {
    return GROUPS.map((group) => ({
      group,
      pages: [...this.pages.values()].filter((page) => page.group === group),
    })).filter(({ pages }) => pages.length > 0);
  }

  match(route: Route): { page: ConsolePage; rest: string } | null {
    const found = matchRoute(this.pages.values(), route.path);
    return found && { page: found.entry, rest: found.rest };
  }
}
