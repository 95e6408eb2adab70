import { analyticsWords } from "../../i18n/analytics";
import type { Language } from "../../preferences/preferences";

const HOUR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const WEEK = /^(\d{4})-W(\d\d)$/;
const MONTH = /^\d{4}-\d\d$/;

/**
 * A period as people call it, from the service's label: `2026-01-31T13:00+05:30`, `2026-01-31`, `2026-W05`, `2026-01`.
 *
 * The label is of the reader's calendar already, so it is taken as it stands. `long` tells the year, too.
 */
export function periodName(label: string, language: Language, long = false): string {
  const locale = language === "zh" ? "zh-CN" : "en";
  const told = (local: string, format: Intl.DateTimeFormatOptions): string => {
    const date = new Date(`${local}Z`);
    return Number.isNaN(date.getTime()) ? label : new Intl.DateTimeFormat(locale, { ...format, timeZone: "UTC" }).format(date);
  };
  const year = long ? ({ year: "numeric" } as const) : {};
  const hour = HOUR.exec(label)?.[1];
  if (hour) return told(hour, { ...year, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (DAY.test(label)) return told(`${label}T00:00`, { ...year, month: "short", day: "numeric" });
  if (MONTH.test(label)) return told(`${label}-01T00:00`, { year: "numeric", month: "short" });
  const [, weekYear, week] = WEEK.exec(label) ?? [];
  return week ? analyticsWords[language].weekName(Number(week), Number(weekYear)) : label;
}

/** The day of a time in a zone; of an `end` the day before it, which is the last one that belongs. */
export function dayIn(time: string, tz: string, locale: string, end = false): string {
  const date = new Date(new Date(time).getTime() - (end ? 1 : 0));
  return Number.isNaN(date.getTime()) ? time : date.toLocaleDateString(locale, { timeZone: tz, dateStyle: "medium" });
}

/** A time of the services (RFC 3339, UTC) in a zone; `seconds` for what has just happened. */
export function timeIn(time: string, tz: string, locale: string, style: "moment" | "seconds" = "moment"): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  if (style === "seconds") return date.toLocaleTimeString(locale, { timeZone: tz, hourCycle: "h23" });
  return date.toLocaleString(locale, { timeZone: tz, dateStyle: "medium", timeStyle: "short" });
}
