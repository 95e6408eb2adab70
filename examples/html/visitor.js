// Who asks. A page of another site has a publishable key (`trivet keys create --kind publishable`), which may stand in
// its source; it is exchanged for a token of some minutes, bound to this page's origin. A page of the stack's own
// address needs neither.

const RENEW_BEFORE_MS = 60_000;

/** A function that gives the headers of a call: none where there is no key. */
export function visitor(base, key) {
  let token = null;
  let until = 0;
  return async function headers() {
    if (!key) return {};
    if (Date.now() >= until) {
      const response = await fetch(new URL("api/llm/keys/visitor", base), {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` },
        body: JSON.stringify({ token }), // the last one: the visitor stays the same
      });
      if (!response.ok) throw new Error(await messageOf(response));
      const given = await response.json();
      token = given.token;
      until = Date.now() + given.expires_in_seconds * 1000 - RENEW_BEFORE_MS;
    }
    return { Authorization: `Bearer ${token}` };
  };
}

/** What a refusal says: every service and nginx answer with the same body. */
export async function messageOf(response) {
  const body = await response.json().catch(() => null);
  return body?.error?.message ?? `The server answered with status ${response.status}.`;
}

/** `?base=` and `?key=` of the page's address, so that one file can be tried with any stack. */
export function settings() {
  const given = new URLSearchParams(location.search);
  return { base: new URL(given.get("base") ?? "http://127.0.0.1:8740/"), key: given.get("key") ?? "", given };
}
