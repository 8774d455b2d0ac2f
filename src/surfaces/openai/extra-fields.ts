import { z } from "zod";
import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import { optionsAreOff } from "../../chat/planning/provider-options.ts";
import { type FieldViolation, invalidRequest, mostViolations } from "../../errors.ts";
import { jsonRecord, toStruct } from "../kit/json-values.ts";
import { misspelledHint, type PropertyHints } from "../kit/property-hints.ts";
import { flag, integer, number, type OpenAiBody, text } from "../openai-shape/body.ts";
import { type BodyGuides, otherGuides } from "../openai-shape/guided-output.ts";
import { closedObject as object } from "../openai-shape/parts.ts";
import { readLeftOut } from "./assistant-message.ts";

const integers = z.array(z.int()).nullish();
const texts = z.array(z.string()).nullish();
const record = jsonRecord.nullish();
const records = z.array(jsonRecord).nullish();
const anything = z.unknown().optional();

/**
 * Fields that ChatRequest lacks and that OpenAI or another API in the shape of OpenAI's documents: vLLM, SGLang,
 * llama.cpp, LM Studio, OpenRouter, Groq, Together, Fireworks, xAI, Perplexity, Mistral; Anthropic and Cohere have
 * some, too. `Adapter.extraFields` states which provider has which. As of November 2026.
 */
export const documentedFields = {
  // OpenAI. `metadata` and `verbosity` are also others'.
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  moderation: record,
  prompt_cache_options: object({ mode: text, ttl: text }).nullish(),
  prompt_cache_retention: text,
  store: flag,
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  web_search_options: record,
  // OpenAI's Responses API, which Dragoman may ask instead.
  include: texts,
  max_tool_calls: integer,
  // vLLM and SGLang.
  add_generation_prompt: flag,
  add_special_tokens: flag,
  allowed_token_ids: integers,
  bad_words: texts,
  best_of: integer,
  cache_salt: text,
  chat_template: text,
  custom_logit_processor: text,
  custom_params: record,
  documents: anything,
  ebnf: text,
  echo: flag,
  guided_decoding_backend: text,
  guided_grammar: text,
  guided_whitespace_pattern: text,
  ignore_eos: flag,
  include_stop_str_in_output: flag,
  kv_transfer_params: record,
  length_penalty: number,
  logits_processors: anything,
  lora_path: anything,
  mm_processor_kwargs: record,
  no_stop_trim: flag,
  priority: integer,
  prompt_logprobs: integer,
  request_id: text,
  return_hidden_states: flag,
  return_token_ids: flag,
  return_tokens_as_token_ids: flag,
  rid: anything,
  separate_reasoning: flag,
  session_params: record,
  skip_special_tokens: flag,
  spaces_between_special_tokens: flag,
  stop_regex: anything,
  stop_token_ids: integers,
  stream_reasoning: flag,
  truncate_prompt_tokens: integer,
  use_beam_search: flag,
  vllm_xargs: record,
  // llama.cpp and LM Studio.
  cache_prompt: flag,
  draft_model: text,
  dry_allowed_length: integer,
  dry_base: number,
  dry_multiplier: number,
  dry_penalty_last_n: integer,
  dry_sequence_breakers: texts,
  dynatemp_exponent: number,
  dynatemp_range: number,
  grammar: text,
  id_slot: integer,
  lora: records,
  mirostat: integer,
  mirostat_eta: number,
  mirostat_tau: number,
  n_keep: integer,
  n_probs: integer,
  post_sampling_probs: flag,
  repeat_last_n: integer,
  samplers: anything,
  t_max_predict_ms: integer,
  timings_per_token: flag,
  top_n_sigma: number,
  ttl: integer,
  typical_p: number,
  xtc_probability: number,
  xtc_threshold: number,
  // OpenRouter. Anthropic also has `cache_control`.
  cache_control: record,
  debug: record,
  image_config: record,
  models: texts,
  plugins: records,
  preset: text,
  provider: record,
  route: text,
  session_id: text,
  top_a: number,
  trace: record,
  transforms: texts,
  usage: record,
  // Groq, Together, Fireworks, xAI and Mistral.
  citation_options: anything,
  compliance: text,
  compound_custom: record,
  context_length_exceeded_behavior: text,
  deferred: flag,
  disable_tool_validation: flag,
  exclude_domains: texts,
  guardrails: records,
  include_domains: texts,
  mirostat_lr: number,
  mirostat_target: number,
  perf_metrics_in_response: flag,
  prompt_cache_isolation_key: text,
  prompt_mode: text,
  prompt_truncate_len: integer,
  raw_output: flag,
  reasoning_history: text,
  safe_prompt: flag,
  safety_model: text,
  search_parameters: record,
  search_settings: record,
  speculation: anything,
  // Perplexity.
  disable_search: flag,
  enable_search_classifier: flag,
  image_domain_filter: texts,
  image_format_filter: texts,
  language_preference: text,
  last_updated_after_filter: text,
  last_updated_before_filter: text,
  media_response: record,
  return_images: flag,
  return_related_questions: flag,
  search_after_date_filter: text,
  search_before_date_filter: text,
  search_domain_filter: texts,
  search_mode: text,
  search_recency_filter: text,
  // Anthropic and Cohere.
  betas: texts,
  container: anything,
  context_management: record,
  mcp_servers: records,
  raw_prompting: flag,
  safety_mode: text,
} as const satisfies z.ZodRawShape;

/** What to write instead of fields of other APIs, for which Chat Completions has other names. */
const hints: PropertyHints = {
  extra_body: "write its fields at the top level of the body",
  input: "write messages",
  instructions: "write a message with the role system",
  max_output_tokens: "write max_completion_tokens",
  max_new_tokens: "write max_completion_tokens",
  prompt: "write messages",
  random_seed: "write seed",
  stop_sequences: "write stop",
  system: "write a message with the role system",
};

const isDocumented = (name: string) => Object.hasOwn(documentedFields, name) || name === "structured_outputs";

type Body = Pick<OpenAiBody, "messages" | "reasoning"> & BodyGuides & Readonly<Record<string, unknown>>;

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
  const leftOut = [...readLeftOut(body.messages), ...(body.reasoning?.summary ? [["reasoning", "summary"]] : [])];
  return { fields: toStruct(Object.fromEntries(fields), []), isDocumented, leftOut };
}
