import { LitElement, html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controls } from "../../../design/controls";
import { icons } from "../../../design/icons";
import { describeFailure } from "../../../i18n/common";
import { consoleWords } from "../../../i18n/console";
import { Follow } from "../../../preferences/follow";
import type { Language } from "../../../preferences/preferences";
import type { Failure } from "../../../transport/failure";
import { pageStyles } from "../../page-styles";
import { Poll } from "../../poll";
import type { ConsoleContext, ConsolePageElement } from "../../registry";
import type { Route } from "../../router";
import { SERVICES, countTroubles, readHealth, type Check, type ServiceHealth, type ServiceStatus } from "./health";
import { checkName } from "./check-names";
import { overviewStyles } from "./overview-styles";
import { readProviders, type Provider, type ProviderState } from "./providers";
import { readTotals, type Totals } from "./statistics";

const HEALTH_EVERY_SECONDS = 10;
const TOTALS_EVERY_SECONDS = 60;

/** What is running and healthy, what today brought, and which providers there are. */
@customElement("trivet-overview")
export class OverviewPage extends LitElement implements ConsolePageElement {
  @property({ attribute: false }) context!: ConsoleContext;
  @property({ attribute: false }) route!: Route;
  private readonly health = new Poll(this, (signal) => readHealth(this.context.client, signal), HEALTH_EVERY_SECONDS);
  private readonly totals = new Poll(this, (signal) => readTotals(this.context.client, signal), TOTALS_EVERY_SECONDS);
  private readonly providers = new Poll(this, (signal) => readProviders(this.context.client, signal), TOTALS_EVERY_SECONDS);

  static override styles = [controls, pageStyles, overviewStyles];

  constructor() {
    super();
    new Follow(this, () => this.context.preferences);
  }

  private get language(): Language {
    return this.context.preferences.language;
  }

  private get words() {
    return consoleWords[this.language];
  }

  override render() {
    const { words } = this;
    return html`
      ${this.headline()}
      <section aria-labelledby="services">
        <h2 id="services" class="first">${words.services}</h2>
        <ul class="services">
          ${SERVICES.map((service, position) => html`<li>${this.service(service, this.health.value?.[position])}</li>`)}
        </ul>
      </section>
      <section aria-labelledby="totals">
        <h2 id="totals">${words.today}</h2>
        ${this.section(this.totals, ghosts(6), (totals) => this.tiles(totals))}
      </section>
      <section aria-labelledby="providers">
        <h2 id="providers">${words.providers}</h2>
        ${this.section(this.providers, ghosts(3), (providers) => this.providerList(providers))}
      </section>
    `;
  }

  private headline() {
    const { words, health } = this;
    const troubles = health.value ? countTroubles(health.value) : 0;
    const sentence = health.value ? (troubles > 0 ? words.attention(troubles) : words.allWell) : words.looking;
    const time = health.readAt?.toLocaleTimeString(this.locale) ?? "";
    return html`<div class="title">
      <div>
        <h1>${sentence}</h1>
        <p class="unseen" role="status">${sentence}</p>
        <p class="faint">${time ? words.checkedAt(time) : html`&nbsp;`}</p>
      </div>
      <button class="button" type="button" aria-disabled=${health.reading} @click=${this.refresh}>
        ${icons.retry()} ${words.refresh}
      </button>
    </div>`;
  }

  private service(service: ServiceHealth["service"], health: ServiceHealth | undefined) {
    const { words } = this;
    const names = { llm_proxy: words.service_llm_proxy, kb: words.service_kb, analytics: words.service_analytics };
    return html`<article class="panel service" data-tone=${health ? toneOf(health.status) : "idle"}>
      <header>
        <h3>${names[service]} <code>${service}</code></h3>
        ${health ? this.status(health.status) : html`<span class="ghost pill"></span>`}
      </header>
      ${health ? this.checks(health) : html`<div class="ghost line"></div><div class="ghost line"></div>`}
    </article>`;
  }

  private status(status: ServiceStatus) {
    const { words } = this;
    const names = {
      ok: words.status_ok,
      degraded: words.status_degraded,
      unavailable: words.status_unavailable,
      silent: words.status_silent,
    };
    return html`<span class="state" data-tone=${toneOf(status)}>${names[status]}</span>`;
  }

  private checks({ checks, version }: ServiceHealth) {
    return html`<ul class="checks">
        ${checks.map((check) => this.check(check))}
      </ul>
      ${version ? html`<p class="faint version">${this.words.version(version)}</p>` : nothing}`;
  }

  private check({ name, ok, detail }: Check) {
    const { words } = this;
    return html`<li data-ok=${ok}>
      <span class="sign">${ok ? icons.check() : icons.alert()}</span>
      <span class="what"
        >${checkName(name, this.language)} <span class="unseen">${ok ? words.checkOk : words.checkFailing}</span>
        ${detail ? html`<span class="detail">${detail}</span>` : nothing}</span
      >
    </li>`;
  }

  private tiles(totals: Totals) {
    const { words } = this;
    if (totals.questions === 0 && totals.searches === 0) {
      return html`<div class="panel empty">
        <p>${words.noQuestions}</p>
        <p><a href=${this.context.client.root.href} target="_blank" rel="noopener">${words.openChat}</a></p>
      </div>`;
    }
    const number = new Intl.NumberFormat(this.locale);
    const usd = new Intl.NumberFormat(this.locale, { style: "currency", currency: "USD", maximumFractionDigits: 2 });
    const tiles: [string, number | null, Intl.NumberFormat][] = [
      [words.questions, totals.questions, number],
      [words.searches, totals.searches, number],
      [words.zeroHits, totals.zeroHits, number],
      [words.sessions, totals.sessions, number],
      [words.errors, totals.errors, number],
      [words.tokens, totals.tokens, number],
      [words.cost, totals.costUsd, usd],
    ];
    return html`<dl class="tiles panel">
      ${tiles.map(([name, value, format]) =>
        value === null ? nothing : html`<div><dt>${name}</dt><dd>${format.format(value)}</dd></div>`,
      )}
    </dl>`;
  }

  private providerList(providers: Provider[]) {
    const { words } = this;
    if (providers.length === 0) return html`<p class="panel empty">${words.noProviders}</p>`;
    return html`<ul class="providers panel">
      ${providers.map(
        (provider) => html`<li>
          <span class="name">${provider.name}</span>
          <span class="models">${provider.variable ? html`<code>${words.noKeyHelp(provider.variable)}</code>` : provider.models.join(", ")}</span>
          ${this.providerState(provider.state)}
        </li>`,
      )}
    </ul>`;
  }

  private providerState(state: ProviderState) {
    const { words } = this;
    const names = {
      ready: words.providerReady,
      unset: words.providerNoKey,
      cooling: words.providerCooling,
      silent: words.providerSilent,
    };
    const tones = { ready: "good", unset: "idle", cooling: "warn", silent: "bad" };
    return html`<span class="state" data-tone=${tones[state]}>${names[state]}</span>`;
  }

  /** Waiting, failed with nothing to show, or there: an old value outlives a failed reading. */
  private section<T>(poll: Poll<T>, waiting: TemplateResult, show: (value: T) => TemplateResult): TemplateResult {
    if (poll.value !== null) return show(poll.value);
    return poll.failure ? this.problem(poll.failure, () => void poll.now()) : waiting;
  }

  private problem(failure: Failure, again: () => void) {
    const { words } = this;
    return html`<div class="panel problem">
      ${icons.alert()}
      <p>${words.partFailed} ${describeFailure(failure, this.language)}</p>
      <button class="button" type="button" @click=${again}>${words.refresh}</button>
    </div>`;
  }

  private get locale(): string {
    return this.language === "zh" ? "zh-CN" : "en";
  }

  private refresh(): void {
    void this.health.now();
    void this.totals.now();
    void this.providers.now();
  }
}

const toneOf = (status: ServiceStatus): string =>
  ({ ok: "good", degraded: "warn", unavailable: "bad", silent: "bad" })[status];

const ghosts = (count: number): TemplateResult =>
  html`<div class="panel waiting" aria-hidden="true">${Array.from({ length: count }, () => html`<div class="ghost tile"></div>`)}</div>`;
