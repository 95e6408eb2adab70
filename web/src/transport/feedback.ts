import { failureFromResponse } from "./failure";

export interface Feedback {
  requestId: string;
  rating: "up" | "down";
  comment: string | null;
}

/** Takes an opinion on an answer to the stack. Throws `Failure` where that is refused. */
export async function sendFeedback(root: URL, feedback: Feedback, headers: Record<string, string>): Promise<void> {
  const { requestId, rating, comment } = feedback;
  const response = await fetch(new URL("api/llm/feedback", root), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ request_id: requestId, rating, comment }),
  });
  if (!response.ok) throw await failureFromResponse(response);
}
