import { html, nothing, type CSSResultGroup, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { icons } from "../../../design/icons";
import { overviewWords } from "../../../i18n/overview";
import { ghostLines, looks } from "../../parts/looks";
import { PageElement } from "../../parts/page-part";
import { readReport } from "../../parts/report";
import { tileStyles } from "../../parts/tiles";
import { Poll } from "../../poll";
import { formatRoute } from "../../router";
import { checkName } from "./check-names";
import { concernsOf, type Concern } from "./concerns";
import { SERVICES, readHealth, type Check, type ServiceHealth, type ServiceStatus } from "./health";
import { readMatters } from "./matters";
import { overviewStyles } from "./overview-styles";
import { readProviders, type Provider, type ProviderState } from "./providers";
import { today } from "./today";

const HEALTH_EVERY_SECONDS = 10;
const OTHERS_EVERY_SECONDS = 60;

/** What needs attention, what today brought, what is running, and which providers there are. */
@customElement("trivet-overview")
export class OverviewPage extends PageElement {
  private readonly health = new Poll(this, (signal) => readHealth(this.client, signal), HEALTH_EVERY_SECONDS);
  private readonly today = new Poll(this, (signal) => readReport(this.client, todaysSpan(), signal), OTHERS_EVERY_SECONDS);
  private readonly providers = new Poll(this, (signal) => readProviders(this.client, signal), OTHERS_EVERY_SECONDS);
  private readonly matters = new Poll(this, (signal) => readMatters(this.client, signal), OTHERS_EVERY_SECONDS);

  static override styles: CSSResultGroup = [PageElement.styles, tileStyles, overviewStyles];

  override render() {
    const { words, language } = this;
    const concerns = this.concerns();
    return html`
      ${this.headline(concerns)} ${concerns.length > 0 ? this.attention(concerns) : nothing} ${this.notLooked()}
      <section aria-labelledby="today">
        <div class="heading">
          <h2 id="today">${words.today}</h2>
          <a href=${formatRoute("/analytics", new URLSearchParams({ days: "1" }))}>${words.allFigures}</a>
        </div>
        ${looks(this.today, language, ghostLines(2, "5.25rem"), (report) => today(report, language, this.client.root.href))}
      </section>
      <section aria-labelledby="services">
        <h2 id="services">${words.services}</h2>
        <ul class="services">
          ${SERVICES.map((service, position) => html`<li>${this.service(service, this.health.value?.[position])}</li>`)}
        </ul>
      </section>
      <section aria-labelledby="providers">
        <div class="heading">
          <h2 id="providers">${words.providers}</h2>
          <a href=${formatRoute("/access/providers")}>${words.allProviders}</a>
        </div>
        ${looks(this.providers, language, ghostLines(3), (providers) => this.providerList(providers))}
      </section>
    `;
  }

  private concerns(): Concern[] {
    const seen = { health: this.health.value ?? [], providers: this.providers.value ?? [], matters: this.matters.value };
    return concernsOf(seen, this.language);
  }

  /** The sentence is said once all has been looked at, so that a screen reader does not hear it grow. */
  private headline(concerns: readonly Concern[]) {
    const { words, health } = this;
    const settled = [health, this.providers, this.matters].every(({ value, failure }) => value !== null || failure !== null);
    const sentence = !settled ? words.looking : concerns.length > 0 ? words.attention(concerns.length) : words.allWell;
    const time = health.readAt?.toLocaleTimeString(this.locale) ?? "";
    return html`<div class="title">
      <div>
        <h1>${sentence}</h1>
        <p class="unseen" role="status">${sentence}</p>
        <p class="faint">${time ? words.checkedAt(time) : html`&nbsp;`}</p>
      </div>
      <button class="button" type="button" aria-disabled=${health.reading} @click=${this.refresh}>${icons.retry()} ${words.refresh}</button>
    </div>`;
  }

  private attention(concerns: readonly Concern[]) {
    const { words } = this;
    return html`<section aria-labelledby="needs">
      <h2 id="needs" class="unseen">${words.needs}</h2>
      <ul class="concerns panel">
        ${repeat(
          concerns,
          ({ id }) => id,
          ({ tone, what, detail, todo, href }) => html`<li data-tone=${tone}>
            <span class="sign">${icons.alert()}</span>
            <div class="what">
              <h3>${what}</h3>
              ${detail ? html`<p class="detail">${detail}</p>` : nothing}
              <p>${todo}</p>
            </div>
            ${href ? html`<a class="button" href=${href} aria-label=${`${words.look}: ${what}`}>${words.look} ${icons.chevron()}</a>` : nothing}
          </li>`,
        )}
      </ul>
    </section>`;
  }

  /** What is not known is not taken for well. */
  private notLooked() {
    const { words } = this;
    const parts = [...(this.matters.value?.unread ?? []), ...(this.providers.failure ? (["providers"] as const) : [])];
    if (parts.length === 0) return nothing;
    const names = parts.map((part) => words[`part_${part}`]);
    return html`<p class="hint unread">${words.notLooked(names.join(this.language === "zh" ? "、" : ", "))}</p>`;
  }

  private service(service: ServiceHealth["service"], health: ServiceHealth | undefined) {
    const { words } = this;
    return html`<article class="panel service" data-tone=${health ? toneOf(health.status) : "idle"}>
      <header>
        <h3>${words[`service_${service}`]} <code>${service}</code></h3>
        ${health ? this.status(health.status) : html`<span class="ghost pill"></span>`}
      </header>
      ${health ? this.checks(health) : html`<div class="ghost line"></div><div class="ghost line"></div>`}
    </article>`;
  }

  private status(status: ServiceStatus) {
    return html`<span class="state" data-tone=${toneOf(status)}>${this.words[`status_${status}`]}</span>`;
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

  private providerList(providers: readonly Provider[]): TemplateResult {
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
    const names = { ready: words.providerReady, unset: words.providerNoKey, cooling: words.providerCooling, silent: words.providerSilent };
    const tones = { ready: "good", unset: "idle", cooling: "warn", silent: "bad" };
    return html`<span class="state" data-tone=${tones[state]}>${names[state]}</span>`;
  }

  private get words() {
    return overviewWords[this.language];
  }

  private refresh(): void {
    for (const poll of [this.health, this.today, this.providers, this.matters]) void poll.now();
  }
}

const toneOf = (status: ServiceStatus): string =>
  ({ ok: "good", degraded: "warn", unavailable: "bad", silent: "bad" })[status];

/** A browser's zone may change while the page is open: a journey, a clock set. */
const todaysSpan = () => ({ days: 1, groupBy: "hour", tz: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" });
