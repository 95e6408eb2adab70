import { css, html, nothing, type CSSResultGroup } from "lit";
import { customElement } from "lit/decorators.js";
import { accessWords } from "../../../i18n/access";
import { Poll } from "../../poll";
import { ghostLines, looks } from "../../parts/looks";
import { PagePart } from "../../parts/page-part";
import { formatRoute } from "../../router";
import { noted, readProvidersSeen, standingOf, together, type Deployment, type ProviderView, type ProvidersSeen } from "./providers";

const EVERY_SECONDS = 4;
const TONES = { ready: "good", cooling: "warn", failing: "bad", untried: "idle" } as const;

/** Providers and their deployments, as the latest calls left them; looked at again by itself. */
@customElement("trivet-providers")
export class ProvidersPart extends PagePart {
  private seen: readonly ProvidersSeen[] = [];
  private readonly poll = new Poll(this, (signal) => this.read(signal), EVERY_SECONDS);

  static override styles: CSSResultGroup = [PagePart.styles, styles()];

  override render() {
    return looks(this.poll, this.language, ghostLines(3, "9rem"), (seen) => this.list(seen));
  }

  private async read(signal: AbortSignal): Promise<readonly ProvidersSeen[]> {
    this.seen = noted(this.seen, await readProvidersSeen(this.client, signal));
    return this.seen;
  }

  private list(seen: readonly ProvidersSeen[]) {
    const words = accessWords[this.language];
    const providers = together(seen);
    if (providers.length === 0) return html`<div class="panel empty"><p><strong>${words.noProviders}</strong></p><p>${words.noProvidersHelp}</p></div>`;
    const set = providers.filter(({ configured }) => configured);
    const unset = providers.filter(({ configured }) => !configured);
    return html`<p class="faint lead">${words.providersLead} ${words.seenBy(seen.length)}</p>
      <ul class="providers">
        ${set.map((provider) => this.provider(provider))}
      </ul>
      ${unset.length > 0
        ? html`<h2>${words.notSet}</h2>
            <ul class="panel unset">
              ${unset.map((provider) => this.unset(provider))}
            </ul>`
        : nothing}`;
  }

  private provider(provider: ProviderView) {
    const words = accessWords[this.language];
    return html`<li class="panel">
      <div class="head">
        <h3>${provider.name}</h3>
        <span class="hint">${provider.adapter}${provider.keys > 0 ? html` · ${words.keysOf(provider.keys)}` : nothing}</span>
        ${provider.keys > 0 ? this.store(provider) : nothing}
      </div>
      ${provider.deployments.length === 0 ? html`<p class="hint none">${words.noDeployments}</p>` : this.deployments(provider)}
    </li>`;
  }

  private deployments({ deployments, keys, name }: ProviderView) {
    const words = accessWords[this.language];
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${name}>
      <table>
        <thead>
          <tr>
            <th scope="col">${words.deployment}</th>
            ${keys > 1 ? html`<th scope="col" class="number">${words.keyNumber}</th>` : nothing}
            <th scope="col">${words.state}</th>
            <th scope="col" class="number">${words.inFlight}</th>
            <th scope="col" class="number">${words.failuresInRow}</th>
            <th scope="col">${words.lastError}</th>
          </tr>
        </thead>
        <tbody>
          ${deployments.map((deployment) => this.deployment(deployment, keys > 1))}
        </tbody>
      </table>
    </div>`;
  }

  private deployment(deployment: Deployment, numbered: boolean) {
    const words = accessWords[this.language];
    const standing = standingOf(deployment);
    return html`<tr>
      <th scope="row"><code>${deployment.model}</code></th>
      ${numbered ? html`<td class="number" data-label=${words.keyNumber}>${deployment.key}</td>` : nothing}
      <td data-name="state">
        <span class="state" data-tone=${TONES[standing]}>${words[standing]}</span>
        ${deployment.coolingUntil ? html`<span class="hint until" title=${words.untilHelp}>${words.until(this.clock(deployment.coolingUntil))}</span>` : nothing}
      </td>
      <td class="number" data-label=${words.inFlight} ?data-busy=${deployment.running > 0}>${deployment.running}</td>
      <td class="number" data-label=${words.failuresInRow}>${deployment.failures}</td>
      <td data-name="error" data-label=${words.lastError}>${deployment.lastError ? this.error(deployment.lastError) : html`<span class="hint">${words.noError}</span>`}</td>
    </tr>`;
  }

  /** An error's class in words, its own name beside it. */
  private error(type: string) {
    const words: Record<string, unknown> = accessWords[this.language];
    const said = words[`errors_${type}`];
    return html`${typeof said === "string" ? html`${said} ` : nothing}<code class="type">${type}</code>`;
  }

  private unset(provider: ProviderView) {
    const words = accessWords[this.language];
    return html`<li>
      <strong>${provider.name}</strong>
      <span class="hint">${provider.variable ? words.setVariable(provider.variable) : provider.adapter}</span>
      ${this.store(provider)}
    </li>`;
  }

  private store({ name }: ProviderView) {
    const address = formatRoute("/access/keys/new", new URLSearchParams({ kind: "provider", provider: name }));
    return html`<a class="button quiet" href=${address}>${accessWords[this.language].storeKey}<span class="unseen"> ${name}</span></a>`;
  }

  private clock(time: string): string {
    return new Date(time).toLocaleTimeString(this.locale, { timeStyle: "medium" });
  }
}

function styles() {
  return css`
    .lead {
      max-width: 46rem;
      margin-bottom: var(--space-4);
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
      gap: 0 var(--space-3);
      padding: var(--space-3) var(--space-3) 0 var(--space-4);
    }

    .head .button {
      margin-inline-start: auto;
    }

    h3 {
      font: 600 var(--text-l) / 1.3 var(--serif);
    }

    code {
      font: 400 var(--text-s) / 1.5 var(--mono);
      overflow-wrap: anywhere;
    }

    tbody th {
      white-space: normal;
      min-width: 10rem;
    }

    .until {
      display: block;
      margin-top: var(--space-1);
      white-space: nowrap;
    }

    .type {
      color: var(--ink-faint);
      font-size: var(--text-xs);
    }

    [data-busy] {
      color: var(--ember);
      font-weight: 600;
    }

    .none {
      padding: var(--space-3) var(--space-4) var(--space-4);
    }

    .unset li {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 0 var(--space-3);
      padding: var(--space-2) var(--space-3) var(--space-2) var(--space-4);
    }

    .unset li + li {
      border-top: 1px solid var(--line);
    }

    .unset .hint {
      flex: 1 1 14rem;
    }

    /* A row becomes a card: its state must not lie beyond the edge of a phone. */
    @media (max-width: 46rem) {
      thead {
        display: none;
      }

      tbody tr {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: var(--space-2) var(--space-4);
        padding: var(--space-3) var(--space-4);
      }

      tbody :is(th, td, td.number) {
        padding: 0;
        text-align: start;
      }

      tbody :is(th, [data-name="state"], [data-name="error"]) {
        grid-column: 1 / -1;
      }

      td[data-label]::before {
        content: attr(data-label);
        display: block;
        color: var(--ink-soft);
        font-weight: 400;
        font-size: var(--text-xs);
      }
    }
  `;
}
