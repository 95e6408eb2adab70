import { plainName } from "../../../i18n/studio";
import type { ApiClient } from "../../client";
import { fields, rows, type Fields } from "../../parts/json";

/** Poems, their translations and briefings, as kb keeps them: docs/api.md. */
export interface Poem {
  id: string;
  title: string;
  author: string;
  lang: string;
  text: string;
  selected: boolean;
  translations: number;
  briefingId: string | null;
  updatedAt: string;
}

/** How something came to be. */
export interface Making {
  workflow: string;
  mode: string;
  model: string;
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: number | null;
  seconds: number | null;
  createdAt: string;
}

export interface Translation extends Making {
  id: string;
  poemId: string;
  lang: string;
  title: string;
  author: string;
  text: string;
  byPerson: boolean;
  translator: string;
  notes: string;
  /** 0 to 10. */
  rating: number | null;
}

export interface Briefing extends Making {
  id: string;
  /** Its parts by name, as the workflow's definition has them. */
  content: Record<string, unknown>;
}

export interface NewPoem {
  title: string;
  author: string;
  source_lang: string;
  original_text: string;
}

export const LANGUAGE = /^[a-z]{2}(-[A-Z]{2})?$/;
export const PAGE_SIZE = 50;
const POEMS = "api/v1/poems";

export const poemPath = (id: string): string => `${POEMS}/${encodeURIComponent(id)}`;

export async function readPoems(client: ApiClient, wanted: { search: string; lang: string; skip: number }, signal: AbortSignal): Promise<Poem[]> {
  const query = {
    skip: String(wanted.skip),
    limit: String(PAGE_SIZE),
    ...(wanted.search ? { search: wanted.search } : {}),
    ...(LANGUAGE.test(wanted.lang) ? { source_lang: wanted.lang } : {}),
  };
  return rows(await client.get(POEMS, { query, signal })).map(parsePoem);
}

export const readPoem = async (client: ApiClient, id: string, signal: AbortSignal): Promise<Poem> =>
  parsePoem(fields(await client.get(poemPath(id), { signal })));

export async function savePoem(client: ApiClient, id: string | null, poem: NewPoem): Promise<Poem> {
  const stored = id === null ? await client.post(POEMS, poem) : await client.patch(poemPath(id), poem);
  return parsePoem(fields(stored));
}

export const readTranslations = async (client: ApiClient, id: string, signal: AbortSignal): Promise<Translation[]> =>
  rows(await client.get(`${poemPath(id)}/translations`, { signal })).map(parseTranslation);

export async function changeTranslation(
  client: ApiClient,
  translation: Translation,
  change: { quality_rating?: number | null; notes?: string; translated_text?: string; translated_title?: string },
): Promise<Translation> {
  const path = `${poemPath(translation.poemId)}/translations/${encodeURIComponent(translation.id)}`;
  return parseTranslation(fields(await client.patch(path, change)));
}

export async function readBriefing(client: ApiClient, id: string, signal: AbortSignal): Promise<Briefing[]> {
  const query = { limit: "1" };
  return rows(await client.get(`${poemPath(id)}/briefings`, { query, signal })).map(parseBriefing);
}

export function parsePoem(item: Fields): Poem {
  return {
    id: item.text("id"),
    title: item.text("title"),
    author: item.text("author"),
    lang: item.text("source_lang"),
    text: item.text("original_text"),
    selected: item.flag("is_selected"),
    translations: item.count("translation_count"),
    briefingId: item.text("briefing_id") || null,
    updatedAt: item.text("updated_at"),
  };
}

const making = (item: Fields): Making => ({
  workflow: item.text("workflow"),
  mode: item.text("mode"),
  model: item.text("model"),
  inputTokens: item.number("input_tokens"),
  outputTokens: item.number("output_tokens"),
  costUsd: item.number("cost_usd"),
  seconds: item.number("seconds"),
  createdAt: item.text("created_at"),
});

export function parseTranslation(item: Fields): Translation {
  return {
    ...making(item),
    id: item.text("id"),
    poemId: item.text("poem_id"),
    lang: item.text("target_lang"),
    title: item.text("translated_title"),
    author: item.text("translated_author"),
    text: item.text("translated_text"),
    byPerson: item.text("translator_type") !== "ai",
    translator: item.text("translator"),
    notes: item.text("notes"),
    rating: item.number("quality_rating"),
  };
}

export const parseBriefing = (item: Fields): Briefing => ({
  ...making(item),
  id: item.text("id"),
  content: fields(item.value("content")).all,
});

/** A part of a briefing as lines of text. */
export function briefingLines(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(briefingLines);
  if (typeof value === "object" && value !== null) return Object.entries(value).map(([name, item]) => `${plainName(name)}: ${briefingLines(item).join(", ")}`);
  return [String(value ?? "")];
}
