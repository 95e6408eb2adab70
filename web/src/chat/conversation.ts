import { askChat, type ChatMessage, type ChatRequest, type ChatSignal, type Citation } from "../transport/completion";
import { Failure, isAbort } from "../transport/failure";

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
}

export type Ask = (request: ChatRequest) => AsyncIterable<ChatSignal>;

/** So many earlier turns go with a question: enough to understand "and how?", and a bound for the model's window. */
const REMEMBERED_TURNS = 6;

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
  ) {
    super();
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
  }

  private async run(): Promise<void> {
    const controller = new AbortController();
    this.running = controller;
    const messages = history(this.list);
    this.changed();
    // After a reset the old answer must not write into the new conversation.
    const step = (change: Partial<Turn>): void => {
      if (this.running === controller) this.replaceLast(change);
    };
    try {
      const request = { root: this.root(), model: this.model(), messages, sessionId: this.sessionId, signal: controller.signal };
      for await (const signal of this.send(request)) step(this.advance(signal));
      step(this.list.at(-1)?.answer ? { state: "complete" } : { state: "failed", failure: new Failure("empty") });
    } catch (error) {
      step(ending(error));
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
    this.dispatchEvent(new Event("change"));
  }
}

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
