import type { Language } from "../preferences/preferences";

/** A phrase, or one that takes numbers or names. */
export type Phrase = string | ((...values: never[]) => string);

/** One area's words: each language has the same names. */
export type Words<T> = Record<Language, T>;

/** Holds both languages to the same names and the same parameters at compile time. */
export const bilingual = <T extends Record<string, Phrase>>(words: { en: T; zh: NoInfer<T> }): Words<T> => words;
