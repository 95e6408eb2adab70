import { LitElement, css, type CSSResultGroup } from "lit";
import { property } from "lit/decorators.js";
import { controls } from "../../design/controls";
import { Follow } from "../../preferences/follow";
import type { Language } from "../../preferences/preferences";
import type { ApiClient } from "../client";
import { pageStyles } from "../page-styles";
import type { ConsoleContext, ConsolePageElement } from "../registry";
import type { Route } from "../router";
import { partStyles } from "./part-styles";

const inner = css`
  :host {
    max-width: none;
    padding: 0;
  }
`;

/** What pages and their parts have in common: the console's context and styles, and they follow the preferences. */
abstract class ConsoleElement extends LitElement {
  @property({ attribute: false }) context!: ConsoleContext;

  static override styles: CSSResultGroup = [controls, pageStyles, partStyles];

  constructor() {
    super();
    new Follow(this, () => this.context.preferences);
  }

  protected get language(): Language {
    return this.context.preferences.language;
  }

  protected get locale(): string {
    return this.language === "zh" ? "zh-CN" : "en";
  }

  protected get client(): ApiClient {
    return this.context.client;
  }
}

/** A page: it knows its address, too. */
export abstract class PageElement extends ConsoleElement implements ConsolePageElement {
  @property({ attribute: false }) route!: Route;
}

/** A part of a page as an element of its own. */
export abstract class PagePart extends ConsoleElement {
  static override styles: CSSResultGroup = [ConsoleElement.styles, inner];
}
