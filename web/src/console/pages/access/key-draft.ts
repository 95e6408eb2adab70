import { fields } from "../../parts/json";
import { parseJson } from "../../../transport/failure";
import { COUNTS, KINDS, MONEYS, limitsOf, type Key, type Kind, type KeyValues } from "./keys";

/** What stands in the form, as text. A provider's key (`value`) is never kept. */
export type Typed = Record<string, string>;

const ORIGIN = /^https?:\/\/(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
const LISTS = ["models", "origins"];

export type Fault = "missing" | "badNumber" | "badMoney" | "badOrigin" | "badTime";

export const linesOf = (text: string): string[] => text.split(/[\n,]/).map((line) => line.trim()).filter((line) => line !== "");

/** A stored key as it stands in the form. */
export function typedOf(key: Key): Typed {
  const limits = Object.entries(key.limits).map(([name, value]) => [name, value === null ? "" : String(value)]);
  return {
    name: key.name,
    models: key.models.join("\n"),
    origins: key.origins.join("\n"),
    assistant: key.assistant ?? "",
    expires_at: key.expiresAt ? localTime(new Date(key.expiresAt)) : "",
    ...Object.fromEntries(limits),
  };
}

/** What was typed before; without a provider's key. */
export function readTyped(text: string): Typed {
  const typed = Object.entries(fields(parseJson(text)).all).filter(([name, value]) => name !== "value" && typeof value === "string");
  return Object.fromEntries(typed) as Typed;
}

export const kindOf = (typed: Typed): Kind => KINDS.find((kind) => kind === typed["kind"]) ?? "application";

/** A time as `<input type="datetime-local">` takes it, in the reader's zone. */
export function localTime(time: Date): string {
  if (Number.isNaN(time.getTime())) return "";
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:${two(time.getMinutes())}`;
}

const namesOf = (kind: Kind): string[] => {
  if (kind === "provider") return ["name", "provider", "value"];
  const own = kind === "application" ? ["models"] : ["assistant", "origins"];
  return ["name", ...own, ...limitsOf(kind), "expires_at"];
};

/** What is wrong with a field, by its name, in the order of the form. `changes`: of a key that is there already. */
export function faultsOf(kind: Kind, typed: Typed, changes = false): Map<string, Fault> {
  const faults = new Map<string, Fault>();
  const needed = ["name", "assistant", "origins", ...(changes ? [] : ["provider", "value"])];
  for (const name of namesOf(kind)) {
    const text = (typed[name] ?? "").trim();
    const fault = text === "" ? (needed.includes(name) ? "missing" : null) : faultOf(name, text);
    if (fault && !(changes && kind === "provider" && name !== "name")) faults.set(name, fault);
  }
  return faults;
}

function faultOf(name: string, text: string): Fault | null {
  if ((COUNTS as readonly string[]).includes(name)) return /^[1-9]\d{0,8}$/.test(text) ? null : "badNumber";
  if ((MONEYS as readonly string[]).includes(name)) return /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? null : "badMoney";
  if (name === "origins") return linesOf(text).every((line) => ORIGIN.test(line)) ? null : "badOrigin";
  if (name === "expires_at") return Number.isNaN(new Date(text).getTime()) ? "badTime" : null;
  return null;
}

/** What is sent for a new key: fields that are empty are left out. */
export function newValues(kind: Kind, typed: Typed): KeyValues {
  const given = namesOf(kind).filter((name) => (typed[name] ?? "").trim() !== "");
  return { kind, ...Object.fromEntries(given.map((name) => [name, valueOf(name, typed[name] ?? "")])) };
}

/** What is sent for a change: fields that say something else than before; an empty one takes the limit away. */
export function changedValues(key: Key, typed: Typed): KeyValues {
  const before = typedOf(key);
  const names = key.kind === "provider" ? ["name"] : namesOf(key.kind);
  const changed = names.filter((name) => (typed[name] ?? "").trim() !== (before[name] ?? ""));
  return Object.fromEntries(
    changed.map((name) => [name, (typed[name] ?? "").trim() === "" ? (LISTS.includes(name) ? [] : null) : valueOf(name, typed[name] ?? "")]),
  );
}

function valueOf(name: string, text: string): string | number | string[] {
  if (LISTS.includes(name)) return linesOf(text);
  if ([...COUNTS, ...MONEYS].some((limit) => limit === name)) return Number(text);
  if (name === "expires_at") return new Date(text).toISOString();
  return text.trim();
}
