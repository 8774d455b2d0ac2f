import type { SchemaRules, SchemaTarget } from "../../chat/planning/schema/schema-rules.ts";

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
export const openAiStrictRules: SchemaRules = {
  keywords: new Set([...structure, ...described, "const"]),
  closed: true,
  allRequired: true,
  typed: true,
  itemsRequired: true,
  root: "object",
};

/** OpenAI checks the root and arrays of every schema, strict or not. */
const openAiRules: SchemaRules = { root: "object", itemsRequired: true };

export const openAiSchemas: SchemaTarget = {
  output: { constrained: openAiStrictRules, when: "strict", other: openAiRules },
  tools: { strict: openAiStrictRules, other: openAiRules },
};

/**
 * The keywords of `responseJsonSchema` in the types of @google/genai 3.1.0. Google ignores or rejects all others,
 * depending on the model.
 */
const geminiRules: SchemaRules = {
  keywords: new Set([
    ...[...structure, ...described, "prefixItems", "minItems", "maxItems", "minimum", "maximum", "format"],
    ...["$id", "$anchor", "propertyOrdering"],
  ]),
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
export const cerebrasAlternatives = 5;

/** Strict mode. https://inference-docs.cerebras.ai/capabilities/structured-outputs */
const cerebrasRules: SchemaRules = {
  ...openAiStrictRules,
  oneType: true,
  mostAlternatives: cerebrasAlternatives,
  finite: true,
};

export const cerebrasSchemas: SchemaTarget = {
  output: { constrained: cerebrasRules, when: "strict" },
  // Cerebras documents no rules for the objects of strict tools.
  tools: { strict: { ...cerebrasRules, closed: false, allRequired: false } },
};

/** Strict mode, which has OpenAI's rules. https://console.groq.com/docs/structured-outputs */
export const groqSchemas: SchemaTarget = {
  output: { constrained: openAiStrictRules, when: "strict" },
  tools: { strict: openAiStrictRules },
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
export function familySchemas(providerModel: string): SchemaTarget | undefined {
  if (/claude/i.test(providerModel)) return claudeSchemas;
  if (/gemini/i.test(providerModel)) return geminiSchemas;
  if (/^~?openai\/(?!gpt-oss)/i.test(providerModel)) return openAiSchemas;
  if (/^~?x-ai\//i.test(providerModel)) return xaiSchemas;
  return undefined;
}
