import { availableStorage } from "../preferences/preferences";
import { Failure } from "../transport/failure";
import type { ApiClient } from "./client";

/** "ended": there was a session, and the server no longer takes it. */
export type SessionState = "asking" | "in" | "out" | "ended";

const HINT_KEY = "trivet.console.session";

/**
 * Whether the administrator is logged in. The session itself is a cookie that no script can read; all that is kept here
 * is a hint that there may be one, so that a first visit asks the server for nothing.
 *
 * Dispatches "change".
 */
export class Session extends EventTarget {
  private current: SessionState = "asking";

  constructor(
    private readonly client: ApiClient,
    private readonly storage: Storage | null = availableStorage(),
  ) {
    super();
    client.addEventListener("unauthenticated", () => this.expire());
  }

  get state(): SessionState {
    return this.current;
  }

  /** Finds out. A server that cannot be asked throws, and leaves the state as it was. */
  async resume(): Promise<void> {
    if (!this.hint()) return this.become("out");
    try {
      await this.client.get("api/session");
      this.become("in");
    } catch (error) {
      if (!(error instanceof Failure && error.kind === "unauthenticated")) throw error;
    }
  }

  /** Throws `Failure`, of the kind "unauthenticated" for a wrong token. */
  async logIn(token: string): Promise<void> {
    await this.client.post("api/session", { token });
    this.hint("yes");
    this.become("in");
  }

  async logOut(): Promise<void> {
    await this.client.delete("api/session");
    this.hint("");
    this.become("out");
  }

  private expire(): void {
    this.hint("");
    if (this.current === "in") this.become("ended");
    else if (this.current === "asking") this.become("out");
  }

  private become(state: SessionState): void {
    this.current = state;
    this.dispatchEvent(new Event("change"));
  }

  private hint(value?: string): boolean {
    try {
      if (value === "") this.storage?.removeItem(HINT_KEY);
      else if (value) this.storage?.setItem(HINT_KEY, value);
      return this.storage === null || this.storage.getItem(HINT_KEY) !== null;
    } catch {
      return true; // no storage: ask the server
    }
  }
}
