import type { z } from "zod";
import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import { optionsAreOff } from "../../chat/planning/provider-options.ts";
import { type FieldViolation, invalidRequest, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import { toStruct } from "../kit/json-values.ts";
import { misspelledHint, type PropertyHints } from "../kit/property-hints.ts";
import type { OpenAiBody } from "../openai-shape/body.ts";
import { type BodyGuides, otherGuides } from "../openai-shape/guided-output.ts";
import type { BodyMessage } from "../openai-shape/messages.ts";
import { readLeftOut } from "./assistant-message.ts";
import { customNotes } from "./custom-tools.ts";
import { documentedFields } from "./documented-fields.ts";

/** What to write instead of fields of other APIs, for which Chat Completions has other names. */
const hints: PropertyHints = {
  extra_body: "write its fields at the top level of the body",
  input: "write messages",
  instructions: "write a message with the role system",
  max_output_tokens: "write max_completion_tokens",
  max_new_tokens: "write max_completion_tokens",
  n_predict: "write max_completion_tokens",
  num_predict: "write max_completion_tokens",
  prompt: "write messages",
  random_seed: "write seed",
  stop_sequences: "write stop",
  system: "write a message with the role system",
};

const cacheMarkNames = ["cache_control", "prompt_cache_breakpoint"] as const;

const isDocumented = (name: string) => Object.hasOwn(documentedFields, name) || name === "structured_outputs";

type Body = Pick<OpenAiBody, "messages" | "prediction" | "reasoning" | "tools"> &
  BodyGuides &
  Readonly<Record<string, unknown>>;

/**
 * Returns the fields of a body that ChatRequest lacks. Throws INVALID_REQUEST for one that is nearly the name of a
 * field of this API, and for each one if the operator has turned provider options off.
 */
export function readExtraFields(
  body: Body,
  schema: z.ZodObject,
  rejectsOptions: boolean,
): Omit<ExtraFields, "turnsReasoningOn"> {
  const { shape } = schema;
  const fields: [string, unknown][] = [];
  const wrong: FieldViolation[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue;
    const isDocumentedField = Object.hasOwn(documentedFields, name);
    if (Object.hasOwn(shape, name) && !isDocumentedField) continue;
    const hint = isDocumentedField || wrong.length >= mostViolations ? undefined : misspelledHint(schema, name, hints);
    const description = hint ? `is not a property of this API; ${hint}` : rejectsOptions ? optionsAreOff : undefined;
    if (description === undefined) fields.push([name, value]);
    else wrong.push({ root: "body", field: [name], description, ...(hint && { rule: "unknown_property" }) });
  }
  const guides = otherGuides(body);
  if (Object.keys(guides).length > 0 && !rejectsOptions) fields.push(["structured_outputs", guides]);
  for (const name of rejectsOptions ? Object.keys(guides) : []) {
    wrong.push({ root: "body", field: ["structured_outputs", name], description: optionsAreOff });
  }
  if (wrong.length > 0) throw invalidRequest(wrong);
  const leftOut = [
    ...readLeftOut(body.messages),
    ...(body.reasoning?.summary ? [["reasoning", "summary"]] : []),
    ...marksOf(body.prediction?.content),
  ];
  const notes = [...customNotes(body.tools), ...detailNotes(body.messages)];
  return { fields: toStruct(Object.fromEntries(fields), []), isDocumented, leftOut, notes };
}

/** Returns the paths of prompt cache breakpoints in a prediction, which the contract has as one text. */
function marksOf(prediction: BodyMessage["content"]): readonly FieldPath[] {
  if (typeof prediction !== "object" || prediction === null) return [];
  return prediction.flatMap((part, index) =>
    cacheMarkNames.flatMap((name) => (part[name] ? [["prediction", "content", index, name]] : [])),
  );
}

/** Returns notes about images with more detail than the contract has. */
function detailNotes(messages: readonly BodyMessage[]): NonNullable<ExtraFields["notes"]> {
  return messages.flatMap(({ content }, index) =>
    (typeof content === "string" ? [] : (content ?? [])).flatMap((part, at) => {
      if (part.type !== "image_url" || part.image_url.detail !== "original") return [];
      const path = ["messages", index, "content", at, "image_url", "detail"];
      return [{ reason: "ADJUSTED", path, message: "original is sent as high" } as const];
    }),
  );
}
