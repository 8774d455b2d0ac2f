import { z } from "zod";
import { isSeed } from "../../chat/planning/seed.ts";
import { type JsonRecord, jsonRecord } from "../kit/json-values.ts";
import type { BodyGuides } from "./guided-output.ts";
import type { BodyMessage } from "./messages.ts";
import type { BodyOutput } from "./modalities.ts";
import { cacheMarks, type Markable, type ObjectOf } from "./parts.ts";

export type Maybe<Value> = Value | null | undefined;

export interface BodyTool extends Markable {
  /** Whether the function stands for a custom tool, whose input is free text. */
  readonly isCustom?: boolean;
  readonly function: Markable & {
    readonly name: string;
    readonly description?: Maybe<string>;
    readonly parameters?: Maybe<JsonRecord>;
    readonly strict?: Maybe<boolean>;
  };
}

interface NamedTool {
  readonly isCustom?: boolean;
  readonly function: { readonly name: string };
}

export type BodyToolChoice =
  | "none"
  | "auto"
  | "required"
  | NamedTool
  | { readonly allowed_tools: { readonly mode: "auto" | "required"; readonly tools: readonly NamedTool[] } };

export type BodyFormat =
  | { readonly type: "text" | "json_object" }
  | {
      readonly type: "json_schema";
      readonly json_schema: {
        readonly name: string;
        readonly description?: Maybe<string>;
        readonly schema?: Maybe<JsonRecord>;
        readonly strict?: Maybe<boolean>;
      };
      /** Whether the body has the schema in `response_format.schema`. */
      readonly isInline?: boolean;
    }
  | { readonly type: "regex"; readonly regex: string };

/** Reasoning efforts of all APIs of this shape. */
export type EffortWord = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** Body with the fields of all APIs of this shape; the schema of each API limits them. Null means absent. */
export interface OpenAiBody extends BodyOutput, BodyGuides {
  readonly model: string;
  readonly messages: readonly BodyMessage[];
  readonly stream?: Maybe<boolean>;
  readonly stream_options?: Maybe<{
    readonly include_usage?: Maybe<boolean>;
    readonly continuous_usage_stats?: Maybe<boolean>;
  }>;
  readonly temperature?: Maybe<number>;
  readonly top_p?: Maybe<number>;
  readonly top_k?: Maybe<number>;
  readonly min_p?: Maybe<number>;
  readonly n?: Maybe<number>;
  readonly seed?: Maybe<number | bigint>;
  readonly stop?: Maybe<string | readonly string[]>;
  readonly max_tokens?: Maybe<number>;
  readonly max_completion_tokens?: Maybe<number>;
  readonly min_tokens?: Maybe<number>;
  readonly min_completion_tokens?: Maybe<number>;
  readonly presence_penalty?: Maybe<number>;
  readonly frequency_penalty?: Maybe<number>;
  readonly repetition_penalty?: Maybe<number>;
  readonly logprobs?: Maybe<boolean>;
  readonly top_logprobs?: Maybe<number>;
  readonly logit_bias?: Maybe<Readonly<Record<string, number>>>;
  readonly tools?: Maybe<readonly BodyTool[]>;
  readonly tool_choice?: Maybe<BodyToolChoice>;
  readonly parallel_tool_calls?: Maybe<boolean>;
  readonly response_format?: Maybe<BodyFormat>;
  readonly reasoning_effort?: Maybe<EffortWord>;
  readonly reasoning?: Maybe<{
    readonly effort?: Maybe<EffortWord>;
    readonly max_tokens?: Maybe<number>;
    readonly exclude?: Maybe<boolean>;
    readonly enabled?: Maybe<boolean>;
    readonly summary?: Maybe<string>;
  }>;
  readonly include_reasoning?: Maybe<boolean>;
  readonly thinking?: Maybe<{
    readonly type: "enabled" | "disabled" | "adaptive" | "auto";
    readonly budget_tokens?: Maybe<number>;
    readonly clear_thinking?: Maybe<boolean>;
    readonly display?: Maybe<"summarized" | "omitted">;
    readonly keep?: Maybe<"all">;
  }>;
  readonly thinking_budget?: Maybe<number>;
  readonly enable_thinking?: Maybe<boolean>;
  readonly reasoning_format?: Maybe<"none" | "parsed" | "text_parsed" | "raw" | "hidden">;
  readonly disable_reasoning?: Maybe<boolean>;
  readonly clear_thinking?: Maybe<boolean>;
  readonly prediction?: Maybe<{ readonly content: BodyMessage["content"] }>;
  readonly prompt_cache_key?: Maybe<string>;
  readonly service_tier?: Maybe<string>;
  readonly chat_template_kwargs?: Maybe<JsonRecord>;
  readonly model_parameters?: Maybe<JsonRecord>;
  readonly continue_final_message?: Maybe<boolean>;
  readonly user?: Maybe<string>;
  readonly safety_identifier?: Maybe<string>;
  readonly metadata?: Maybe<Readonly<Record<string, string>>>;
}

/** Integers of ChatRequest have 32 bits. The validation of ChatRequest checks narrower ranges. */
export const integer = z.int32().nullish();
export const number = z.number().nullish();
export const flag = z.boolean().nullish();
export const text = z.string().nullish();

/** Fields that all APIs of this shape have. */
export const sharedFields = {
  model: z.string().min(1, "must not be empty"),
  stream: flag,
  temperature: number,
  top_p: number,
  n: integer,
  seed: z
    .union([z.int(), z.bigint()], "must be an integer")
    .refine(isSeed, "must be an integer from -2^63 to 2^64-1")
    .nullish(),
  stop: z.union([z.string(), z.array(z.string())], "must be a string or a list of strings").nullish(),
  max_tokens: integer,
  max_completion_tokens: integer,
  presence_penalty: number,
  frequency_penalty: number,
  logprobs: flag,
  top_logprobs: integer,
  logit_bias: z.record(z.string().regex(/^\d{1,10}$/, "must be a token ID"), z.number()).nullish(),
  parallel_tool_calls: flag,
  prompt_cache_key: text,
  user: text,
};

/** Makes the schema of a function tool. `more` are further properties of a tool, `ofFunction` of its function. */
export function functionTool<More extends z.ZodRawShape>(object: ObjectOf, more: More, ofFunction: z.ZodRawShape = {}) {
  const described = object({
    name: z.string(),
    description: text,
    parameters: jsonRecord.nullish(),
    strict: flag,
    ...ofFunction,
  });
  return object({ type: z.literal("function").optional(), function: described, ...more });
}

/** Makes the schema of `tools`. `more` are further properties of a tool. */
export function toolsSchema<More extends z.ZodRawShape>(object: ObjectOf, more: More) {
  return z.array(functionTool(object, more)).nullish();
}

/** Returns the property of a tool that sets a prompt cache breakpoint. */
export function markableTool(object: ObjectOf) {
  return { cache_control: cacheMarks(object).cache_control };
}

export function namedToolSchema(object: ObjectOf) {
  return object({ type: z.literal("function"), function: object({ name: z.string() }) });
}

/** Makes the schema of `tool_choice`. */
export function toolChoiceSchema(object: ObjectOf) {
  const named = namedToolSchema(object);
  return z
    .union([z.enum(["none", "auto", "required"]), named], "must be none, auto, required or a function object")
    .nullish();
}

/** Makes the schemas of the `response_format` types that all these APIs have. */
export function formatSchemas(object: ObjectOf) {
  const described = object({
    name: z.string(),
    description: text,
    schema: jsonRecord.nullish(),
    strict: flag,
  });
  return [
    object({ type: z.literal("text") }),
    object({ type: z.literal("json_object") }),
    object({ type: z.literal("json_schema"), json_schema: described }),
  ] as const;
}

/** Makes the schema of `prediction`. Its content is a string or a list of text parts. `more`: properties of a part. */
export function predictionSchema(object: ObjectOf, more: z.ZodRawShape = {}) {
  const part = object({ type: z.literal("text"), text: z.string(), ...more });
  const content = z.union([z.string(), z.array(part)], "must be a string or a list of text parts");
  return object({ type: z.literal("content"), content }).nullish();
}
