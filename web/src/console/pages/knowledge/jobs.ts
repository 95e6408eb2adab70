import { Failure, isAbort, parseJson } from "../../../transport/failure";
import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";
import { pause } from "../../parts/pause";

/** Work of kb that goes on after its answer: files being read and indexed, or an index made anew. */
export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

export interface JobFile {
  source: string;
  state: "queued" | "stored" | "failed" | "cancelled";
  error: string | null;
  documentId: string | null;
}

export interface Job {
  id: string;
  kind: "ingest" | "rebuild";
  collection: string;
  state: JobState;
  error: string | null;
  /** 0 to 100. */
  progress: number;
  filesTotal: number;
  filesDone: number;
  filesFailed: number;
  chunksTotal: number;
  chunksDone: number;
  /** Empty while it is at work: the stream brings them with the end. */
  files: JobFile[];
  createdAt: string;
}

const STATES: readonly JobState[] = ["queued", "running", "done", "failed", "cancelled"];
const FILE_STATES: readonly JobFile["state"][] = ["queued", "stored", "failed", "cancelled"];

export const hasEnded = ({ state }: Pick<Job, "state">): boolean => state !== "queued" && state !== "running";

export const canRetry = (job: Job): boolean => hasEnded(job) && (job.filesFailed > 0 || job.state === "cancelled" || job.state === "failed");

export function parseJob(body: unknown): Job {
  const item = fields(body);
  return {
    id: item.text("id"),
    kind: item.text("kind") === "rebuild" ? "rebuild" : "ingest",
    collection: item.text("collection"),
    state: STATES.find((known) => known === item.text("state")) ?? "queued",
    error: item.text("error") || null,
    progress: Math.min(100, Math.max(0, item.count("progress"))),
    filesTotal: item.count("files_total"),
    filesDone: item.count("files_done"),
    filesFailed: item.count("files_failed"),
    chunksTotal: item.count("chunks_total"),
    chunksDone: item.count("chunks_done"),
    files: list(item, "files").map(parseFile),
    createdAt: item.text("created_at"),
  };
}

function parseFile(item: Fields): JobFile {
  return {
    source: item.text("source"),
    state: FILE_STATES.find((known) => known === item.text("state")) ?? "queued",
    error: item.text("error") || null,
    documentId: item.text("document_id") || null,
  };
}

export const readJobs = async (client: ApiClient, signal: AbortSignal): Promise<Job[]> =>
  list(fields(await client.get("api/jobs", { query: { limit: "20" }, signal })), "items").map((item) => parseJob(item.all));

export const readJob = async (client: ApiClient, id: string, signal?: AbortSignal): Promise<Job> =>
  parseJob(await client.get(`api/jobs/${encodeURIComponent(id)}`, signal ? { signal } : {}));

const MOST_TRIES = 6;

/**
 * A job's views until it has ended; a connection that breaks is made again. The service ends the stream with the event
 * that names the job's end, so that a stream without one was cut off.
 */
export async function* followJob(client: ApiClient, id: string, signal: AbortSignal): AsyncGenerator<Job, void> {
  for (let broken = 0; !signal.aborted; broken += 1) {
    try {
      for await (const { data } of client.events(`api/jobs/${encodeURIComponent(id)}/stream`, { signal })) {
        const job = parseJob(parseJson(data));
        broken = 0;
        yield job;
        if (hasEnded(job)) return;
      }
    } catch (error) {
      if (isAbort(error)) return;
      const passing = error instanceof Failure && ["unreachable", "offline", "overloaded", "upstream"].includes(error.kind);
      if (!passing || broken >= MOST_TRIES) throw error;
    }
    await pause(Math.min(1000 * 2 ** broken, 8000), signal);
  }
}
