import { css, html, type CSSResultGroup, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { icons } from "../../../design/icons";
import { studioWords } from "../../../i18n/studio";
import { Further } from "../../parts/further";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { formatRoute } from "../../router";
import { PAGE_SIZE, readPoems, type Poem } from "./poems";

/** The library: poems, newest first, or those that a search finds. */
@customElement("trivet-poems")
export class PoemList extends PagePart {
  @property() search = "";
  @property() tag = "";
  @state() private complete = false;
  private readonly poems = new Reading(this, (signal) => this.read(0, signal));
  private readonly further = new Further(this, this.poems, (before, signal) =>
    this.read(before.length, signal).then((next) => [...before, ...next]),
  );

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("search") && !changed.has("tag")) return;
    this.poems.value = null;
    this.further.forget();
    void this.poems.now();
  }

  override render() {
    const words = studioWords[this.language];
    return html`
      <div class="title">
        <div>
          <h1>${words.title}</h1>
          <p class="faint">${words.lead}</p>
        </div>
        <a class="button primary" href=${formatRoute("/studio/new")}>${icons.plus()} ${words.newPoem}</a>
      </div>
      <form class="row" role="search" @submit=${this.onSearch}>
        <div class="field grow">
          <label for="search">${words.search}</label>
          <input id="search" name="search" type="search" .value=${this.search} placeholder=${words.searchExample} maxlength="500" autocomplete="off" />
        </div>
        <div class="field tag">
          <label for="tag">${words.language}</label>
          <input id="tag" name="tag" .value=${this.tag} placeholder=${words.anyLanguage} maxlength="5" pattern="[a-z]{2}(-[A-Z]{2})?" title=${words.badTag} autocomplete="off" autocapitalize="none" spellcheck="false" />
        </div>
        <button class="button" type="submit">${words.find}</button>
      </form>
      ${looks(this.poems, this.language, ghostLines(6, "5.5rem"), (poems) => this.list(poems))}
    `;
  }

  private list(poems: Poem[]) {
    const words = studioWords[this.language];
    if (poems.length === 0) return this.empty();
    return html`
      <ul class="poems">
        ${poems.map((poem) => this.one(poem))}
      </ul>
      ${this.further.look(!this.complete, words.more, this.language)}
    `;
  }

  private one(poem: Poem) {
    const words = studioWords[this.language];
    const lines = poem.text.split("\n").filter((line) => line.trim() !== "");
    return html`<li>
      <a class="panel" href=${formatRoute(`/studio/poems/${poem.id}`)}>
        <span class="name" lang=${poem.lang}>${poem.title}</span>
        <span class="by" lang=${poem.lang}>${poem.author}</span>
        <span class="lines" lang=${poem.lang}>${lines.slice(0, 2).join(" / ")}</span>
        <span class="facts"><code>${poem.lang}</code> ${poem.translations > 0 ? words.translationCount(poem.translations) : words.noTranslation}</span>
      </a>
    </li>`;
  }

  private empty() {
    const words = studioWords[this.language];
    if (this.search !== "" || this.tag !== "") {
      return html`<div class="panel empty"><p>${words.noMatch}</p><p><a class="button" href=${formatRoute("/studio")}>${words.allPoems}</a></p></div>`;
    }
    return html`<div class="panel empty">
      <p><strong>${words.noPoems}</strong></p>
      <p>${words.noPoemsHelp}</p>
      <p><a class="button primary" href=${formatRoute("/studio/new")}>${icons.plus()} ${words.newPoem}</a></p>
    </div>`;
  }

  private onSearch(event: Event): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const search = String(form.get("search") ?? "").trim();
    const tag = String(form.get("tag") ?? "").trim();
    this.context.router.navigate("/studio", new URLSearchParams({ ...(search ? { search } : {}), ...(tag ? { lang: tag } : {}) }));
  }

  private async read(skip: number, signal: AbortSignal): Promise<Poem[]> {
    const found = await readPoems(this.client, { search: this.search, lang: this.tag, skip }, signal);
    this.complete = found.length < PAGE_SIZE;
    return found;
  }
}

function styles() {
  return css`
    form {
      margin-bottom: var(--space-5);
    }

    .field.tag {
      flex: 0 0 7rem;
    }

    .poems {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
      gap: var(--space-4);
    }

    .poems a {
      display: grid;
      grid-template-rows: auto auto 1fr auto;
      height: 100%;
      padding: var(--space-4) var(--space-5);
      color: inherit;
      text-decoration: none;
      transition: border-color var(--quick);
    }

    .poems a:hover {
      border-color: var(--line-strong);
    }

    .name {
      font: 400 var(--text-l) / 1.4 var(--serif);
      overflow-wrap: anywhere;
    }

    .by {
      color: var(--ink-soft);
      font-size: var(--text-s);
    }

    .lines {
      display: -webkit-box;
      overflow: hidden;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 2;
      align-self: start;
      margin: var(--space-3) 0;
      color: var(--ink-soft);
      font: 400 var(--text-s) / 1.6 var(--serif);
    }

    .facts {
      align-self: end;
      color: var(--ink-faint);
      font-size: var(--text-xs);
    }

    code {
      margin-inline-end: var(--space-2);
      font-family: var(--mono);
    }

    .empty {
      display: grid;
      justify-items: start;
      gap: var(--space-3);
    }
  `;
}
