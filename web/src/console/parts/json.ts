/** A JSON object as a page reads it: what is missing or of another kind is empty, never an error. */
export interface Fields {
  readonly all: Record<string, unknown>;
  value(name: string): unknown;
  text(name: string): string;
  /** Null where there is no number, which is not zero. */
  number(name: string): number | null;
  /** Zero where there is none. */
  count(name: string): number;
  flag(name: string): boolean;
  texts(name: string): string[];
}

export function fields(value: unknown): Fields {
  const all = (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {}) as Record<string, unknown>;
  const number = (name: string): number | null => {
    const given = all[name];
    return typeof given === "number" && Number.isFinite(given) ? given : null;
  };
  return {
    all,
    value: (name) => all[name],
    text: (name) => (typeof all[name] === "string" ? all[name] : ""),
    number,
    count: (name) => number(name) ?? 0,
    flag: (name) => all[name] === true,
    texts: (name) => (Array.isArray(all[name]) ? all[name].filter((item) => typeof item === "string") : []),
  };
}

/** The objects of a list. */
export const list = (from: Fields, name: string): Fields[] => rows(from.value(name));

export const rows = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fields) : []);
