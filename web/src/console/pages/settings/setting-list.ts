import { css, html, nothing, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { settingHelp, settingsWords } from "../../../i18n/settings";
import { formatBytes, formatNumber } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { found, readSettings, type Service, type Setting } from "./settings";

/** The settings that every service reads (`common`), or those of one service. */
@customElement("trivet-setting-list")
export class SettingList extends PagePart {
  @property() section: "common" | Service = "common";
  /** Words to be found, and whether only what was given is shown; both stand in the address. */
  @property() wanted = "";
  @property({ type: Boolean }) given = false;
  private readonly settings = new Reading(this, (signal) => readSettings(this.client, this.section === "common" ? "llm_proxy" : this.section, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("section")) return;
    this.settings.value = null;
    void this.settings.now();
  }

  override render() {
    const words = settingsWords[this.language];
    return html`
      <form class="row" role="search" @submit=${(event: Event) => event.preventDefault()}>
        <div class="field grow">
          <label for="find">${words.find}</label>
          <input id="find" type="search" .value=${this.wanted} placeholder=${words.findExample} autocomplete="off" autocapitalize="none" spellcheck="false" @input=${this.onFind} />
        </div>
        <label class="only"><input type="checkbox" .checked=${this.given} @change=${this.onGiven} /> ${words.onlyGiven}</label>
      </form>
      ${looks(this.settings, this.language, ghostLines(8, "5rem"), (settings) => this.list(settings))}
      <p class="hint change">${words.howToChange}</p>
    `;
  }

  private list(settings: Setting[]) {
    const words = settingsWords[this.language];
    const own = settings.filter(({ common }) => common === (this.section === "common"));
    const shown = found(own, this.wanted, this.given, (setting) => this.help(setting));
    return html`<p class="faint count" role="status">${words.count(shown.length, own.length)}</p>
      ${shown.length === 0
        ? this.none()
        : html`<ul class="panel">
            ${shown.map((setting) => this.entry(setting))}
          </ul>`}`;
  }

  private none() {
    const words = settingsWords[this.language];
    return html`<div class="panel empty">
      <p>${this.wanted === "" ? words.allDefault : words.noMatch}</p>
      <p><button class="button" type="button" @click=${() => this.go("", false)}>${words.allOfThem}</button></p>
    </div>`;
  }

  private entry(setting: Setting) {
    const words = settingsWords[this.language];
    const help = this.help(setting);
    return html`<li>
      <div class="what">
        <p class="name"><code>${setting.name}</code></p>
        <p class="hint" lang=${help === setting.help ? "en" : nothing}>${help}</p>
        <p class="faint">${this.bounds(setting)}</p>
      </div>
      <div class="value">
        ${setting.secret ? this.secret(setting) : this.shown(setting)}
        ${setting.source === "default"
          ? html`<span class="hint from">${words.from_default}</span>`
          : html`<span class="state from" data-tone="good"><span class="unseen">${words.from}</span> ${words[`from_${setting.source}`]}</span>`}
      </div>
    </li>`;
  }

  private secret(setting: Setting) {
    const words = settingsWords[this.language];
    return html`<span class="sign" title=${words.secretHelp} ?data-set=${setting.isSet}>${setting.isSet ? words.isSet : words.notSet}</span>`;
  }

  private shown({ name, value }: Setting) {
    const words = settingsWords[this.language];
    if (value === "" || value === null) return html`<span class="hint">${words.empty}</span>`;
    if (value === "true" || value === "false") return html`<span class="sign">${value === "true" ? words.on : words.off}</span> <code class="faint">${value}</code>`;
    const size = name.endsWith("_BYTES") && Number.isFinite(Number(value)) ? html` <span class="hint">${formatBytes(Number(value), this.locale)}</span>` : nothing;
    return html`<span class="written">${value.split(",").map((part, place) => html`${place > 0 ? html`,<wbr />` : nothing}<code>${part}</code>`)}${size}</span>`;
  }

  /** What it may be, and its default where it has another value. */
  private bounds(setting: Setting): string {
    const words = settingsWords[this.language];
    const number = (value: number): string => formatNumber(value, this.locale);
    const { minimum, maximum, choices } = setting;
    const told = [
      setting.source !== "default" && setting.default !== null && setting.default !== setting.value ? words.defaultIs(setting.default || words.empty) : "",
      choices.length > 0 ? words.oneOf(choices.join(this.language === "zh" ? "、" : ", ")) : "",
      minimum !== null && maximum !== null ? words.between(number(minimum), number(maximum)) : minimum !== null ? words.atLeast(number(minimum)) : "",
    ];
    return told.filter((part) => part !== "").join(" · ");
  }

  private help(setting: Setting): string {
    return (this.language === "zh" && settingHelp[setting.name]) || setting.help;
  }

  private onFind(event: Event): void {
    this.go((event.target as HTMLInputElement).value, this.given);
  }

  private onGiven(event: Event): void {
    this.go(this.wanted, (event.target as HTMLInputElement).checked);
  }

  /** Into the address, without a step back for each letter. */
  private go(wanted: string, given: boolean): void {
    const query = new URLSearchParams({ ...(wanted ? { q: wanted } : {}), ...(given ? { given: "yes" } : {}) });
    this.context.router.navigate(`/settings/${this.section}`, query, true);
  }
}

function styles() {
  return css`
    form {
      margin-bottom: var(--space-3);
    }

    .only {
      display: flex;
      align-items: center;
      gap: var(--space-2);
      min-height: 2.75rem;
      font-size: var(--text-s);
    }

    .only input {
      width: 1.125rem;
      height: 1.125rem;
      margin: 0;
    }

    .count {
      margin-bottom: var(--space-3);
    }

    li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) minmax(0, 22rem);
      gap: var(--space-2) var(--space-6);
      padding: var(--space-4) var(--space-5);
    }

    li + li {
      border-top: 1px solid var(--line);
    }

    .name {
      font-weight: 600;
    }

    .hint {
      max-width: 44rem;
    }

    code {
      font: inherit;
      font-family: var(--mono);
      font-size: var(--text-s);
      overflow-wrap: anywhere;
    }

    .value {
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      align-content: start;
      justify-content: space-between;
      gap: var(--space-2) var(--space-4);
    }

    .written {
      flex: 1 1 10rem;
      min-width: 0;
    }

    .sign {
      font-weight: 600;
      font-size: var(--text-s);
    }

    .from {
      margin-inline-start: auto;
    }

    .change {
      margin-top: var(--space-4);
    }

    .empty {
      display: grid;
      justify-items: start;
      gap: var(--space-3);
    }

    @media (max-width: 46rem) {
      li {
        grid-template-columns: minmax(0, 1fr);
        padding: var(--space-4);
      }
    }
  `;
}
