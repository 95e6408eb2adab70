// Portkey's gateway appends to the headers of what fetch returns; Node makes those immutable.
// Each reply is handed on as a new Response with headers of its own, its body stream untouched.
const fetchOfNode = globalThis.fetch;
const ResponseOfNode = globalThis.Response;

globalThis.fetch = async (input, init) => {
  const reply = await fetchOfNode(input, init);
  const { status, statusText } = reply;
  return new ResponseOfNode(reply.body, { status, statusText, headers: new Headers(reply.headers) });
};
