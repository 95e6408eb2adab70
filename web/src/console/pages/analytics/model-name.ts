import type { analyticsWords } from "../../../i18n/analytics";
import type { ModelFigures } from "../../parts/report";

/** `provider/model`, or words for all models of a provider. */
export function modelName({ provider, model }: Pick<ModelFigures, "provider" | "model">, words: (typeof analyticsWords)["en"]): string {
  if (!model) return words.allOf(provider || "–");
  return provider ? `${provider}/${model}` : model;
}
