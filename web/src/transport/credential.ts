import { failureFromResponse } from "./failure";
import { availableStorage } from "../preferences/preferences";

/** Renewed this long before its end, so that no call meets it expired. */
const RENEW_BEFORE_MS = 60_000;

interface Token {
  token: string;
  until: number;
}

/**
 * Who a visitor of a foreign site is: the site's publishable key, exchanged for a short-lived token.
 *
 * The last token goes along with each exchange, so that a visitor stays one visitor.
 */
export class VisitorCredential {
  private current: Token | null = null;
  private pending: Promise<Token> | null = null;

  constructor(
    private readonly root: () => URL,
    private readonly key: () => string,
    private readonly storage: Storage | null = availableStorage(),
    private readonly now: () => number = Date.now,
  ) {}

  /** Headers for a call; none where the page has no key. Throws `Failure` where the key is refused. */
  readonly headers = async (): Promise<Record<string, string>> => {
    if (this.key() === "") return {};
    if (!this.current || this.current.until <= this.now()) this.current = await this.exchange();
    return { Authorization: `Bearer ${this.current.token}` };
  };

  /** Several calls at once wait for one exchange. */
  private exchange(): Promise<Token> {
    this.pending ??= this.ask().finally(() => (this.pending = null));
    return this.pending;
  }

  private async ask(): Promise<Token> {
    const response = await fetch(new URL("api/llm/keys/visitor", this.root()), {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.key()}` },
      body: JSON.stringify({ token: this.remembered() }),
    });
    if (!response.ok) throw await failureFromResponse(response);
    const { token, expires_in_seconds: seconds } = (await response.json()) as { token: string; expires_in_seconds: number };
    this.remember(token);
    return { token, until: this.now() + seconds * 1000 - RENEW_BEFORE_MS };
  }

  private remembered(): string | null {
    try {
      return this.storage?.getItem(this.place()) ?? null;
    } catch {
      return null; // storage may be closed to us: then this is another visitor
    }
  }

  private remember(token: string): void {
    try {
      this.storage?.setItem(this.place(), token);
    } catch {
      // as above
    }
  }

  private place(): string {
    return `trivet.visitor.${this.root().href}`;
  }
}
