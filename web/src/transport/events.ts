import { createParser } from "eventsource-parser";
import { Failure } from "./failure";

export interface ServerEvent {
  /** The event's name; "message" when it has none. */
  name: string;
  data: string;
  /** Where to go on from, when the connection breaks: for `Last-Event-ID`. */
  id?: string;
}

/** One event may not be larger than this many characters: a broken upstream must not fill the page's memory. */
export const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024;

/**
 * Bytes of an event stream → its events, in order.
 *
 * Characters, lines and CRLF may be cut anywhere between chunks. An event without its closing blank line is dropped,
 * as the standard says. Leaving the loop early cancels the stream, which closes the connection.
 */
export async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const events: ServerEvent[] = [];
  let overflow = false;
  const parser = createParser({
    onEvent: ({ event, data, id }) => events.push({ name: event || "message", data, ...(id === undefined ? {} : { id }) }),
    onError: (error) => (overflow ||= error.type === "max-buffer-size-exceeded"),
    maxBufferSize: MAX_EVENT_CHARACTERS,
  });
  const lines = new LineEnds();
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(lines.normalise(decoder.decode(value, { stream: true })));
      yield* events.splice(0);
      if (overflow) throw new Failure("unreadable");
    }
  } finally {
    // Also after the end or an error, where it does nothing. A failure to cancel is no news to the reader.
    reader.cancel().catch(() => undefined);
  }
}

/**
 * CRLF and CR → LF, with a CR at the very end of a chunk remembered: its LF may come in the next one.
 *
 * The parser itself would hold an event back that ends in CR until more bytes arrive.
 */
class LineEnds {
  private afterReturn = false;

  normalise(text: string): string {
    if (text === "") return text;
    const rest = this.afterReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.afterReturn = text.endsWith("\r");
    return rest.replace(/\r\n?/g, "\n");
  }
}
