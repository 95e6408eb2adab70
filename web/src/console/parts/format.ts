/** Figures and times as people read them. `locale`: BCP 47. */
export const formatNumber = (value: number, locale: string): string => new Intl.NumberFormat(locale).format(value);

export const formatScore = (value: number, locale: string, digits = 2): string =>
  new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export const formatPercent = (share: number, locale: string): string =>
  // Four in a thousand is not none.
  new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: share > 0 && share < 0.1 ? 1 : 0 }).format(share);

export const formatUsd = (value: number, locale: string): string =>
  new Intl.NumberFormat(locale, {
    style: "currency",
    currency: "USD",
    // A call of a model costs parts of a cent.
    maximumFractionDigits: value > 0 && value < 0.1 ? 4 : 2,
  }).format(value);

export const formatSeconds = (seconds: number, locale: string): string =>
  new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "narrow", maximumFractionDigits: seconds < 1 ? 2 : 1 }).format(seconds);

export function formatBytes(bytes: number, locale: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const format = { style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: step === 0 ? 0 : 1 } as const;
  return new Intl.NumberFormat(locale, format as Intl.NumberFormatOptions).format(bytes / 1000 ** step);
}

/** The day of a time of the services, in the reader's own zone. */
export function formatDate(time: string, locale: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toLocaleDateString(locale, { dateStyle: "medium" });
}

/** A time of the services (RFC 3339, UTC) in the reader's own zone; what is none stands as it is. */
export function formatTime(time: string, locale: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  return date.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
}

/** A figure where there is little room: 90,210 is "90.2K", 9 万 in Chinese. */
export const formatShort = (value: number, locale: string): string =>
  new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(value);
