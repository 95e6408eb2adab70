import { streamText } from "ai";
import { useRef, useState } from "react";

const NOTHING = { role: "assistant", content: "", sources: [] };

/** A conversation with a model: its messages, whether an answer runs, what went wrong, and what can be done. */
export function useConversation(model) {
  const [messages, setMessages] = useState([]);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const running = useRef(null);

  const grow = (change) => setMessages((all) => [...all.slice(0, -1), change(all.at(-1))]);

  async function ask(question) {
    const said = messages.filter(({ content }) => content !== "").map(({ role, content }) => ({ role, content }));
    running.current = new AbortController();
    setMessages([...messages, { role: "user", content: question }, NOTHING]);
    setProblem(null);
    setBusy(true);
    const { fullStream } = streamText({
      model,
      messages: [...said, { role: "user", content: question }],
      abortSignal: running.current.signal,
      includeRawChunks: true, // the sources are a field that the SDK does not know
      onError: () => {}, // errors come as parts, too
    });
    for await (const part of fullStream) {
      if (part.type === "text-delta") grow((answer) => ({ ...answer, content: answer.content + part.text }));
      if (part.type === "error") setProblem(part.error.message ?? String(part.error));
      if (part.type === "raw" && part.rawValue?.citations?.length > 0) {
        grow((answer) => ({ ...answer, sources: part.rawValue.citations }));
      }
    }
    setBusy(false);
  }

  return { messages, problem, busy, ask, stop: () => running.current?.abort() };
}
