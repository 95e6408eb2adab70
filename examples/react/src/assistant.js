import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

/** The site's assistant as a model of the ai SDK. `headers` says who asks, anew for each call: tokens expire. */
export function assistant(base, headers) {
  const trivet = createOpenAICompatible({
    name: "trivet",
    baseURL: new URL("v1", base).href,
    includeUsage: true,
    fetch: async (address, options) => {
      const all = new Headers(options.headers);
      for (const [name, value] of Object.entries(await headers())) all.set(name, value);
      return fetch(address, { ...options, headers: all });
    },
  });
  return trivet("assistant/site");
}
