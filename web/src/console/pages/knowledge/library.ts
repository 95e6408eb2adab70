import type { ApiClient } from "../../client";
import { fields, list, type Fields } from "../../parts/json";

/** The collections and documents of kb, as its API says them: docs/api.md. */
export type IndexState = "empty" | "indexing" | "ready" | "model_changed";

export interface Collection {
  name: string;
  open: boolean;
  documents: number;
  chunks: number;
  pending: number;
  model: string | null;
  state: IndexState;
}

export interface Document {
  id: string;
  source: string;
  title: string;
  url: string | null;
  lang: string;
  mediaType: string;
  sizeBytes: number;
  upToDate: boolean;
  updatedAt: string;
}

export interface DocumentDetail extends Document {
  collection: string;
  chunks: number;
}

/** A passage as it was cut. */
export interface Chunk {
  id: string;
  position: number;
  headingPath: string[];
  anchor: string;
  lang: string;
  tokens: number;
  content: string;
  indexed: boolean;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

const STATES: readonly IndexState[] = ["empty", "indexing", "ready", "model_changed"];

export const COLLECTION_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

export const readCollections = async (client: ApiClient, signal: AbortSignal): Promise<Collection[]> =>
  list(fields(await client.get("api/collections", { signal })), "items").map(parseCollection);

export function parseCollection(item: Fields): Collection {
  const state = STATES.find((known) => known === item.text("state")) ?? "empty";
  return {
    name: item.text("name"),
    open: item.flag("open"),
    documents: item.count("documents"),
    chunks: item.count("chunks"),
    pending: item.count("pending"),
    model: item.text("embedding_model") || null,
    state,
  };
}

export async function readDocuments(
  client: ApiClient,
  wanted: { collection: string; prefix: string; cursor: string; limit: number },
  signal: AbortSignal,
): Promise<Page<Document>> {
  const query = {
    collection: wanted.collection,
    source_prefix: wanted.prefix,
    cursor: wanted.cursor,
    limit: String(wanted.limit),
  };
  const body = fields(await client.get("api/documents", { query, signal }));
  return { items: list(body, "items").map(parseDocument), nextCursor: body.text("next_cursor") || null };
}

export async function readDocument(client: ApiClient, id: string, signal: AbortSignal): Promise<DocumentDetail> {
  const body = fields(await client.get(`api/documents/${encodeURIComponent(id)}`, { signal }));
  return { ...parseDocument(body), collection: body.text("collection"), chunks: body.count("chunks") };
}

export function parseDocument(item: Fields): Document {
  return {
    id: item.text("id"),
    source: item.text("source"),
    title: item.text("title") || item.text("source"),
    url: item.text("url") || null,
    lang: item.text("lang"),
    mediaType: item.text("media_type"),
    sizeBytes: item.count("size_bytes"),
    upToDate: item.value("up_to_date") !== false,
    updatedAt: item.text("updated_at"),
  };
}

export async function readChunks(client: ApiClient, id: string, cursor: string, signal: AbortSignal): Promise<Page<Chunk>> {
  const query: Record<string, string> = { limit: "50", ...(cursor ? { cursor } : {}) };
  const body = fields(await client.get(`api/documents/${encodeURIComponent(id)}/chunks`, { query, signal }));
  return { items: list(body, "items").map(parseChunk), nextCursor: body.text("next_cursor") || null };
}

export function parseChunk(item: Fields): Chunk {
  return {
    id: item.text("id"),
    position: item.count("position"),
    headingPath: item.texts("heading_path"),
    anchor: item.text("anchor"),
    lang: item.text("lang"),
    tokens: item.count("tokens"),
    content: item.text("content"),
    indexed: item.value("indexed") !== false,
  };
}
