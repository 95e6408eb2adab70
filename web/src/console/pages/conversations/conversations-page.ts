import { LitElement, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { cache } from "lit/directives/cache.js";
import { controls } from "../../../design/controls";
import { Follow } from "../../../preferences/follow";
import { pageStyles } from "../../page-styles";
import { partStyles } from "../../parts/part-styles";
import type { ConsoleContext, ConsolePageElement } from "../../registry";
import type { Route } from "../../router";
import "./conversation";
import "./conversation-list";

/** What was asked and answered: `/?text=&from=&to=&assistant=&ending=&visitor=`, and `/ID`. */
@customElement("trivet-conversations")
export class ConversationsPage extends LitElement implements ConsolePageElement {
  @property({ attribute: false }) context!: ConsoleContext;
  @property({ attribute: false }) route!: Route;
  private listed = new URLSearchParams();

  static override styles = [controls, pageStyles, partStyles];

  constructor() {
    super();
    new Follow(this, () => this.context.preferences);
  }

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
