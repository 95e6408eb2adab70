import { html } from "lit";
import { customElement } from "lit/decorators.js";
import { cache } from "lit/directives/cache.js";
import { PageElement } from "../../parts/page-part";
import "./conversation";
import "./conversation-list";

/** What was asked and answered: `/?text=&from=&to=&assistant=&ending=&visitor=`, and `/ID`. */
@customElement("trivet-conversations")
export class ConversationsPage extends PageElement {
  private listed = new URLSearchParams();

  override render() {
    const { context, route } = this;
    // A conversation's id may hold a slash: all that follows is the id.
    const id = route.path.slice(1);
    if (id === "") this.listed = route.query; // the way back leads to where one came from
    return html`${cache(
      id
        ? html`<trivet-conversation .context=${context} .conversation=${id} .listed=${this.listed}></trivet-conversation>`
        : html`<trivet-conversation-list .context=${context} .query=${route.query}></trivet-conversation-list>`,
    )}`;
  }
}
