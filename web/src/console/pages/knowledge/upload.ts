import { Failure, failureFromBody, parseJson } from "../../../transport/failure";
import type { ApiClient } from "../../client";
import { parseJob, type Job } from "./jobs";

/** What kb reads: docs/settings.md has its limits. */
export const ACCEPTED = ".md,.markdown,.txt,.html,.htm,.pdf,.docx,.csv,.json,.xml";

/**
 * Sends files; `onProgress` hears the share that is sent, 0 to 1. The answer is a job.
 *
 * XMLHttpRequest, as `fetch` does not tell how much of a body is sent.
 */
export function uploadFiles(
  client: ApiClient,
  collection: string,
  files: readonly File[],
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  const form = new FormData();
  form.set("collection", collection);
  // A folder's files keep their places in it, as their sources.
  for (const file of files) form.append("files", file, file.webkitRelativePath || file.name);
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.open("POST", new URL("api/documents", client.root));
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 202) resolve(parseJob(parseJson(request.responseText)));
      else reject(refusal(client, request));
    };
    request.onerror = () => reject(new Failure(navigator.onLine ? "unreachable" : "offline"));
    request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

function refusal(client: ApiClient, request: XMLHttpRequest): Failure {
  if (request.status === 401) client.dispatchEvent(new Event("unauthenticated"));
  return failureFromBody(parseJson(request.responseText), new Headers(), request.status);
}

export const addUrls = async (client: ApiClient, collection: string, urls: readonly string[]): Promise<Job> =>
  parseJob(await client.post("api/documents", { collection, urls }));

/** One address a line; blank lines and repetitions are left out. */
export function splitUrls(text: string): { urls: string[]; bad: string[] } {
  const lines = [...new Set(text.split(/\s+/).filter((line) => line !== ""))];
  const isUrl = (line: string): boolean => /^https?:\/\/[^/]/i.test(line) && URL.canParse(line);
  return { urls: lines.filter(isUrl), bad: lines.filter((line) => !isUrl(line)) };
}
