// The unmodified Vercel `ai` SDK against a gateway: `node ai_sdk.mjs BASE_URL ADMIN_TOKEN`.
// Prints one JSON object with what it saw; the test beside it says what that must be.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

const [baseURL, token] = process.argv.slice(2);
const provider = createOpenAICompatible({
  name: "trivet",
  baseURL,
  apiKey: "anonymous",
  includeUsage: true,
});
const messages = [{ role: "user", content: "你好" }];
const common = { messages, maxRetries: 0 };
const look = tool({
  description: "Looks somewhere.",
  inputSchema: jsonSchema({ type: "object", properties: { where: { type: "string" } } }),
  execute: async ({ where }) => `nothing ${where ?? "anywhere"}`,
});

function told(error) {
  return { name: error.name, status: error.statusCode ?? null, message: error.message ?? null };
}

async function streamed(model, more = {}) {
  const seen = { text: "", reasoning: "", calls: [], results: [], finish: null, usage: null };
  const result = streamText({ model: provider(model), ...common, ...more, onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") seen.text += part.text;
    if (part.type === "reasoning-delta") seen.reasoning += part.text;
    if (part.type === "tool-call") seen.calls.push({ name: part.toolName, input: part.input });
    if (part.type === "tool-result") seen.results.push(part.output);
    if (part.type === "error") seen.error = told(part.error);
    if (part.type === "finish") {
      seen.finish = part.finishReason;
      seen.usage = part.totalUsage;
    }
  }
  return seen;
}

async function failure(model) {
  try {
    await generateText({ model: provider(model), ...common });
    return null;
  } catch (error) {
    return told(error);
  }
}

async function stopped() {
  const controller = new AbortController();
  const model = provider("openai/words:count=10000:delay_ms=20");
  const result = streamText({ model, ...common, abortSignal: controller.signal });
  let parts = 0;
  for await (const part of result.fullStream) {
    if (part.type === "text-delta" && ++parts === 3) controller.abort();
  }
  return parts;
}

async function embedded() {
  const admin = createOpenAICompatible({ name: "trivet", baseURL, apiKey: token });
  const model = admin.textEmbeddingModel("openai/vectors");
  const { embeddings, usage } = await embedMany({ model, values: ["one", "three"] });
  return { embeddings, tokens: usage.tokens };
}

const whole = await generateText({ model: provider("openai/words"), ...common });
const tools = { tools: { look }, toolChoice: "auto" };

console.log(
  JSON.stringify({
    whole: { text: whole.text, usage: whole.usage.outputTokens },
    streamed: await streamed("openai/words"),
    thinking: await streamed("doubao/reasoning"),
    claude: await streamed("anthropic/reasoning"),
    application: await streamed("dashscope/app"),
    assistant: await streamed("assistant/site"),
    called: await streamed("openai/tools", tools),
    claude_called: await streamed("anthropic/tools", tools),
    stepped: await streamed("anthropic/tools", { ...tools, stopWhen: stepCountIs(2) }),
    unknown: await failure("nobody/nothing"),
    limited: await failure("openai/fail:code=rate_limit_exceeded"),
    refused: await streamed("openai/fail:code=invalid_value"),
    broken: await streamed("openai/error_event:after=2"),
    parts_before_stop: await stopped(),
    embedded: await embedded(),
  }),
);
