import { overviewWords } from "../../../i18n/overview";
import type { Language } from "../../../preferences/preferences";
import { formatPercent, formatUsd } from "../../parts/format";
import { formatRoute } from "../../router";
import { checkAdvice, checkName } from "./check-names";
import type { Check, ServiceHealth, ServiceName } from "./health";
import { usedShare, type Budget, type Matters } from "./matters";
import type { Provider } from "./providers";

/** One thing that needs attention, with what to do about it and the page where that is done. */
export interface Concern {
  id: string;
  tone: "bad" | "warn";
  what: string;
  /** What the service says of it. */
  detail: string;
  todo: string;
  /** Null where no page of the console helps. */
  href: string | null;
}

export interface Seen {
  health: readonly ServiceHealth[];
  providers: readonly Provider[];
  matters: Matters | null;
}

/** The worst first. */
export function concernsOf(seen: Seen, language: Language): Concern[] {
  const all = [
    ...seen.health.flatMap((service) => ofService(service, seen.health, language)),
    ...seen.providers.flatMap((provider) => ofProvider(provider, language)),
    ...(seen.matters ? ofMatters(seen.matters, language) : []),
  ];
  return [...all.filter(({ tone }) => tone === "bad"), ...all.filter(({ tone }) => tone === "warn")];
}

const PROCESSES: Record<ServiceName, string> = { llm_proxy: "trivet-llm-proxy", kb: "trivet-kb", analytics: "trivet-analytics" };

/** A neighbour's check that fails because of a service that is told of already. */
const FOLLOWS: Record<string, ServiceName> = { kb: "kb", outbox: "analytics" };

/** Where a check's cause is looked at or mended. */
const PAGES: Record<string, string> = {
  assistants: "/settings/assistants",
  company: "/settings/kb",
  default_model: "/access/providers",
  embedder: "/knowledge/collections",
  embedding_model: "/knowledge/collections",
  indexing: "/knowledge/collections",
  keys: "/access/keys",
  models: "/settings/models",
  outbox: "/settings/common",
  vector_index: "/knowledge/collections",
  workflows: "/studio",
};

function ofService(service: ServiceHealth, all: readonly ServiceHealth[], language: Language): Concern[] {
  const words = overviewWords[language];
  const name = words[`service_${service.service}`];
  if (service.status === "silent") {
    const todo = words.serviceSilentTodo(PROCESSES[service.service]);
    return [{ id: service.service, tone: "bad", what: words.serviceSilent(name), detail: "", todo, href: null }];
  }
  const silent = (check: Check): boolean => all.some(({ service: other, status }) => other === FOLLOWS[check.name] && status === "silent");
  return service.checks
    .filter((check) => !check.ok && (isFull(check) || !silent(check)))
    .map((check) => ({
      id: `${service.service}.${check.name}`,
      tone: service.status === "unavailable" || isFull(check) ? "bad" : "warn",
      what: [name, checkName(check.name, language)].join(language === "zh" ? "：" : ": "),
      detail: check.detail,
      todo: checkAdvice(check.name, language),
      href: PAGES[check.name] ? formatRoute(PAGES[check.name] ?? "/") : null,
    }));
}

/** Events are being lost. */
const isFull = ({ name, detail }: Check): boolean => name === "outbox" && detail.includes("full");

function ofProvider({ name, state, lastError }: Provider, language: Language): Concern[] {
  const words = overviewWords[language];
  const href = formatRoute("/access/providers");
  const id = `provider.${name}`;
  if (state === "silent") return [{ id, tone: "bad", what: words.providerFails(name), detail: lastError, todo: words.providerFailsTodo, href }];
  if (state === "cooling") return [{ id, tone: "warn", what: words.providerCools(name), detail: lastError, todo: words.providerCoolsTodo, href }];
  return [];
}

function ofMatters({ openGaps, topGap, budgets, failedTasks, failedJobs }: Matters, language: Language): Concern[] {
  const words = overviewWords[language];
  const found: Concern[] = budgets.map((budget) => ofBudget(budget, language));
  const add = (id: string, count: number, what: string, todo: string, path: string): void => {
    if (count > 0) found.push({ id, tone: "warn", what, detail: "", todo, href: formatRoute(path) });
  };
  add("tasks", failedTasks.length, words.tasksFailed(failedTasks.length), words.tasksFailedTodo, `/studio/runs/${failedTasks[0] ?? ""}`);
  add("jobs", failedJobs.length, words.jobsFailed(failedJobs.length), words.jobsFailedTodo, "/knowledge/add");
  add("gaps", openGaps, words.gapsOpen(openGaps), words.gapsOpenTodo(topGap), "/gaps");
  return found;
}

function ofBudget(budget: Budget, language: Language): Concern {
  const words = overviewWords[language];
  const locale = language === "zh" ? "zh-CN" : "en";
  const share = usedShare(budget);
  const usedUp = share >= 1;
  const told = budget.period === "day" ? words.budgetDay : words.budgetMonth;
  return {
    id: `budget.${budget.keyId}`,
    tone: usedUp ? "bad" : "warn",
    what: usedUp ? words.budgetUsedUp(budget.name) : words.budgetNearlyUsed(budget.name, formatPercent(share, locale)),
    detail: "",
    todo: told(formatUsd(budget.spentUsd, locale), formatUsd(budget.budgetUsd, locale)),
    href: formatRoute(`/access/keys/${budget.keyId}`),
  };
}
