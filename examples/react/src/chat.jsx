import { useConversation } from "./use-conversation.js";

export function Chat({ model }) {
  const { messages, problem, busy, ask, stop } = useConversation(model);

  function onSubmit(event) {
    event.preventDefault();
    ask(event.target.question.value);
    event.target.reset();
  }

  return (
    <main>
      <h1>Ask</h1>
      {messages.map((message, index) => (
        <Message key={index} {...message} />
      ))}
      {problem && <p role="alert">{problem}</p>}
      <form onSubmit={onSubmit}>
        <input name="question" aria-label="Question" required autoComplete="off" />
        <button disabled={busy}>Ask</button>
        {busy && (
          <button type="button" onClick={stop}>
            Stop
          </button>
        )}
      </form>
    </main>
  );
}

function Message({ role, content, sources }) {
  return (
    <section aria-label={role}>
      <p style={{ whiteSpace: "pre-wrap" }}>{content}</p>
      {sources?.length > 0 && (
        <ol aria-label="Sources">
          {sources.map(({ index, title }) => (
            <li key={index}>{title}</li>
          ))}
        </ol>
      )}
    </section>
  );
}
