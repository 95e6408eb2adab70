import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { Conversation, type Ask } from "../src/chat/conversation";
import { isTrialModel, parseSite } from "../src/chat/site";
import { sourceAddress, sourcePlace, sourceTitle } from "../src/chat/source";
import { anchorHeadings, parseDocument, slugOf } from "../src/read/document";
import type { ChatRequest, ChatSignal, Citation } from "../src/transport/completion";
import { Failure } from "../src/transport/failure";

const ROOT = new URL("https://example.com/chat/");

/** A conversation whose answers are given here; `requests` is what it sent. */
function conversation(...answers: (Iterable<ChatSignal> | Error)[]): { chat: Conversation; requests: ChatRequest[] } {
  const requests: ChatRequest[] = [];
  const send: Ask = async function* (request) {
    requests.push(request);
    const answer = answers.shift() ?? [];
    if (answer instanceof Error) throw answer;
    yield* answer;
  };
  return { chat: new Conversation(() => ROOT, () => "assistant/site", send), requests };
}

const text = (words: string): ChatSignal => ({ kind: "text", text: words });

describe("a conversation", () => {
  it("gathers an answer from its pieces", async () => {
    const citation = { index: 1, title: "t" } as Citation;
    const { chat, requests } = conversation([
      { kind: "opened", requestId: "r-1" },
      { kind: "model", model: "local/small" },
      { kind: "citations", citations: [citation] },
      { kind: "reasoning", text: "hm" },
      text("Stop "),
      text("first."),
      { kind: "finish", reason: "stop" },
    ]);
    await chat.ask("  How?  ");
    expect(chat.turns).toMatchObject([
      {
        question: "How?",
        state: "complete",
        answer: "Stop first.",
        reasoning: "hm",
        citations: [citation],
        model: "local/small",
        requestId: "r-1",
        finishReason: "stop",
      },
    ]);
    expect(requests[0]).toMatchObject({ model: "assistant/site", messages: [{ role: "user", content: "How?" }] });
    expect(requests[0]?.sessionId).toMatch(/^[0-9a-f]{32}$/);
  });

  it("sends what was said before, but no unanswered question", async () => {
    const { chat, requests } = conversation([text("A1")], new Failure("timeout"), [text("A3")]);
    for (const question of ["Q1", "Q2", "Q3"]) await chat.ask(question);
    expect(requests[2]?.messages.map(({ content }) => content)).toEqual(["Q1", "A1", "Q3"]);
    expect(new Set(requests.map(({ sessionId }) => sessionId)).size).toBe(1);
  });

  it("sends a bounded part of a long past", async () => {
    const answers = Array.from({ length: 30 }, (_, n) => [text(`A${n}`)]);
    const { chat, requests } = conversation(...answers);
    for (let n = 0; n < 30; n += 1) await chat.ask(`Q${n}`);
    expect(requests[29]?.messages.length).toBe(13);
    expect(requests[29]?.messages[0]?.content).toBe("Q23");
  });

  it("keeps what came before a failure, and retries in its place", async () => {
    const broken = (function* () {
      yield text("half");
      throw new Failure("truncated");
    })();
    const { chat } = conversation(broken, [text("whole")]);
    await chat.ask("Q");
    expect(chat.turns).toMatchObject([{ state: "failed", answer: "half", failure: { kind: "truncated" } }]);
    await chat.retry();
    expect(chat.turns).toMatchObject([{ question: "Q", state: "complete", answer: "whole", failure: null }]);
  });

  it("calls an answer without words empty", async () => {
    const { chat } = conversation([{ kind: "finish", reason: "stop" }]);
    await chat.ask("Q");
    expect(chat.turns[0]?.failure?.kind).toBe("empty");
  });

  it("stops: the request is aborted, what came stays, and the next question may be asked", async () => {
    let aborted = false;
    const send: Ask = async function* ({ signal }) {
      yield text("half");
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          aborted = true;
          reject(new DOMException("stop", "AbortError"));
        }),
      );
    };
    const chat = new Conversation(() => ROOT, () => "m", send);
    const wrote = new Promise<void>((resolve) =>
      chat.addEventListener("change", () => chat.turns[0]?.state === "writing" && resolve()),
    );
    const ended = chat.ask("Q");
    await wrote;
    await chat.ask("not while one runs");
    chat.stop();
    await ended;
    expect(aborted).toBe(true);
    expect(chat.turns).toMatchObject([{ state: "stopped", answer: "half" }]);
    expect(chat.busy).toBe(false);
  });

  it("begins anew with another session, untouched by the answer before", async () => {
    let release = (): void => undefined;
    const requests: ChatRequest[] = [];
    const send: Ask = async function* (request) {
      requests.push(request);
      await new Promise<void>((resolve) => (release = resolve));
      yield text("late");
    };
    const chat = new Conversation(() => ROOT, () => "m", send);
    const first = chat.ask("Q1");
    chat.reset();
    expect(requests[0]?.signal.aborted).toBe(true);
    const releaseFirst = release;
    const second = chat.ask("Q2");
    releaseFirst();
    await first;
    expect(chat.turns).toMatchObject([{ question: "Q2", state: "waiting", answer: "" }]);
    expect(chat.busy).toBe(true);
    release();
    await second;
    expect(chat.turns).toMatchObject([{ question: "Q2", answer: "late" }]);
    expect(requests[0]?.sessionId).not.toBe(requests[1]?.sessionId);
  });

  it("lets a mistake of ours through", async () => {
    const { chat } = conversation(new TypeError("ours"));
    await expect(chat.ask("Q")).rejects.toThrow("ours");
    expect(chat.busy).toBe(false);
  });
});

describe("a source", () => {
  const of = (fields: Partial<Citation>): Citation =>
    ({ index: 1, id: "1", title: "", url: null, source: "", snippet: "", relevance_score: 0, ...fields }) as Citation;

  it.each([
    ["https://docs.example.com/a#b", "https://docs.example.com/a#b"],
    ["guide/a.html#b", "https://example.com/chat/guide/a.html#b"],
    ["javascript:alert(1)", null],
    ["data:text/html,x", null],
    ["file:///etc/passwd", null],
    ["https://[", null],
    ["", null],
    [null, null],
  ])("at %j leads to %j", (url, address) => {
    expect(sourceAddress(url, ROOT.href)).toBe(address);
  });

  it("is named by its heading, and placed by chapter, host or file", () => {
    expect(sourceTitle(of({ title: "Back up › How?" }))).toBe("How?");
    expect(sourcePlace(of({ title: "Back up › How?" }))).toBe("Back up");
    expect(sourcePlace(of({ title: "How?", url: "https://docs.example.com/a" }))).toBe("docs.example.com");
    expect(sourcePlace(of({ title: "How?", source: "guide/en/backup.md#how" }))).toBe("en/backup.md");
  });
});

describe("the guide", () => {
  it("is read by its own documents' addresses alone", () => {
    expect(parseDocument("?/guide/zh/what-is-trivet.md")).toEqual({ language: "zh", name: "what-is-trivet" });
    for (const other of ["", "?/guide/fr/a.md", "?/guide/en/../../x.md", "?//example.com/a.md", "?/api/session"]) {
      expect(parseDocument(other), other).toBeNull();
    }
  });

  it("has the anchors that the knowledge base names", () => {
    expect(slugOf("How do I turn on HTTPS (TLS)?")).toBe("how-do-i-turn-on-https-tls");
    expect(slugOf("如何备份 Trivet？")).toBe("如何备份-trivet");
    expect(slugOf("？！")).toBe("section");
    const { document } = new JSDOM("<h2>A b</h2><h2>A b</h2>").window;
    anchorHeadings(document.querySelectorAll("h2"));
    expect([...document.querySelectorAll("h2")].map(({ id }) => id)).toEqual(["a-b", "a-b-1"]);
  });
});

describe("the site", () => {
  it("names its assistant and questions in both languages, where they are there", () => {
    const assistant_info = { name: "小足", name_en: "Trivet", suggested_questions_en: ["What?", "", 7] };
    expect(parseSite({ assistant_info })).toEqual({
      name: { en: "Trivet", zh: "小足" },
      suggestions: { en: ["What?"], zh: [] },
      contact: null,
    });
    expect(parseSite(null).name.en).toBe("Trivet");
  });

  it.each([
    ["local/smollm2-135m", true],
    ["smollm2-135m", true],
    ["doubao-1-5-pro", false],
    ["assistant/site", false],
    ["local/qwen3-30b", false],
  ])("knows whether %s is the small model for trials", (model, expected) => {
    expect(isTrialModel(model)).toBe(expected);
  });
});
