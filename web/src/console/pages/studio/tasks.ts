import { Failure, isAbort, parseJson } from "../../../transport/failure";
import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";
import { pause } from "../../parts/pause";

/** Runs of workflows, and what happens to them: docs/api.md. */
export type TaskStatus = "pending" | "running" | "waiting_for_person" | "completed" | "failed" | "cancelled";
export const MODES = ["hybrid", "reasoning", "non_reasoning"] as const;
export type Mode = (typeof MODES)[number];

export interface Step {
  name: string;
  status: TaskStatus;
  byPerson: boolean;
  seconds: number | null;
  model: string | null;
  tokens: number | null;
  costUsd: number | null;
  attempts: number;
}

export interface Task {
  id: string;
  workflow: string;
  mode: string;
  poemId: string | null;
  lang: string | null;
  status: TaskStatus;
  progress: number;
  currentStep: string | null;
  steps: Step[];
  message: string;
  error: string | null;
  createdAt: string;
}

/** A run as it is seen: the task, and the text of each step as it is written. */
export interface Run {
  task: Task;
  texts: ReadonlyMap<string, { attempt: number; text: string }>;
}

const STATUSES: readonly TaskStatus[] = ["pending", "running", "waiting_for_person", "completed", "failed", "cancelled"];
const status = (item: Fields): TaskStatus => STATUSES.find((known) => known === item.text("status")) ?? "pending";
const TASKS = "api/v1/workflow/tasks";

export const isOver = (task: Pick<Task, "status">): boolean => ["completed", "failed", "cancelled"].includes(task.status);

export function parseTask(body: unknown): Task {
  const item = fields(body);
  return {
    id: item.text("task_id"),
    workflow: item.text("workflow"),
    mode: item.text("workflow_mode"),
    poemId: item.text("poem_id") || null,
    lang: item.text("target_lang") || null,
    status: status(item),
    progress: Math.min(100, Math.max(0, item.count("progress"))),
    currentStep: item.text("current_step") || null,
    steps: list(item, "steps").map(parseStep),
    message: item.text("message"),
    error: fields(item.value("error")).text("message") || null,
    createdAt: item.text("created_at"),
  };
}

const parseStep = (item: Fields): Step => ({
  name: item.text("name"),
  status: status(item),
  byPerson: item.text("performer") === "person",
  seconds: item.number("seconds"),
  model: item.text("model") || null,
  tokens: item.number("tokens"),
  costUsd: item.number("cost_usd"),
  attempts: item.count("attempts"),
});

export const readTask = async (client: ApiClient, id: string, signal: AbortSignal): Promise<Task> =>
  parseTask(await client.get(taskPath(id), { signal }));

export async function readTasks(client: ApiClient, poemId: string, signal: AbortSignal): Promise<Task[]> {
  const query = { poem_id: poemId, limit: "20" };
  return list(fields(await client.get(TASKS, { query, signal })), "items").map((item) => parseTask(item.all));
}

export async function translate(client: ApiClient, poemId: string, lang: string, mode: Mode): Promise<string> {
  const body = { poem_id: poemId, target_lang: lang, workflow_mode: mode };
  return fields(await client.post("api/v1/workflow/translate", body)).text("task_id");
}

/** The id of the task that makes it; null where there is one and it was not asked for anew. */
export async function makeBriefing(client: ApiClient, poemId: string, anew: boolean): Promise<string | null> {
  const body = { poem_id: poemId, force_regenerate: anew };
  return fields(await client.post("api/v1/bbr/generate", body)).text("task_id") || null;
}

export const cancelTask = (client: ApiClient, id: string): Promise<unknown> => client.delete(taskPath(id));

export const retryTask = (client: ApiClient, id: string): Promise<unknown> => client.post(`${taskPath(id)}/retry`, {});

const taskPath = (id: string): string => `${TASKS}/${encodeURIComponent(id)}`;

/** One event's share in the picture. A step that is tried anew begins its text anew. */
export function applied(run: Run | null, name: string, data: unknown): Run {
  const task = parseTask(data);
  const texts = run?.texts ?? new Map<string, { attempt: number; text: string }>();
  if (name !== "token") return { task, texts };
  const item = fields(data);
  const step = item.text("step") || (task.currentStep ?? "");
  const attempt = item.count("attempt");
  const before = texts.get(step);
  const text = before && before.attempt === attempt ? before.text + item.text("text") : item.text("text");
  return { task, texts: new Map(texts).set(step, { attempt, text }) };
}

export const tokensOf = ({ steps }: Task): number => steps.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);

/** Null where no step has a price. */
export function costOf({ steps }: Task): number | null {
  const costs = steps.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]));
  return costs.length > 0 ? costs.reduce((sum, cost) => sum + cost, 0) : null;
}

const PASSING: readonly string[] = ["unreachable", "offline", "overloaded", "upstream", "timeout"];
const MOST_TRIES = 8;

/**
 * A run from its beginning to its end. A connection that breaks is made again after the last event that came; `broken`
 * is told the number of tries (0: there again). Throws `Failure` when it cannot be made.
 */
export async function* followTask(client: ApiClient, id: string, signal: AbortSignal, broken: (tries: number) => void): AsyncGenerator<Run, void> {
  let run: Run | null = null;
  let last = "";
  for (let tries = 0; !signal.aborted; ) {
    try {
      const headers: Record<string, string> = last ? { "Last-Event-ID": last } : {};
      for await (const event of client.events(`${taskPath(id)}/stream`, { signal, headers })) {
        if (tries > 0) broken((tries = 0));
        if (event.id) last = event.id;
        const data = parseJson(event.data);
        if (event.name === "error" && fields(data).text("task_id") === "") continue;
        run = applied(run, event.name, data);
        yield run;
        if (isOver(run.task)) return;
      }
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      if (!(error instanceof Failure && PASSING.includes(error.kind)) || tries >= MOST_TRIES) throw error;
    }
    broken((tries += 1));
    await pause(Math.min(500 * 2 ** (tries - 1), 8000), signal);
  }
}

/** Work by hand. */
export interface Session {
  id: string;
  poemId: string | null;
  lang: string | null;
  status: string;
  step: string | null;
  prompt: string | null;
  steps: Step[];
  error: string | null;
}

export function parseSession(body: unknown): Session {
  const item = fields(body);
  return {
    id: item.text("session_id"),
    poemId: item.text("poem_id") || null,
    lang: item.text("target_lang") || null,
    status: item.text("status"),
    step: item.text("step") || null,
    prompt: item.text("prompt") || null,
    steps: list(item, "steps").map(parseStep),
    error: fields(item.value("error")).text("message") || null,
  };
}

const SESSIONS = "api/v1/manual/sessions";

export const openSession = async (client: ApiClient, poemId: string, lang: string): Promise<Session> =>
  parseSession(await client.post(SESSIONS, { poem_id: poemId, target_lang: lang }));

export const readSession = async (client: ApiClient, id: string, signal: AbortSignal): Promise<Session> =>
  parseSession(await client.get(`${SESSIONS}/${encodeURIComponent(id)}`, { signal }));

export async function answerStep(client: ApiClient, id: string, step: string, content: string, model: string): Promise<Session> {
  const body = { content, ...(model ? { model_name: model } : {}) };
  return parseSession(await client.post(`${SESSIONS}/${encodeURIComponent(id)}/steps/${encodeURIComponent(step)}`, body));
}
