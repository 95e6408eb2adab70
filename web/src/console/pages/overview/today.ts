import { html, type TemplateResult } from "lit";
import { analyticsWords } from "../../../i18n/analytics";
import { overviewWords } from "../../../i18n/overview";
import type { Language } from "../../../preferences/preferences";
import "../../parts/chart";
import { formatNumber, formatPercent, formatSeconds, formatUsd } from "../../parts/format";
import type { Report } from "../../parts/report";
import { tileGrid, type Tile } from "../../parts/tiles";

/** Today in eight figures and by the hour. `chat`: the address of the chat page, for a day without a question. */
export function today(report: Report, language: Language, chat: string): TemplateResult {
  const words = overviewWords[language];
  if (report.totals.questions === 0 && report.totals.searches === 0) {
    return html`<div class="panel empty">
      <p>${words.noQuestions}</p>
      <p><a href=${chat} target="_blank" rel="noopener">${words.openChat}</a></p>
    </div>`;
  }
  const points = report.periods.map(({ label, questions }) => ({ label: hourOf(label), value: questions }));
  return html`${tileGrid(tiles(report, language))}
  ${points.length > 0
    ? html`<div class="panel hours">
        <trivet-chart
          small
          .name=${words.hours}
          .points=${points}
          .format=${(value: number) => formatNumber(value, localeOf(language))}
          .kind=${analyticsWords[language].chartRole}
          .hint=${analyticsWords[language].chartHint}
        ></trivet-chart>
      </div>`
    : ""}`;
}

function tiles({ totals, firstToken, duration }: Report, language: Language): Tile[] {
  const words = analyticsWords[language];
  const locale = localeOf(language);
  const number = (value: number): string => formatNumber(value, locale);
  const seconds = (value: number | null): string => (value === null ? "–" : formatSeconds(value, locale));
  const slowest = (p95: number | null): string => (p95 === null ? "" : words.within95(seconds(p95)));
  const trouble = (count: number): Pick<Tile, "tone"> => (count > 0 ? { tone: "trouble" } : {});
  const failing = totals.questions > 0 && totals.errors > 0 ? words.shareOfQuestions(formatPercent(totals.errors / totals.questions, locale)) : "";
  return [
    { name: words.questions, value: number(totals.questions) },
    { name: words.sessions, value: number(totals.sessions) },
    { name: words.firstToken, value: seconds(firstToken.p50), more: slowest(firstToken.p95) },
    { name: words.duration, value: seconds(duration.p50), more: slowest(duration.p95) },
    { name: words.cost, value: formatUsd(totals.costUsd, locale) },
    { name: words.tokens, value: number(totals.inputTokens + totals.outputTokens) },
    { name: words.zeroHits, value: number(totals.zeroHits), ...trouble(totals.zeroHits) },
    { name: words.errors, value: number(totals.errors), more: failing, ...trouble(totals.errors) },
  ];
}

/** `2026-01-30T13:00+08:00`: all are of one day. */
const hourOf = (label: string): string => /T(\d\d:\d\d)/.exec(label)?.[1] ?? label;

const localeOf = (language: Language): string => (language === "zh" ? "zh-CN" : "en");
