import { formatRoute } from "../../router";

/** What the address asks: `#/analytics/models?days=7&by=hour&tz=Asia/Shanghai&kind=chat`. */
export const PARTS = ["figures", "questions", "models", "live", "records"] as const;
export type Part = (typeof PARTS)[number];
export const RANGES_DAYS = [1, 7, 30, 90, 365] as const;
export const GROUPS = ["hour", "day", "week", "month"] as const;
export type GroupBy = (typeof GROUPS)[number];
export const KINDS = ["chat", "search", "feedback", "workflow", "embedding", "error"] as const;
export type Kind = (typeof KINDS)[number];

export interface Question {
  days: number;
  groupBy: GroupBy;
  tz: string;
  /** Of the records, live and exported; null: all kinds. */
  kind: Kind | null;
}

/** More bars than a week of hours cannot be told apart; the service itself would give 92 days. */
const MAX_DAYS_BY_HOUR = 7;

/** Anything in an address that is not known is passed over. `here`: the browser's own time zone. */
export function parseQuestion(query: URLSearchParams, here: string): Question {
  const days = RANGES_DAYS.find((range) => String(range) === query.get("days")) ?? 30;
  const asked = GROUPS.find((group) => group === query.get("by"));
  const groupBy = asked && offers(days).includes(asked) ? asked : days === 1 ? "hour" : "day";
  const zone = query.get("tz") ?? "";
  const kind = KINDS.find((known) => known === query.get("kind")) ?? null;
  return { days, groupBy, tz: isZone(zone) ? zone : here, kind };
}

export const partOf = (path: string): Part => PARTS.find((part) => part === path.split("/")[1]) ?? "figures";

/** The address of a part with all that was chosen; what is as it would be anyway is left out, but never a time zone
 * that was chosen. */
export function addressOf(part: Part, query: URLSearchParams, change: Record<string, string> = {}): [path: string, query: URLSearchParams] {
  const chosen = new URLSearchParams();
  for (const name of ["days", "by", "tz", "kind"]) {
    const value = change[name] ?? query.get(name) ?? "";
    if (value) chosen.set(name, value);
  }
  return [part === "figures" ? "/analytics" : `/analytics/${part}`, chosen];
}

export const linkTo = (part: Part, query: URLSearchParams): string => formatRoute(...addressOf(part, query));

/** The groups that a range can be shown in. */
export const offers = (days: number): GroupBy[] => GROUPS.filter((group) => group !== "hour" || days <= MAX_DAYS_BY_HOUR);

export const zoneHere = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

function isZone(name: string): boolean {
  try {
    return name !== "" && Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** The zones to choose from, by continent. A chosen one that a browser does not list is no less a zone. */
export function zonesBy(chosen: string, here: string): { usual: string[]; continents: [name: string, zones: string[]][] } {
  const continents = new Map<string, string[]>();
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    const [continent = "", city] = zone.split("/");
    if (city) continents.set(continent, [...(continents.get(continent) ?? []), zone]);
  }
  const known = [...continents.values()].flat();
  const usual = [...new Set([here, "UTC", ...(known.includes(chosen) ? [] : [chosen])])];
  return { usual, continents: [...continents] };
}
