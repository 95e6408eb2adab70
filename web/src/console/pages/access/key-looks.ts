import { css, html, nothing, type TemplateResult } from "lit";
import { accessWords } from "../../../i18n/access";
import type { Language } from "../../../preferences/preferences";
import { formatNumber, formatUsd } from "../../parts/format";
import { MONEYS, limitsOf, stateOf, type Key, type Limit, type Usage } from "./keys";

const TONES = { active: "good", spent: "warn", expired: "idle", revoked: "idle" } as const;

export function keyState(key: Key, language: Language): TemplateResult {
  const state = stateOf(key, new Date());
  return html`<span class="state" data-tone=${TONES[state]}>${accessWords[language][`state_${state}`]}</span>`;
}

export const isMoney = (name: Limit): boolean => MONEYS.some((money) => money === name);

export function limitText(name: Limit, value: number, locale: string): string {
  return isMoney(name) ? formatUsd(value, locale) : formatNumber(value, locale);
}

/** The limits that are set, as words and figures; those of a minute with what is used of them. */
export function limitList(key: Key, usage: Usage | null, language: Language, locale: string): TemplateResult {
  const words = accessWords[language];
  const set = limitsOf(key.kind).flatMap((name) => {
    const value = key.limits[name];
    return value === null ? [] : [{ name, value }];
  });
  if (set.length === 0) return html`<p class="hint">${words.noLimits}</p>`;
  return html`<dl class="limits">
    ${set.map(({ name, value }) => limit(words[name], usage?.[name] ?? null, value, limitText(name, value, locale), language, locale))}
  </dl>`;
}

function limit(title: string, used: number | null, most: number, said: string, language: Language, locale: string): TemplateResult {
  if (used === null) return html`<div><dt>${title}</dt><dd>${said}</dd></div>`;
  const text = accessWords[language].ofLimit(formatNumber(used, locale), said);
  return html`<div class="used"><dt>${title}</dt><dd><span class="figure">${text}</span> ${meter(title, used / most, text)}</dd></div>`;
}

/** A bar that warns before it is full. */
function meter(title: string, share: number, said: string): TemplateResult {
  const filled = Math.min(share, 1);
  const tone = filled >= 1 ? "over" : filled >= 0.8 ? "near" : "well";
  return html`<div class="meter" data-tone=${tone} role="meter" aria-label=${title} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(filled * 100)} aria-valuetext=${said}>
    <i .style=${`inline-size: ${filled * 100}%`}></i>
  </div>`;
}

/** What was spent, against its budget where there is one. `title`: which time. */
export function spending(title: string, spentUsd: number, budgetUsd: number | null, language: Language, locale: string): TemplateResult {
  const words = accessWords[language];
  const spent = formatUsd(spentUsd, locale);
  if (budgetUsd === null) return html`<div class="spending"><span class="what">${title}</span> <span class="figure">${words.withoutBudget(spent)}</span></div>`;
  const said = words.ofBudget(spent, formatUsd(budgetUsd, locale));
  return html`<div class="spending">
    <span class="what">${title}</span> <span class="figure">${said}</span>
    ${meter(title, budgetUsd === 0 ? 1 : spentUsd / budgetUsd, said)}
  </div>`;
}

/** Both budgets; nothing for a key that cannot have one. `brief`: without a day on which nothing was spent. */
export function spendings(key: Key, language: Language, locale: string, brief = false): TemplateResult | typeof nothing {
  const words = accessWords[language];
  if (key.kind === "provider") return nothing;
  const { daily_budget_usd: daily, monthly_budget_usd: monthly } = key.limits;
  if (brief && daily === null && key.spentTodayUsd === 0) return spending(words.thisMonth, key.spentThisMonthUsd, monthly, language, locale);
  return html`${spending(words.today, key.spentTodayUsd, daily, language, locale)}
  ${spending(words.thisMonth, key.spentThisMonthUsd, monthly, language, locale)}`;
}

export const keyStyles = css`
  code {
    font: 400 var(--text-s) / 1.5 var(--mono);
    overflow-wrap: anywhere;
  }

  .spending {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: var(--space-1) var(--space-3);
    font-size: var(--text-s);
  }

  .spending .what {
    color: var(--ink-soft);
  }

  .spending .figure {
    text-align: end;
    font-variant-numeric: lining-nums tabular-nums;
  }

  .spending .meter {
    grid-column: 1 / -1;
  }

  .meter[data-tone="near"] > i {
    background: var(--amber);
  }

  .meter[data-tone="over"] > i {
    background: var(--danger);
  }

  .limits {
    display: grid;
    gap: var(--space-3);
    font-size: var(--text-s);
  }

  .limits > div {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: var(--space-1) var(--space-4);
  }

  .limits > .used {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
  }

  .limits > .used dd {
    display: contents;
  }

  .limits .figure {
    text-align: end;
  }

  .limits .meter {
    grid-column: 1 / -1;
  }

  dt {
    color: var(--ink-soft);
  }

  dd {
    font-variant-numeric: lining-nums tabular-nums;
  }
`;
