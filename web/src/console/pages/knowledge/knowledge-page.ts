import { html } from "lit";
import { customElement } from "lit/decorators.js";
import { cache } from "lit/directives/cache.js";
import { knowledgeWords } from "../../../i18n/knowledge";
import { PageElement } from "../../parts/page-part";
import { formatRoute } from "../../router";
import "./adding";
import "./collections";
import "./document";
import "./documents";
import "./evaluation-history";
import "./search-test";

const PARTS = ["documents", "add", "tester", "evaluations", "collections"] as const;
type Part = (typeof PARTS)[number];

/** What there is to answer from: documents and their passages, how they are found, and how well. */
@customElement("trivet-knowledge")
export class KnowledgePage extends PageElement {
  override render() {
    const words = knowledgeWords[this.language];
    const part = this.section;
    return html`
      <div class="title">
        <div>
          <h1>${words.title}</h1>
          <p class="faint">${words.lead}</p>
        </div>
      </div>
      <nav class="tabs" aria-label=${words.sections}>
        ${PARTS.map(
          (name) => html`<a href=${this.address(name)} aria-current=${name === part ? "page" : "false"}>${words[name]}</a>`,
        )}
      </nav>
      ${cache(this.shown(part))}
    `;
  }

  private get section(): Part {
    const name = this.route.path.split("/")[1] ?? "";
    return PARTS.find((part) => part === name) ?? "documents";
  }

  private get collection(): string {
    return this.route.query.get("collection") || "site";
  }

  private address(part: Part): string {
    return formatRoute(`/knowledge/${part}`, new URLSearchParams({ collection: this.collection }));
  }

  private shown(part: Part) {
    const { context, collection, route } = this;
    switch (part) {
      case "add":
        return html`<trivet-adding .context=${context} .collection=${collection}></trivet-adding>`;
      case "tester":
        return html`<trivet-search-test .context=${context} .collection=${collection} .question=${route.query.get("q") ?? ""}></trivet-search-test>`;
      case "evaluations":
        return html`<trivet-evaluations .context=${context} .collection=${collection}></trivet-evaluations>`;
      case "collections":
        return html`<trivet-collections .context=${context}></trivet-collections>`;
      default:
        return this.documents();
    }
  }

  private documents() {
    const { context, collection, route } = this;
    const id = route.path.split("/")[2];
    if (id) {
      const at = Number(route.query.get("passage") ?? "-1");
      return html`<trivet-document .context=${context} .document=${id} .passage=${at}></trivet-document>`;
    }
    const prefix = route.query.get("source") ?? "";
    return html`<trivet-documents .context=${context} .collection=${collection} .sourcePrefix=${prefix}></trivet-documents>`;
  }
}
