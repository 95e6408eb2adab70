import { Failure, isAbort, parseJson } from "../../../transport/failure";
import type { ApiClient } from "../../client";
import { fields, type Fields } from "../../parts/json";
import { pause } from "../../parts/pause";
import type { Kind } from "./question";

/** A record as it arrives: what one line of the live view tells. */
export interface LiveRecord {
  id: string;
  kind: string;
  time: string;
  text: string;
  model: string;
  status: number | null;
  errorType: string;
  durationSeconds: number | null;
  firstTokenSeconds: number | null;
  found: number | null;
  rating: string;
  /** The conversation that it belongs to, by its own id or that of the one request; empty: none. */
  conversation: string;
}

export const MOST_SHOWN = 200;

/**
 * What is shown and what waits while the view is paused, both bounded: the oldest go first. Of those that were never
 * shown the number is kept.
 */
export class LiveLog {
  shown: readonly LiveRecord[] = [];
  waiting: readonly LiveRecord[] = [];
  missed = 0;
  paused = false;

  add(records: readonly LiveRecord[], missed: number): void {
    this.missed += missed;
    const newest = [...records].reverse();
    if (!this.paused) {
      this.shown = [...newest, ...this.shown].slice(0, MOST_SHOWN);
      return;
    }
    const all = [...newest, ...this.waiting];
    this.waiting = all.slice(0, MOST_SHOWN);
    this.missed += all.length - this.waiting.length;
  }

  goOn(): void {
    this.paused = false;
    const { waiting } = this;
    this.waiting = [];
    this.shown = [...waiting, ...this.shown].slice(0, MOST_SHOWN);
  }

  clear(): void {
    this.shown = [];
    this.waiting = [];
    this.missed = 0;
  }
}

export function parseRecord(body: unknown): LiveRecord {
  const item = fields(body);
  return {
    id: item.text("id"),
    kind: item.text("kind"),
    time: item.text("time"),
    text: item.text("text"),
    model: modelName(item),
    status: item.number("status"),
    errorType: item.text("error_type"),
    durationSeconds: item.number("duration_seconds"),
    firstTokenSeconds: item.number("first_token_seconds"),
    found: item.number("total_found"),
    rating: item.text("rating"),
    conversation: item.text("session_id") || (item.text("kind") === "chat" ? item.text("request_id") : ""),
  };
}

const modelName = (item: Fields): string => [item.text("provider"), item.text("model")].filter(Boolean).join("/");

export type LiveState = "connecting" | "watching" | "broken";

export interface LiveWatcher {
  state(state: LiveState): void;
  arrived(records: readonly LiveRecord[], missed: number): void;
}

const LONGEST_PAUSE_MS = 10_000;

/**
 * Watches until `signal` ends it. A connection that breaks is made again, ever more slowly; what happened meanwhile is not
 * told: the records stand in the export. Throws `Failure` where trying again does not help.
 */
export async function watchLive(client: ApiClient, kind: Kind | null, signal: AbortSignal, watcher: LiveWatcher): Promise<void> {
  watcher.state("connecting");
  for (let tries = 0; !signal.aborted; tries += 1) {
    const opened = (): void => {
      tries = 0;
      watcher.state("watching");
    };
    try {
      const query: Record<string, string> = kind ? { kind } : {};
      for await (const { name, data } of client.events("api/analytics/live", { query, signal, opened })) {
        if (name === "record") watcher.arrived([parseRecord(parseJson(data))], 0);
        if (name === "missed") watcher.arrived([], fields(parseJson(data)).count("missed"));
      }
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      if (!(error instanceof Failure) || FINAL.includes(error.kind)) throw error;
    }
    if (signal.aborted) return;
    watcher.state("broken");
    await pause(Math.min(1000 * 2 ** tries, LONGEST_PAUSE_MS), signal);
  }
}

const FINAL: readonly string[] = ["unauthenticated", "forbidden", "not_found", "invalid"];
