import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { analyticsWords } from "../../../i18n/analytics";
import { ghostLines, looks } from "../../parts/looks";
import { PageElement } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import "./figures";
import "./live-tail";
import "./model-figures";
import "./questions";
import { KINDS, PARTS, RANGES_DAYS, addressOf, linkTo, offers, parseQuestion, partOf, zoneHere, zonesBy, type Part, type Question } from "./question";
import "./records";
import { readReport, type Report } from "../../parts/report";

/** What was asked, how well it was answered, how fast and at what cost. The address holds all that is chosen. */
@customElement("trivet-analytics")
export class AnalyticsPage extends PageElement {
  private readonly here = zoneHere();
  private readonly report = new Reading(this, (signal) => readReport(this.client, this.question, signal));
  private shown = "";

  static override styles: CSSResultGroup = [PageElement.styles, styles()];

  protected override willUpdate(_changed: PropertyValues): void {
    if (this.section === "live") return; // needs no sums
    const { days, groupBy, tz } = this.question;
    const asked = JSON.stringify([days, groupBy, tz]);
    if (asked === this.shown) return;
    this.shown = asked;
    this.report.set(null);
    void this.report.now();
  }

  /** A row of tabs that is too long for a phone shows the one that is open. */
  protected override updated(_changed: PropertyValues): void {
    const tabs = this.renderRoot.querySelector<HTMLElement>(".tabs");
    const open = tabs?.querySelector<HTMLElement>("[aria-current=page]");
    if (!tabs || !open) return;
    const beyond = open.offsetLeft + open.offsetWidth - tabs.offsetLeft - tabs.clientWidth;
    if (beyond > tabs.scrollLeft) tabs.scrollLeft = beyond;
  }

  override render() {
    const { words, section: part } = this;
    return html`
      <div class="title">
        <div>
          <h1>${words.page}</h1>
          <p class="faint">${words.lead}</p>
        </div>
        ${part === "live"
          ? nothing
          : html`<button class="button" type="button" aria-disabled=${this.report.busy} @click=${() => void this.report.now()}>
              ${icons.retry()} ${words.readAgain}
            </button>`}
      </div>
      <nav class="tabs" aria-label=${words.sections}>
        ${PARTS.map((name) => html`<a href=${linkTo(name, this.route.query)} aria-current=${name === part ? "page" : "false"}>${this.nameOf(name)}</a>`)}
      </nav>
      <div class="filters">${this.filters()}</div>
      ${this.body()}
    `;
  }

  private nameOf(part: Part): string {
    const { words } = this;
    return part === "questions" ? words.questionsTab : words[part];
  }

  private filters() {
    const { words, question, section: part } = this;
    const ranged = part !== "live";
    const grouped = part === "figures" || part === "questions";
    const kinds: [string, string][] = [["", words.kind_all], ...KINDS.map((kind): [string, string] => [kind, words[`kind_${kind}`]])];
    return html`
      ${ranged ? this.choice("days", words.range, RANGES_DAYS.map((days) => [String(days), words.lastDays(days)]), String(question.days)) : nothing}
      ${grouped ? this.choice("by", words.groupBy, offers(question.days).map((by) => [by, words[by]]), question.groupBy) : nothing}
      ${part === "live" || part === "records" ? this.choice("kind", words.kind, kinds, question.kind ?? "") : nothing}
      ${this.zone()}
    `;
  }

  private choice(name: string, label: string, options: readonly [value: string, name: string][], chosen: string) {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <select id=${name} @change=${(event: Event) => this.go(name, event)}>
        ${options.map(([value, told]) => html`<option value=${value} .selected=${value === chosen}>${told}</option>`)}
      </select>
    </div>`;
  }

  private zone() {
    const { words, here } = this;
    const { tz } = this.question;
    const { usual, continents } = zonesBy(tz, here);
    const option = (zone: string, told = zone) => html`<option value=${zone} .selected=${zone === tz}>${told}</option>`;
    return html`<div class="field zone">
      <label for="tz">${words.zone}</label>
      <select id="tz" @change=${(event: Event) => this.go("tz", event)}>
        <optgroup label=${words.zoneUsual}>${usual.map((zone) => option(zone, zone === here ? words.zoneHere(zone) : zone))}</optgroup>
        ${continents.map(
          ([name, zones]) => html`<optgroup label=${name}>${zones.filter((zone) => !usual.includes(zone)).map((zone) => option(zone))}</optgroup>`,
        )}
      </select>
    </div>`;
  }

  private body() {
    const { context, question } = this;
    if (this.section === "live") return html`<trivet-live-tail .context=${context} .kind=${question.kind} .tz=${question.tz}></trivet-live-tail>`;
    return looks(this.report, this.language, ghostLines(3, "9rem"), (report) => this.drawn(report));
  }

  private drawn(report: Report) {
    const { context, question, section: part } = this;
    if (part === "records") return html`<trivet-records .context=${context} .report=${report} .question=${question}></trivet-records>`;
    if (report.totals.questions === 0 && report.totals.searches === 0 && report.totals.errors === 0) return this.nothing();
    switch (part) {
      case "questions":
        return html`<trivet-asked .context=${context} .report=${report} .question=${question}></trivet-asked>`;
      case "models":
        return html`<trivet-model-figures .context=${context} .report=${report}></trivet-model-figures>`;
      default:
        return html`<trivet-figures .context=${context} .report=${report}></trivet-figures>`;
    }
  }

  private nothing() {
    const { words } = this;
    return html`<div class="panel empty">
      <p>${words.nothing}</p>
      <p><a href=${this.client.root.href} target="_blank" rel="noopener">${words.openChat}</a></p>
    </div>`;
  }

  private get words() {
    return analyticsWords[this.language];
  }

  private get section(): Part {
    return partOf(this.route.path);
  }

  private get question(): Question {
    return parseQuestion(this.route.query, this.here);
  }

  /** Another range may not have the periods that were chosen: then it has its own. */
  private go(name: string, event: Event): void {
    const value = (event.target as HTMLSelectElement).value;
    const fits = name !== "days" || offers(Number(value)).some((by) => by === this.route.query.get("by"));
    const change = { [name]: value, ...(fits ? {} : { by: "" }) };
    this.context.router.navigate(...addressOf(this.section, this.route.query, change));
  }
}

function styles() {
  return css`
    .filters {
      display: grid;
      grid-template-columns: repeat(2, minmax(0, 1fr));
      gap: var(--space-3);
      margin-bottom: var(--space-5);
    }

    .filters .zone,
    .filters .field:first-child:nth-last-child(2) {
      grid-column: 1 / -1;
    }

    @media (max-width: 40rem) {
      .tabs {
        gap: var(--space-3);
      }
    }

    @media (min-width: 40rem) {
      .filters {
        display: flex;
        flex-wrap: wrap;
      }

      .filters .field {
        flex: 0 1 11rem;
      }

      .filters .zone {
        flex: 0 1 17rem;
      }
    }
  `;
}
