import { html, nothing, type TemplateResult } from "lit";
import { icons } from "../../../design/icons";
import { gapsWords } from "../../../i18n/gaps";
import type { Language } from "../../../preferences/preferences";
import { formatScore, formatTime } from "../../parts/format";
import { formatRoute } from "../../router";
import type { Gap, Side } from "./gaps";

/** What an answer changed: each question as it was found before and after. */
export function replayTable(gap: Gap, language: Language): TemplateResult {
  const words = gapsWords[language];
  const locale = language === "zh" ? "zh-CN" : "en";
  const found = gap.replay.filter(({ after }) => after.rank !== null).length;
  const query = new URLSearchParams({ collection: gap.collection, source: gap.source ?? "" });
  return html`<section class="replay" aria-label=${words.result}>
    <p class="sum" role="status">
      <strong>${words.found(found, gap.replay.length)}</strong>
      ${found < gap.replay.length ? html`<span class="hint">${words.improve}</span>` : nothing}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label=${words.result}>
      <table>
        <thead>
          <tr>
            <th scope="col">${words.question}</th>
            <th scope="col">${words.before}</th>
            <th scope="col">${words.after}</th>
          </tr>
        </thead>
        <tbody>
          ${gap.replay.map(
            ({ question, before, after }) => html`<tr>
              <th scope="row">${question}</th>
              <td data-label=${words.before}>${side(before, false, language, locale)}</td>
              <td data-label=${words.after}>${side(after, true, language, locale)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="faint">
      ${gap.answeredAt ? words.answeredAt(formatTime(gap.answeredAt, locale)) : nothing}
      ${gap.source ? html`· <a href=${formatRoute("/knowledge/documents", query)}>${words.toDocument}</a>` : nothing}
    </p>
  </section>`;
}

function side({ found, topScore, rank }: Side, answered: boolean, language: Language, locale: string): TemplateResult {
  const words = gapsWords[language];
  const score = found === 0 || topScore === null ? words.notFound : words.score(formatScore(topScore, locale));
  if (!answered) return html`<span class="hint">${score}</span>`;
  const good = rank !== null;
  return html`<span class="sign" data-good=${good}>${good ? icons.check() : icons.alert()}</span>
    <span><strong>${good ? words.place(rank) : words.notAmong}</strong> <span class="hint">${score}</span></span>`;
}
