// The unmodified `openai` npm package against a gateway: `node openai_sdk.mjs BASE_URL TOKEN`.
// Prints one JSON object with what it saw; the test beside it says what that must be.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "anonymous", maxRetries: 0 });
const messages = [{ role: "user", content: "你好" }];

async function streamed(model) {
  const seen = { text: "", chunks: 0, finish: null, usage: null };
  const stream = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    seen.chunks += 1;
    seen.text += chunk.choices[0]?.delta?.content ?? "";
    seen.finish = chunk.choices[0]?.finish_reason ?? seen.finish;
    seen.usage = chunk.usage ?? seen.usage;
  }
  return seen;
}

async function failure(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status ?? null, type: error.type ?? null };
  }
}

async function stopped() {
  const controller = new AbortController();
  const stream = await client.chat.completions.create(
    { model: "openai/words:count=10000:delay_ms=20", messages, stream: true },
    { signal: controller.signal },
  );
  let chunks = 0;
  for await (const _ of stream) {
    chunks += 1;
    if (chunks === 3) controller.abort();
  }
  return chunks;
}

async function called(model) {
  const stream = client.chat.completions.stream({
    model,
    messages,
    tools: [{ type: "function", function: { name: "look", parameters: {} } }],
  });
  const { choices } = await stream.finalChatCompletion();
  return {
    finish: choices[0].finish_reason,
    calls: choices[0].message.tool_calls.map((call) => ({
      name: call.function.name,
      arguments: JSON.parse(call.function.arguments),
    })),
  };
}

async function embedded() {
  const admin = new OpenAI({ baseURL: process.argv[2], apiKey: process.argv[3], maxRetries: 0 });
  const answer = await admin.embeddings.create({
    model: "openai/vectors",
    input: ["one", "three"],
    encoding_format: "float",
  });
  return answer.data.map((item) => item.embedding);
}

const whole = await client.chat.completions.create({ model: "openai/words", messages });
const models = [];
for await (const model of client.models.list()) models.push(model.id);

console.log(
  JSON.stringify({
    whole: whole.choices[0].message.content,
    streamed: await streamed("openai/words"),
    ark: await streamed("doubao/reasoning"),
    claude: await streamed("anthropic/reasoning"),
    called: await called("openai/tools"),
    claude_called: await called("anthropic/tools"),
    embedded: await embedded(),
    models,
    unknown: await failure(() => streamed("nobody/nothing")),
    limited: await failure(() => streamed("openai/fail:code=rate_limit_exceeded")),
    broken: await failure(() => streamed("openai/error_event:after=2")),
    chunks_before_stop: await stopped(),
  }),
);
