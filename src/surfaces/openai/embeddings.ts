import { create, type JsonObject } from "@bufbuild/protobuf";
import { z } from "zod";
import { optionsAreOff } from "../../chat/planning/provider-options.ts";
import { type FieldViolation, invalidRequest } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import {
  type EmbeddingInput,
  EmbeddingInputSchema,
  EmbeddingTask,
  type EmbedRequest,
  EmbedRequestSchema,
} from "../../gen/dragoman/v1/embedding_service_pb.js";
import { type FieldNames, nameField } from "../kit/field-names.ts";
import { toStruct } from "../kit/json-values.ts";
import { parseRequest } from "../kit/parse-request.ts";
import { misspelledHint } from "../kit/property-hints.ts";

/** Values of `input_type`, which other APIs in the shape of OpenAI's have. */
const tasks = {
  query: EmbeddingTask.QUERY,
  search_query: EmbeddingTask.QUERY,
  document: EmbeddingTask.DOCUMENT,
  search_document: EmbeddingTask.DOCUMENT,
  passage: EmbeddingTask.DOCUMENT,
  classification: EmbeddingTask.CLASSIFICATION,
  clustering: EmbeddingTask.CLUSTERING,
  similarity: EmbeddingTask.SIMILARITY,
} as const;

const taskNames = Object.keys(tasks) as (keyof typeof tasks)[];

/** Forms of `input`. */
type Input = string | readonly string[] | readonly number[] | readonly (readonly number[])[];

const inputProblem = "must be a string, a list of strings, a list of token ids, or a list of such lists";

const body = z
  .object({
    model: z.string(),
    // A union of schemas would report an issue for each of 100,000 tokens.
    input: z.custom<Input>(isInput, { error: ({ input }) => (input === undefined ? "is required" : inputProblem) }),
    dimensions: z.int().nullish(),
    encoding_format: z.enum(["float", "base64"]).nullish(),
    input_type: z.enum(taskNames).nullish(),
    user: z.string().nullish(),
  })
  .catchall(z.unknown());

/** Form of the vectors in a response. */
export type Encoding = "float" | "base64";

/** A translated request. */
export interface TranslatedEmbedding {
  readonly request: EmbedRequest;
  readonly extraFields: JsonObject;
  readonly encoding: Encoding;
  /** Maps the path of a field in `request` to that in the body. */
  bodyPath(path: FieldPath): FieldPath;
}

/** Translates a body of OpenAI's API for embeddings. Throws INVALID_REQUEST with the body's field paths. */
export function translateEmbedding(value: unknown, rejectsOptions: boolean): TranslatedEmbedding {
  const { model, input, dimensions, encoding_format, input_type, user, ...rest } = parseRequest(body, value);
  return {
    request: create(EmbedRequestSchema, {
      model,
      inputs: inputsOf(input),
      ...(dimensions != null && { dimensions }),
      ...(input_type != null && { task: tasks[input_type] }),
      user: user ?? "",
    }),
    extraFields: extraFieldsOf(rest, rejectsOptions),
    encoding: encoding_format ?? "float",
    bodyPath: bodyPathOf(input),
  };
}

function isInput(value: unknown): value is Input {
  if (!Array.isArray(value)) return typeof value === "string";
  const items: readonly unknown[] = value;
  return items.every((one) => typeof one === "string") || isTokens(items) || items.every(isTokens);
}

function inputsOf(input: Input): EmbeddingInput[] {
  if (typeof input === "string") return [textInput(input)];
  if (isTokens(input)) return input.length === 0 ? [] : [tokenInput(input)];
  return input.map((one) => (typeof one === "string" ? textInput(one) : tokenInput(one)));
}

function isTokens(input: unknown): input is readonly number[] {
  return Array.isArray(input) && input.every((one) => Number.isInteger(one) && Math.abs(one) < 2 ** 31);
}

function textInput(value: string): EmbeddingInput {
  return create(EmbeddingInputSchema, { kind: { case: "text", value } });
}

function tokenInput(ids: readonly number[]): EmbeddingInput {
  return create(EmbeddingInputSchema, { kind: { case: "tokenIds", value: { ids: [...ids] } } });
}

/**
 * Returns the fields of a body that EmbedRequest lacks. Throws INVALID_REQUEST for one that is nearly the name of a field
 * of this API, and for each one if the operator has turned provider options off.
 */
function extraFieldsOf(rest: Readonly<Record<string, unknown>>, rejectsOptions: boolean): JsonObject {
  const fields = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  const wrong = fields.flatMap(([name]): FieldViolation[] => {
    const hint = misspelledHint(body, name, hints);
    if (hint !== undefined) {
      const description = `is not a property of this API; ${hint}`;
      return [{ root: "body", field: [name], description, rule: "unknown_property" }];
    }
    return rejectsOptions ? [{ root: "body", field: [name], description: optionsAreOff }] : [];
  });
  if (wrong.length > 0) throw invalidRequest(wrong);
  return toStruct(Object.fromEntries(fields), []);
}

const hints = {
  inputs: "write input",
  messages: "write input",
  prompt: "write input",
  texts: "write input",
  stream: "omit it: embeddings have no stream",
  output_dimension: "write dimensions",
  task_type: "write input_type",
};

const names: FieldNames = {
  inputs: "input",
  task: "input_type",
  // In this API the account is in a header, not in the body.
  account_id: "x-selected-account-id",
};

function bodyPathOf(input: Input): TranslatedEmbedding["bodyPath"] {
  const one = typeof input === "string" || isTokens(input) ? "input" : "input.*";
  const all = { ...names, "inputs.*.text": one, "inputs.*.token_ids.ids": one };
  // A field of the body that EmbedRequest lacks is an option of the model's provider.
  return (path) => (path[0] === "provider_options" && path.length > 2 ? path.slice(2) : nameField(all, path));
}
