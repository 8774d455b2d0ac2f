import type { SchemaRules, SchemaTarget } from "../../chat/planning/schema/schema-rules.ts";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";

const described = ["title", "description"];
const structure = ["type", "enum", "properties", "required", "additionalProperties", "items", "anyOf", "$ref"];

/** Formats of strings that Anthropic and OpenAI document. */
const commonFormats = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/**
 * Anthropic's structured outputs, also on Amazon Bedrock, which validates the schema first. Sources: the transformation
 * in @anthropic-ai/sdk 1.11.0, and the JSON Schema limitations on platform.claude.com (structured outputs) and in the
 * Bedrock user guide (structured output). All state the same set.
 */
export const claudeRules: SchemaRules = {
  keywords: new Set([...structure, ...described, "const", "format", "minItems"]),
  formats: new Set([...commonFormats, "uri"]),
  mostMinItems: 1,
  closed: true,
  typed: true,
  finite: true,
  root: "plain",
  // Anthropic's page on structured outputs, "schema complexity limits". Not read again since these rules were written.
  limits: { optional: 24, unions: 16 },
};

/** Tools: the Messages API rejects `input_schema` without the type object, or with alternatives at its root. */
export const claudeSchemas: SchemaTarget = {
  output: { constrained: claudeRules, when: "always" },
  tools: { strict: { ...claudeRules, root: "object" }, other: { root: "object" } },
};

/**
 * OpenAI's strict mode. The keywords are those that every model accepts: fine-tuned and older models, and all models on
 * Azure, reject bounds, `pattern` and `format`. Sources: "Supported schemas" and "Unsupported features" of the pages
 * about structured outputs at OpenAI and at Azure.
 */
const openAiStrictRules: SchemaRules = {
  keywords: new Set([...structure, ...described, "const"]),
  closed: true,
  allRequired: true,
  typed: true,
  itemsRequired: true,
  root: "object",
  limits: { properties: 5_000, levels: 10, values: 1_000, longEnum: 15_000, characters: 120_000 },
};

/** OpenAI checks the root and arrays of every schema, strict or not. */
const openAiRules: SchemaRules = { root: "object", itemsRequired: true };

export const openAiSchemas: SchemaTarget = {
  output: { constrained: openAiStrictRules, when: "strict", other: openAiRules },
  tools: { strict: openAiStrictRules, other: openAiRules },
};

const azureStrictRules: SchemaRules = {
  ...openAiStrictRules,
  limits: { ...openAiStrictRules.limits, properties: 100, levels: 5 },
};

/**
 * Azure documents OpenAI's rules, but smaller limits: learn.microsoft.com, foundry-models/how-to/structured-outputs.
 */
export const azureSchemas: SchemaTarget = {
  output: { constrained: azureStrictRules, when: "strict", other: openAiRules },
  tools: { strict: azureStrictRules, other: openAiRules },
};

/**
 * The keywords of `responseJsonSchema` in the types of @google/genai 3.1.0. Google ignores or rejects all others,
 * depending on the model. "Cyclic references … may only be used within non-required properties."
 */
const geminiRules: SchemaRules = {
  keywords: new Set([
    ...[...structure, ...described, "prefixItems", "minItems", "maxItems", "minimum", "maximum", "format"],
    ...["$id", "$anchor", "propertyOrdering"],
  ]),
  finite: "optional",
};

export const geminiSchemas: SchemaTarget = {
  output: { constrained: geminiRules, when: "always" },
  tools: { strict: { ...geminiRules, root: "object" }, other: { root: "object" } },
};

/** https://docs.cohere.com/docs/parameter-types-in-json, and the page on structured outputs. */
const cohereRules: SchemaRules = {
  keywords: new Set([...structure, ...described, "const", "format"]),
  formats: new Set(["date-time", "uuid", "date", "time"]),
  someRequired: true,
  root: "object",
};

export const cohereSchemas: SchemaTarget = {
  output: { constrained: cohereRules, when: "always" },
  tools: { strict: cohereRules, other: { root: "object" } },
};

/** Greatest number of alternatives of an `anyOf` in Cerebras' strict mode. */
const cerebrasAlternatives = 5;

/** Strict mode. https://inference-docs.cerebras.ai/capabilities/structured-outputs */
const cerebrasRules: SchemaRules = {
  ...openAiStrictRules,
  limits: {},
  oneType: true,
  mostAlternatives: cerebrasAlternatives,
  finite: true,
};

export const cerebrasSchemas: SchemaTarget = {
  output: { constrained: cerebrasRules, when: "strict" },
  // Cerebras documents no rules for the objects of strict tools.
  tools: { strict: { ...cerebrasRules, closed: false, allRequired: false } },
};

/** Strict mode, which has OpenAI's rules, but no limits. https://console.groq.com/docs/structured-outputs */
const groqRules: SchemaRules = { ...openAiStrictRules, limits: {} };

export const groqSchemas: SchemaTarget = {
  output: { constrained: groqRules, when: "strict" },
  tools: { strict: groqRules },
};

/** Fireworks documents that it does not support oneOf, pattern, and bounds of lengths and of numbers of items. */
const fireworksRules: SchemaRules = {
  keywords: new Set([...structure, ...described, "const", "format", "minimum", "maximum", "default"]),
};

export const fireworksSchemas: SchemaTarget = { output: { constrained: fireworksRules, when: "always" } };

/** xAI documents that it does not support allOf, nor bounds of lengths and of numbers of items. */
const xaiRules: SchemaRules = {
  keywords: new Set([
    ...[...structure, ...described, "const", "oneOf", "format", "pattern", "default", "prefixItems"],
    ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ]),
};

export const xaiSchemas: SchemaTarget = { output: { constrained: xaiRules, when: "always" } };

/** Rules of models that several vendors host, such as on OpenRouter, which sends schemas on unchanged. */
export const schemasOfFamilies: FamilyRules<SchemaTarget> = {
  about: "JSON Schemas of models at other hosts than the vendor's own",
  sources: [
    { from: "karpathy/llm-council#55: OpenRouter passes on Anthropic's errors about schemas", read: "2026-11-28" },
    { from: "the sources of the vendors' own rules above", read: "2026-11-28" },
  ],
  families: [
    { pattern: /claude/i, versions: [["1", claudeSchemas]] },
    { pattern: /gemini/i, versions: [["1", geminiSchemas]] },
    { pattern: /^~?openai\/(?!gpt-oss)/i, versions: [["1", openAiSchemas]] },
    { pattern: /^~?x-ai\//i, versions: [["1", xaiSchemas]] },
  ],
};

export function familySchemas(providerModel: string): SchemaTarget | undefined {
  return rulesFor(schemasOfFamilies, providerModel);
}
