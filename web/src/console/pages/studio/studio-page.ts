import { html } from "lit";
import { customElement } from "lit/decorators.js";
import { PageElement } from "../../parts/page-part";
import "./by-hand";
import "./poem";
import "./poem-form";
import "./poem-list";
import "./run";

/**
 * Poems and their translations.
 *
 * `/`: the library · `/new` · `/poems/ID` · `/poems/ID/edit` · `/runs/ID`: a run as it happens · `/by-hand/ID`
 */
@customElement("trivet-studio")
export class StudioPage extends PageElement {
  override render() {
    const { context, route } = this;
    const [, kind = "", id = "", what = ""] = route.path.split("/");
    if (kind === "new") return html`<trivet-poem-form .context=${context} .poemId=${null}></trivet-poem-form>`;
    if (kind === "poems" && what === "edit") return html`<trivet-poem-form .context=${context} .poemId=${id}></trivet-poem-form>`;
    if (kind === "poems" && id) {
      const { query } = route;
      return html`<trivet-poem .context=${context} .poemId=${id} .first=${query.get("t") ?? ""} .second=${query.get("with") ?? ""}></trivet-poem>`;
    }
    if (kind === "runs" && id) return html`<trivet-run .context=${context} .taskId=${id}></trivet-run>`;
    if (kind === "by-hand" && id) return html`<trivet-by-hand .context=${context} .sessionId=${id}></trivet-by-hand>`;
    return html`<trivet-poems .context=${context} .search=${route.query.get("search") ?? ""} .tag=${route.query.get("lang") ?? ""}></trivet-poems>`;
  }
}
