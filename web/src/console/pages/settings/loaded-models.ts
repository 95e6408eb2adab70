import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement } from "lit/decorators.js";
import { settingsWords } from "../../../i18n/settings";
import { formatNumber } from "../../parts/format";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { Reading } from "../../parts/reading";
import { readLoaded, type Loaded, type LoadedModel, type LoadedProvider } from "./loaded";
import { loadedProblem } from "./loaded-problem";

/** Providers and models as models.yaml was loaded. */
@customElement("trivet-loaded-models")
export class LoadedModels extends PagePart {
  private readonly loaded = new Reading(this, (signal) => readLoaded(this.client, signal));

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.loaded.now();
  }

  override render() {
    return looks(this.loaded, this.language, ghostLines(4, "8rem"), (loaded) => this.all(loaded));
  }

  private all(loaded: Loaded) {
    const words = settingsWords[this.language];
    return html`
      ${loadedProblem(words.problemModels, loaded.modelsProblem)}
      <dl class="panel card names">
        ${this.named(words.defaultModel, loaded.default ? html`<code>${loaded.default}</code>` : html`${words.noDefault}`)}
        ${loaded.order.length > 0 ? this.named(words.order, this.codes(loaded.order, " → ")) : nothing}
        ${loaded.aliases.length > 0 ? this.named(words.aliases, this.pairs(loaded.aliases.map(([name, model]) => [name, html`<code>${model}</code>`]))) : nothing}
        ${loaded.deployments.length > 0 ? this.named(words.sharedNames, this.pairs(loaded.deployments.map(([name, every]) => [name, this.deployed(every)]))) : nothing}
        ${loaded.fallbacks.length > 0 ? this.named(words.fallbacks, this.pairs(loaded.fallbacks.map(([name, chain]) => [name, this.codes(chain, " → ")]))) : nothing}
        ${loaded.embedding ? this.named(words.embeddings, html`<code>${loaded.embedding}</code>`) : nothing}
      </dl>
      <ul class="providers">
        ${loaded.providers.map((provider) => this.provider(provider))}
      </ul>
    `;
  }

  private named(title: string, value: unknown) {
    return html`<div><dt>${title}</dt><dd>${value}</dd></div>`;
  }

  private codes(names: readonly string[], between: string) {
    return names.map((name, place) => html`${place > 0 ? html`<span class="faint">${between}</span>` : nothing}<code>${name}</code>`);
  }

  private pairs(pairs: readonly (readonly [string, unknown])[]) {
    return html`<ul>
      ${pairs.map(([name, value]) => html`<li><code><strong>${name}</strong></code> <span class="faint">→</span> ${value}</li>`)}
    </ul>`;
  }

  private deployed(every: Loaded["deployments"][number][1]) {
    const words = settingsWords[this.language];
    return every.map(({ model, weight, ownKey }) => html`<code>${model}</code> <span class="hint">${[words.weight(weight), ownKey ? words.ownKey : ""].filter((part) => part !== "").join(", ")}</span> `);
  }

  private provider(provider: LoadedProvider) {
    const words = settingsWords[this.language];
    return html`<li class="panel">
      <div class="head">
        <h3>${provider.name}</h3>
        ${provider.configured
          ? html`<span class="state" data-tone="good">${words.ready}</span>`
          : html`<span class="state" data-tone="idle">${words.keyMissing(provider.variable ?? "")}</span>`}
        <span class="hint">${provider.adapter}</span>
        <code class="address">${provider.baseUrl}</code>
      </div>
      ${provider.models.length > 0 ? this.models(provider) : nothing} ${this.notes(provider)}
    </li>`;
  }

  private notes({ models, anyModel, headerNames }: LoadedProvider) {
    const words = settingsWords[this.language];
    const notes = [
      anyModel ? words.anyModel : models.length === 0 ? words.noModels : "",
      headerNames.length > 0 ? words.headers(headerNames.join(", ")) : "",
    ].filter((note) => note !== "");
    return notes.length > 0 ? html`<div class="notes">${notes.map((note) => html`<p class="hint">${note}</p>`)}</div>` : nothing;
  }

  private models({ models, name }: LoadedProvider) {
    const words = settingsWords[this.language];
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${name}>
      <table>
        <thead>
          <tr>
            <th scope="col">${words.model}</th>
            <th scope="col">${words.kind}</th>
            <th scope="col" class="number">${words.context}</th>
            <th scope="col" class="number">${words.longest}</th>
            <th scope="col">${words.languages}</th>
            <th scope="col">${words.price}</th>
          </tr>
        </thead>
        <tbody>
          ${models.map((model) => this.model(model))}
        </tbody>
      </table>
    </div>`;
  }

  private model(model: LoadedModel) {
    const words = settingsWords[this.language];
    const figure = (value: number | null) => (value === null ? html`<span class="faint">–</span>` : formatNumber(value, this.locale));
    const price = model.price && words.inOut(formatNumber(model.price.input, this.locale), formatNumber(model.price.output, this.locale), model.price.currency);
    const spoken = model.languages.map((language) => (language === "zh" ? words.language_zh : language === "en" ? words.language_en : language));
    return html`<tr>
      <th scope="row"><code>${model.name}</code></th>
      <td>${model.kind === "chat" ? words.kind_chat : words.kind_embedding}</td>
      <td class="number">${figure(model.contextTokens)}</td>
      <td class="number">${figure(model.maxTokens)}</td>
      <td>${spoken.length > 0 ? spoken.join(this.language === "zh" ? "、" : ", ") : words.allLanguages}</td>
      <td>${price ?? html`<span class="hint">${words.noPrice}</span>`}</td>
    </tr>`;
  }
}

function styles() {
  return css`
    .problem {
      margin-bottom: var(--space-4);
    }

    .names {
      display: grid;
      gap: var(--space-3);
      margin-bottom: var(--space-4);
      font-size: var(--text-s);
    }

    .names > div {
      display: grid;
      grid-template-columns: minmax(0, 15rem) minmax(0, 1fr);
      gap: var(--space-1) var(--space-4);
    }

    dt {
      color: var(--ink-soft);
    }

    code {
      font: inherit;
      font-family: var(--mono);
      font-size: var(--text-s);
      overflow-wrap: anywhere;
    }

    .providers {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-4);
    }

    .head {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-1) var(--space-3);
      padding: var(--space-4) var(--space-4) 0;
    }

    h3 {
      font: 600 var(--text-l) / 1.3 var(--serif);
    }

    .address {
      margin-inline-start: auto;
      color: var(--ink-faint);
      font-size: var(--text-xs);
    }

    .notes {
      display: grid;
      gap: var(--space-1);
      padding: var(--space-3) var(--space-4) var(--space-4);
    }

    tbody th {
      min-width: 11rem;
      font-weight: 400;
      white-space: normal;
    }

    @media (max-width: 46rem) {
      .names > div {
        grid-template-columns: minmax(0, 1fr);
      }

      .address {
        flex: 1 1 100%;
        margin: 0;
      }
    }
  `;
}
