import { Failure } from "../transport/failure";
import { availableStorage } from "../preferences/preferences";
import type { Turn } from "./conversation";

export interface Kept {
  sessionId: string;
  turns: Turn[];
}

/** Where a conversation lies between two page loads. */
export interface ConversationStore {
  load(): Kept | null;
  save(kept: Readonly<{ sessionId: string; turns: readonly Turn[] }>): void;
  clear(): void;
}

export class ForgetfulStore implements ConversationStore {
  load = (): null => null;
  save = (): void => undefined;
  clear = (): void => undefined;
}

const FORMAT = 1;
/** A visitor who comes back tomorrow begins anew; so does the next one at a shared machine. */
const KEPT_FOR_MS = 12 * 60 * 60 * 1000;
const MOST_TURNS = 40;
const MOST_CHARACTERS = 400_000;

/** One entry of the browser's storage for each assistant of each stack; works without storage, too. */
export class BrowserStore implements ConversationStore {
  constructor(
    private readonly key: () => string,
    private readonly area: Storage | null = availableStorage(),
    private readonly now: () => number = Date.now,
  ) {}

  load(): Kept | null {
    try {
      return this.parse(this.area?.getItem(this.key()) ?? null);
    } catch {
      return null; // closed to us, or not what we wrote: then there is nothing to show
    }
  }

  save({ sessionId, turns }: { sessionId: string; turns: readonly Turn[] }): void {
    const entry = JSON.stringify({ format: FORMAT, at: this.now(), sessionId, turns: newest(turns) });
    try {
      this.area?.setItem(this.key(), entry);
    } catch {
      this.clear(); // full: an old state would be worse than none
    }
  }

  clear(): void {
    try {
      this.area?.removeItem(this.key());
    } catch {
      // closed to us: then nothing was kept
    }
  }

  private parse(entry: string | null): Kept | null {
    const { format, at, sessionId, turns } = JSON.parse(entry ?? "{}");
    if (format !== FORMAT || this.now() - at > KEPT_FOR_MS || turns.length === 0) return null;
    return { sessionId, turns: turns.map(revived) };
  }
}

/** As many of the last turns as fit; the newest always does. */
function newest(turns: readonly Turn[]): readonly Turn[] {
  let characters = 0;
  const recent = turns.slice(-MOST_TURNS);
  const tooOld = recent.findLastIndex((turn) => (characters += JSON.stringify(turn).length) > MOST_CHARACTERS);
  return recent.slice(Math.min(tooOld + 1, recent.length - 1));
}

/** A failure's kind and details come back; an answer that the page was left over was stopped. */
function revived(turn: Turn): Turn {
  const failure = turn.failure && new Failure(turn.failure.kind, { requestId: turn.failure.requestId });
  const running = turn.state === "waiting" || turn.state === "writing";
  return { ...turn, failure, state: running ? "stopped" : turn.state };
}
