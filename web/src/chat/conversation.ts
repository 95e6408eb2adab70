import { askChat, type ChatMessage, type ChatRequest, type ChatSignal, type Citation } from "../transport/completion";
import { Failure, isAbort } from "../transport/failure";
import { ForgetfulStore, type ConversationStore } from "./conversation-store";

export type Rating = "up" | "down";
export type TurnState = "waiting" | "writing" | "complete" | "stopped" | "failed";

/** One question and its answer. A turn is never changed: each step makes a new one. */
export interface Turn {
  readonly id: number;
  readonly question: string;
  readonly state: TurnState;
  readonly answer: string;
  readonly reasoning: string;
  readonly citations: readonly Citation[];
  readonly model: string | null;
  readonly finishReason: string | null;
  readonly requestId: string | null;
  readonly failure: Failure | null;
  readonly rating: Rating | null;
}

export type Ask = (request: ChatRequest) => AsyncIterable<ChatSignal>;

/** So many earlier turns go with a question: enough to understand "and how?", and a bound for the model's window. */
const REMEMBERED_TURNS = 6;

const SLICE_MS = 8;

/** A page that is being left breaks its connections before it says that it goes. */
const LEAVING_MS = 250;

/**
 * A conversation with one assistant: what was asked and answered, and the one answer that may be under way.
 *
 * Dispatches "change" for each step.
 */
export class Conversation extends EventTarget {
  private list: Turn[] = [];
  private sessionId = newSessionId();
  private running: AbortController | null = null;
  private lastId = 0;

  constructor(
    private readonly root: () => URL,
    private readonly model: () => string,
    private readonly send: Ask = askChat,
    private readonly store: ConversationStore = new ForgetfulStore(),
    private readonly credential?: ChatRequest["credential"],
  ) {
    super();
  }

  /** What this browser kept of an earlier page load. */
  restore(): void {
    const kept = this.store.load();
    if (!kept || this.list.length > 0) return;
    this.list = kept.turns;
    this.sessionId = kept.sessionId;
    this.lastId = Math.max(...kept.turns.map(({ id }) => id));
    this.changed();
  }

  get turns(): readonly Turn[] {
    return this.list;
  }

  get busy(): boolean {
    return this.running !== null;
  }

  /** Asks; resolves when the answer has ended, however it ended. Nothing happens while another answer runs. */
  async ask(question: string): Promise<void> {
    const text = question.trim();
    if (text === "" || this.busy) return;
    this.lastId += 1;
    this.list = [...this.list, newTurn(this.lastId, text)];
    await this.run();
  }

  /** Asks the last question again, in place of its answer. */
  async retry(): Promise<void> {
    const last = this.list.at(-1);
    if (!last || this.busy) return;
    this.lastId += 1;
    this.list = [...this.list.slice(0, -1), newTurn(this.lastId, last.question)];
    await this.run();
  }

  /** Asks a question of before in other words: it and all that came after it give way to the new one. */
  async revise(id: number, question: string): Promise<void> {
    const text = question.trim();
    const at = this.list.findIndex((turn) => turn.id === id);
    if (at < 0 || text === "" || this.busy) return;
    this.lastId += 1;
    this.list = [...this.list.slice(0, at), newTurn(this.lastId, text)];
    await this.run();
  }

  /** Remembers what a person thought of an answer. */
  rate(id: number, rating: Rating | null): void {
    this.list = this.list.map((turn) => (turn.id === id ? { ...turn, rating } : turn));
    this.changed();
  }

  /** Writes down what there is, for the next page load. It happens by itself but while an answer runs. */
  keep(): void {
    if (this.list.length > 0) this.store.save({ sessionId: this.sessionId, turns: this.list });
  }

  /** Ends the answer under way; what has come of it stays. */
  stop(): void {
    this.running?.abort();
  }

  /** Begins anew, with a new session. */
  reset(): void {
    this.stop();
    this.running = null;
    this.list = [];
    this.sessionId = newSessionId();
    this.changed();
    this.store.clear();
  }

  private async run(): Promise<void> {
    const controller = new AbortController();
    this.running = controller;
    const messages = history(this.list);
    this.keep();
    this.changed();
    // After a reset the old answer must not write into the new conversation.
    const step = (change: Partial<Turn>): void => {
      if (this.running === controller) this.replaceLast(change);
    };
    try {
      const request: ChatRequest = {
        root: this.root(),
        model: this.model(),
        messages,
        sessionId: this.sessionId,
        signal: controller.signal,
        credential: this.credential,
      };
      let since = performance.now();
      for await (const signal of this.send(request)) {
        step(this.advance(signal));
        // One read may bring hundreds of pieces: the page must be able to draw and to be used meanwhile.
        if (performance.now() - since < SLICE_MS) continue;
        await pause(0);
        since = performance.now();
      }
      step(this.list.at(-1)?.answer ? { state: "complete" } : { state: "failed", failure: new Failure("empty") });
    } catch (error) {
      if (error instanceof Failure && error.kind === "unreachable") await pause(LEAVING_MS);
      step(ending(controller.signal.aborted ? controller.signal.reason : error));
    } finally {
      if (this.running === controller) this.running = null;
      this.changed();
    }
  }

  private advance(signal: ChatSignal): Partial<Turn> {
    const turn = this.list.at(-1);
    switch (signal.kind) {
      case "opened":
        return { requestId: signal.requestId };
      case "model":
        return { model: signal.model };
      case "citations":
        return { citations: signal.citations };
      case "reasoning":
        return { reasoning: (turn?.reasoning ?? "") + signal.text };
      case "text":
        return { state: "writing", answer: (turn?.answer ?? "") + signal.text };
      case "finish":
        return { finishReason: signal.reason };
    }
  }

  private replaceLast(change: Partial<Turn>): void {
    const last = this.list.at(-1);
    if (!last) return;
    this.list = [...this.list.slice(0, -1), { ...last, ...change }];
    this.changed();
  }

  private changed(): void {
    if (!this.busy) this.keep();
    this.dispatchEvent(new Event("change"));
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const newTurn = (id: number, question: string): Turn => ({
  id,
  question,
  state: "waiting",
  answer: "",
  reasoning: "",
  citations: [],
  model: null,
  finishReason: null,
  requestId: null,
  failure: null,
  rating: null,
});

function ending(error: unknown): Partial<Turn> {
  if (isAbort(error)) return { state: "stopped" };
  if (error instanceof Failure) return { state: "failed", failure: error };
  throw error; // a mistake of ours: it belongs into the browser's console
}

/** The last turns as messages. A turn without an answer says nothing to the model, but the question asked now does. */
function history(turns: readonly Turn[]): ChatMessage[] {
  const earlier = turns.slice(0, -1).filter(({ answer }) => answer !== "");
  const asked = turns.slice(-1).map(({ question }): ChatMessage => ({ role: "user", content: question }));
  return earlier.slice(-REMEMBERED_TURNS).flatMap(exchange).concat(asked);
}

const exchange = ({ question, answer }: Turn): ChatMessage[] => [
  { role: "user", content: question },
  { role: "assistant", content: answer },
];

/** Sixteen random bytes in hex. `crypto.randomUUID` is missing on pages without HTTPS. */
function newSessionId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
