import { afterEach, describe, expect, it, vi } from "vitest";
import { Conversation, type Ask } from "../src/chat/conversation";
import { BrowserStore } from "../src/chat/conversation-store";
import { parseSite } from "../src/chat/site";
import { VisitorCredential } from "../src/transport/credential";
import { Failure } from "../src/transport/failure";

const ROOT = new URL("https://chat.example.com/trivet/");
const HOUR_MS = 3_600_000;

afterEach(() => vi.unstubAllGlobals());

/** A browser's storage; `fails` makes every access throw, as closed or full ones do. */
function storage(fails = false): Storage {
  const entries = new Map<string, string>();
  const guard = <T>(value: T): T => {
    if (fails) throw new DOMException("closed", "QuotaExceededError");
    return value;
  };
  return {
    getItem: (key: string) => guard(entries.get(key) ?? null),
    setItem: (key: string, value: string) => void guard(entries.set(key, value)),
    removeItem: (key: string) => void guard(entries.delete(key)),
  } as Storage;
}

const echo: Ask = async function* (request) {
  yield { kind: "text", text: `re: ${request.messages.at(-1)?.content}` };
};

const chat = (store: BrowserStore, send: Ask = echo): Conversation =>
  new Conversation(() => ROOT, () => "assistant/site", send, store);

describe("a kept conversation", () => {
  it("comes back with its session, and goes on", async () => {
    const area = storage();
    const first = chat(new BrowserStore(() => "k", area));
    await first.ask("One");
    const sessions: string[] = [];
    const listen: Ask = async function* (request) {
      sessions.push(request.sessionId);
      yield* echo(request);
    };
    const second = chat(new BrowserStore(() => "k", area), listen);
    second.restore();
    await second.ask("Two");
    expect(second.turns.map(({ question, answer }) => [question, answer])).toEqual([
      ["One", "re: One"],
      ["Two", "re: Two"],
    ]);
    expect(new Set(second.turns.map(({ id }) => id)).size).toBe(2);
    await first.ask("Three");
    expect(JSON.parse(area.getItem("k") ?? "{}").sessionId).toBe(sessions[0]);
  });

  it("keeps failures in words and calls an answer that was left over stopped", async () => {
    const area = storage();
    const store = new BrowserStore(() => "k", area);
    const failing = chat(store, () => {
      throw new Failure("overloaded", { requestId: "r-1", message: "not kept" });
    });
    await failing.ask("One");
    expect(store.load()?.turns).toMatchObject([{ state: "failed", failure: { kind: "overloaded", requestId: "r-1" } }]);
    expect(store.load()?.turns[0]?.failure).toBeInstanceOf(Failure);
    const hanging = chat(new BrowserStore(() => "h", area), async function* () {
      yield { kind: "text", text: "half" };
      await new Promise(() => undefined);
    });
    void hanging.ask("Two");
    await vi.waitFor(() => expect(hanging.turns[0]?.answer).toBe("half"));
    hanging.keep();
    expect(new BrowserStore(() => "h", area).load()?.turns).toMatchObject([{ state: "stopped", answer: "half" }]);
  });

  it("is forgotten after half a day, on request, and when it is not what was written", async () => {
    const area = storage();
    let now = 0;
    const store = new BrowserStore(() => "k", area, () => now);
    const conversation = chat(store);
    await conversation.ask("One");
    now = 11 * HOUR_MS;
    expect(store.load()).not.toBeNull();
    now = 13 * HOUR_MS;
    expect(store.load()).toBeNull();
    now = 0;
    conversation.reset();
    expect(area.getItem("k")).toBeNull();
    for (const entry of ["", "{", "[]", '{"format":9}', '{"format":1,"at":0,"turns":7}']) {
      area.setItem("k", entry);
      expect(store.load(), entry).toBeNull();
    }
  });

  it("takes a bounded room", async () => {
    const area = storage();
    const conversation = chat(new BrowserStore(() => "k", area));
    for (let number = 0; number < 45; number += 1) await conversation.ask("x".repeat(20_000));
    expect((area.getItem("k") ?? "").length).toBeLessThan(420_000);
    expect(conversation.turns.length).toBe(45);
  });

  it("does no harm where storage is closed", async () => {
    const conversation = chat(new BrowserStore(() => "k", storage(true)));
    conversation.restore();
    await conversation.ask("One");
    conversation.reset();
    expect(conversation.turns).toEqual([]);
  });
});

describe("a conversation", () => {
  it("gives up all that followed a question that is asked in other words", async () => {
    const conversation = chat(new BrowserStore(() => "k", storage()));
    for (const question of ["One", "Two", "Three"]) await conversation.ask(question);
    const second = conversation.turns[1]?.id ?? 0;
    await conversation.revise(second, "  Two, better  ");
    expect(conversation.turns.map(({ question }) => question)).toEqual(["One", "Two, better"]);
    await conversation.revise(second, "gone");
    await conversation.revise(conversation.turns[0]?.id ?? 0, "   ");
    expect(conversation.turns.length).toBe(2);
  });

  it("remembers opinions", async () => {
    const conversation = chat(new BrowserStore(() => "k", storage()));
    await conversation.ask("One");
    conversation.rate(conversation.turns[0]?.id ?? 0, "down");
    expect(conversation.turns[0]?.rating).toBe("down");
  });
});

describe("a visitor of another site", () => {
  const answers = (...bodies: object[]) => {
    const fetched = vi.fn(async (_address: URL, _options: RequestInit) => Response.json(bodies.shift() ?? {}));
    vi.stubGlobal("fetch", fetched);
    return fetched;
  };
  const token = (name: string) => ({ token: name, expires_in_seconds: 600 });

  it("without a key says nothing", async () => {
    expect(await new VisitorCredential(() => ROOT, () => "", storage()).headers()).toEqual({});
  });

  it("exchanges the key once for many calls, and again before the token ends", async () => {
    let now = 0;
    const fetched = answers(token("vt_1"), token("vt_2"));
    const credential = new VisitorCredential(() => ROOT, () => "pk_test-not-a-key", storage(), () => now);
    const both = await Promise.all([credential.headers(), credential.headers()]);
    expect(both).toEqual([{ Authorization: "Bearer vt_1" }, { Authorization: "Bearer vt_1" }]);
    expect(fetched.mock.calls.length).toBe(1);
    expect(fetched.mock.calls[0]?.[0].href).toBe("https://chat.example.com/trivet/api/llm/keys/visitor");
    now = 541_000;
    expect(await credential.headers()).toEqual({ Authorization: "Bearer vt_2" });
    expect(JSON.parse(String(fetched.mock.calls[1]?.[1].body))).toEqual({ token: "vt_1" });
  });

  it("is told in the contract's words when the key is refused, and may try again", async () => {
    const body = { error: { type: "permission_error", code: 403, message: "Not from this origin." } };
    vi.stubGlobal("fetch", async () => Response.json(body, { status: 403 }));
    const credential = new VisitorCredential(() => ROOT, () => "pk_test-not-a-key", storage());
    await expect(credential.headers()).rejects.toMatchObject({ kind: "forbidden" });
    answers(token("vt_3"));
    expect(await credential.headers()).toEqual({ Authorization: "Bearer vt_3" });
  });
});

describe("the company behind the site", () => {
  it("is shown where it can be reached", () => {
    const company_info = { name: "Shop", email: "a@example.com", website: "javascript:alert(1)", address_en: "Road 1" };
    expect(parseSite({ company_info }).contact).toEqual({
      name: { en: "Shop", zh: "Shop" },
      website: "",
      email: "a@example.com",
      phone: "",
      address: { en: "Road 1", zh: "" },
    });
    expect(parseSite({ company_info: { name: "Shop", website: "https://example.com" } }).contact).toBeNull();
  });
});
