import { LitElement, css, type CSSResultGroup } from "lit";
import { property } from "lit/decorators.js";
import { controls } from "../../design/controls";
import { Follow } from "../../preferences/follow";
import type { Language } from "../../preferences/preferences";
import type { ApiClient } from "../client";
import { pageStyles } from "../page-styles";
import type { ConsoleContext } from "../registry";
import { partStyles } from "./part-styles";

const inner = css`
  :host {
    max-width: none;
    padding: 0;
  }
`;

/** A part of a page as an element of its own: it has the page's context and styles, and follows the preferences. */
export abstract class PagePart extends LitElement {
  @property({ attribute: false }) context!: ConsoleContext;

  static override styles: CSSResultGroup = [controls, pageStyles, partStyles, inner];

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
