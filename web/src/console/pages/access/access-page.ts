import { html } from "lit";
import { customElement } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { accessWords } from "../../../i18n/access";
import { PageElement } from "../../parts/page-part";
import { formatRoute } from "../../router";
import "./key-form";
import "./key-list";
import "./key-view";
import "./providers-view";

/**
 * Who may call, and who answers.
 *
 * `/keys?state=all` · `/keys/new?kind=` · `/keys/ID` · `/keys/ID/edit` · `/providers`
 */
@customElement("trivet-access")
export class AccessPage extends PageElement {
  override render() {
    const { context, route } = this;
    const [, part = "", id = "", what = ""] = route.path.split("/");
    if (part === "keys" && id === "new") {
      const { query } = route;
      return html`<trivet-key-form .context=${context} .keyId=${null} .kind=${query.get("kind") ?? ""} .provider=${query.get("provider") ?? ""}></trivet-key-form>`;
    }
    if (part === "keys" && what === "edit") return html`<trivet-key-form .context=${context} .keyId=${id}></trivet-key-form>`;
    if (part === "keys" && id) return html`<trivet-key .context=${context} .keyId=${id}></trivet-key>`;
    return html`${this.head(part === "providers" ? "providers" : "keys")}
    ${part === "providers"
      ? html`<trivet-providers .context=${context}></trivet-providers>`
      : html`<trivet-keys .context=${context} .all=${route.query.get("state") === "all"}></trivet-keys>`}`;
  }

  private head(part: "keys" | "providers") {
    const words = accessWords[this.language];
    return html`<div class="title">
        <div>
          <h1>${words.title}</h1>
          <p class="faint">${words.lead}</p>
        </div>
        ${part === "keys" ? html`<a class="button primary" href=${formatRoute("/access/keys/new")}>${icons.plus()} ${words.newKey}</a>` : ""}
      </div>
      <nav class="tabs" aria-label=${words.sections}>
        ${(["keys", "providers"] as const).map(
          (name) => html`<a href=${formatRoute(`/access/${name}`)} aria-current=${name === part ? "page" : "false"}>${words[name]}</a>`,
        )}
      </nav>`;
  }
}
