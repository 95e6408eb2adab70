import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

export interface Measures {
  queryLang: string;
  documentLang: string;
  questions: number;
  recallAt1: number;
  recallAt3: number;
  recallAt10: number;
  mrrAt10: number;
  ndcgAt10: number;
}

export interface Run {
  id: string;
  createdAt: string;
  collection: string;
  mode: string;
  model: string | null;
  /** Equal for runs of the same questions in the same mode. */
  questionSet: string;
  overall: Measures;
  pairs: Measures[];
}

export interface GoldenQuery {
  query: string;
  relevant: string[];
}

export const readRuns = async (client: ApiClient, signal: AbortSignal): Promise<Run[]> =>
  list(fields(await client.get("api/evaluate", { signal })), "items").map(parseRun);

export async function evaluate(client: ApiClient, collection: string, mode: string, queries: readonly GoldenQuery[]): Promise<Run> {
  return parseRun(fields(await client.post("api/evaluate", { collection, mode, queries })));
}

export function parseRun(item: Fields): Run {
  return {
    id: item.text("id"),
    createdAt: item.text("created_at"),
    collection: item.text("collection"),
    mode: item.text("mode"),
    model: item.text("embedding_model") || null,
    questionSet: item.text("question_set"),
    overall: parseMeasures(fields(item.value("overall"))),
    pairs: list(item, "pairs").map(parseMeasures),
  };
}

function parseMeasures(item: Fields): Measures {
  return {
    queryLang: item.text("query_lang"),
    documentLang: item.text("document_lang"),
    questions: item.count("questions"),
    recallAt1: item.count("recall_at_1"),
    recallAt3: item.count("recall_at_3"),
    recallAt10: item.count("recall_at_10"),
    mrrAt10: item.count("mrr_at_10"),
    ndcgAt10: item.count("ndcg_at_10"),
  };
}

/** The run before each one of the same questions, by id; `runs` are newest first. */
export function previousRuns(runs: readonly Run[]): Map<string, Run> {
  const found = new Map<string, Run>();
  runs.forEach((run, place) => {
    const before = runs.slice(place + 1).find(({ questionSet }) => questionSet !== "" && questionSet === run.questionSet);
    if (before) found.set(run.id, before);
  });
  return found;
}

/** Golden queries, one JSON object a line. `line`: the first that is none, counted from 1. */
export function parseGolden(text: string): { queries: GoldenQuery[]; line: number | null } {
  const queries: GoldenQuery[] = [];
  const lines = text.split("\n");
  for (const [place, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const query = golden(line);
    if (!query) return { queries, line: place + 1 };
    queries.push(query);
  }
  return { queries, line: null };
}

function golden(line: string): GoldenQuery | null {
  try {
    const item = fields(JSON.parse(line));
    const found = { query: item.text("query"), relevant: item.texts("relevant") };
    return found.query && found.relevant.length > 0 ? found : null;
  } catch {
    return null;
  }
}
