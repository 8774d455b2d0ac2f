import type { Model } from "../gen/dragoman/v1/model_pb.js";

/** Providers whose API has another's name: the same limits and defaults hold for its models. */
const families: ReadonlyMap<string, string> = new Map([
  ["openai", "openai-chat"],
  ["azure-openai", "openai-chat"],
  ["gemini", "google"],
  ["vertex", "google"],
]);

/**
 * The API that a provider's models are spoken to with: the `family` of Model. Every provider has exactly one; where the
 * table names none it is the provider's own. The headings are those of the output-limit table of seeds 001 and 003.
 */
export function familyOf(provider: string): string {
  return families.get(provider) ?? provider;
}

/** A model with its family. One that states its own, such as a deployment that only completes text, keeps it. */
export function withFamily(model: Model): Model {
  return model.family === "" ? { ...model, family: familyOf(model.provider) } : model;
}
