// A question, and its answer as it is written: fetch, and a reader of the stream that comes back.
import { messageOf, settings, visitor } from "./visitor.js";

/**
 * The events of a stream, as { name, data }. Bytes may be cut anywhere, within a character and between two line ends;
 * lines that begin with ":" are heartbeats.
 */
async function* eventsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (waiting + value).replaceAll("\r\n", "\n").split("\n\n");
      waiting = events.pop();
      for (const event of events) yield parsed(event);
    }
  } finally {
    await reader.cancel(); // whoever leaves the loop early closes the connection
  }
}

function parsed(event) {
  const fields = event.split("\n").map((line) => /^(event|data): ?(.*)$/.exec(line)).filter(Boolean);
  const values = (name) => fields.filter((field) => field[1] === name).map((field) => field[2]);
  return { name: values("event").at(-1) ?? "message", data: values("data").join("\n") };
}

/** Asks, and tells `on.sources` and `on.text` what comes; throws what went wrong, in words. */
async function ask(question, on, { base, headers, signal }) {
  const response = await fetch(new URL("v1/chat/completions", base), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(await headers()) },
    body: JSON.stringify({ model: "assistant/site", stream: true, messages: [{ role: "user", content: question }] }),
    signal,
  });
  if (!response.ok) throw new Error(await messageOf(response));
  for await (const { name, data } of eventsOf(response.body)) {
    if (data === "[DONE]") return;
    if (data === "") continue;
    const chunk = JSON.parse(data);
    if (name === "error") throw new Error(chunk.error.message);
    if (chunk.citations) on.sources(chunk.citations);
    on.text(chunk.choices?.[0]?.delta?.content ?? "");
  }
  throw new Error("The answer broke off."); // every whole answer ends with [DONE]
}

const { base, key } = settings();
const headers = visitor(base, key);
const form = document.querySelector("form");
const stop = document.querySelector("#stop");
const answer = document.querySelector("output");
const problem = document.querySelector("[role=alert]");
const sources = document.querySelector("ol");

function showSources(citations) {
  sources.replaceChildren(
    ...citations.map(({ title, url }) => {
      const item = document.createElement("li");
      const link = document.createElement(url ? "a" : "span");
      link.textContent = title; // text, never HTML: it came from elsewhere
      if (url) link.href = new URL(url, base);
      item.append(link);
      return item;
    }),
  );
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const running = new AbortController();
  stop.onclick = () => running.abort();
  stop.hidden = false;
  for (const element of [answer, problem, sources]) element.replaceChildren();
  try {
    const on = { sources: showSources, text: (text) => answer.append(text) };
    await ask(form.question.value, on, { base, headers, signal: running.signal });
  } catch (error) {
    if (!running.signal.aborted) problem.textContent = error.message;
  } finally {
    stop.hidden = true;
  }
});
