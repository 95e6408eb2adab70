import { html } from "lit";
import { customElement } from "lit/decorators.js";
import { settingsWords } from "../../../i18n/settings";
import { PageElement } from "../../parts/page-part";
import { formatRoute } from "../../router";
import "./loaded-assistants";
import "./loaded-models";
import "./setting-list";

const PARTS = ["common", "llm_proxy", "kb", "analytics", "models", "assistants"] as const;
type Part = (typeof PARTS)[number];

/** What the services run with, to be read: `/common`, one address for each service, `/models`, `/assistants`. */
@customElement("trivet-settings")
export class SettingsPage extends PageElement {
  override render() {
    const words = settingsWords[this.language];
    const part = this.section;
    return html`
      <div class="title">
        <div>
          <h1>${words.title}</h1>
          <p class="faint">${words.lead}</p>
        </div>
      </div>
      <nav class="tabs" aria-label=${words.parts}>
        ${PARTS.map((name) => html`<a href=${formatRoute(`/settings/${name}`)} aria-current=${name === part ? "page" : "false"}>${words[name]}</a>`)}
      </nav>
      ${this.shown(part)}
    `;
  }

  /** On a narrow screen the tabs scroll: the one that is open is in sight. */
  protected override updated(): void {
    this.renderRoot.querySelector('.tabs [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private get section(): Part {
    const name = this.route.path.split("/")[1] ?? "";
    return PARTS.find((part) => part === name) ?? "common";
  }

  private shown(part: Part) {
    const { context, route } = this;
    if (part === "models") return html`<trivet-loaded-models .context=${context}></trivet-loaded-models>`;
    if (part === "assistants") return html`<trivet-loaded-assistants .context=${context}></trivet-loaded-assistants>`;
    const { query } = route;
    return html`<trivet-setting-list .context=${context} .section=${part} .wanted=${query.get("q") ?? ""} .given=${query.get("given") === "yes"}></trivet-setting-list>`;
  }
}
