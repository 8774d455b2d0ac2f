import {
  type ContractFields,
  type ContractFieldsOf,
  type ContractNames,
  contractNames,
  streamMethods,
} from "../../chat/planning/provider-options.ts";
import { optionalFieldNames } from "./fields.ts";
import type { Body, FieldForm, Quirks } from "./quirks.ts";
import type { ChatBody } from "./wire.ts";

/** Fields that all servers receive. */
const always = {
  model: "model",
  messages: "messages",
  stream: streamMethods,
  stream_options: streamMethods,
  // Dragoman serves several choices also for servers without `n`.
  n: "parameters.n",
  // A tool that the server runs itself, or a custom tool, is not a `function`.
  tools: [{ function: "tools" }],
  tool_choice: "tool_choice",
  response_format: "output_format",
} as const satisfies ContractFieldsOf<ChatBody>;

/** Names with the same meaning. Some servers accept several of them. */
const synonyms: readonly (readonly string[])[] = [
  ["max_tokens", "max_completion_tokens"],
  ["min_tokens", "min_completion_tokens"],
  ["reasoning_effort", "reasoning", "thinking"],
  ["user", "safety_identifier", "user_id"],
  ["tools", "functions"],
  ["tool_choice", "function_call"],
];

/** Values that together select every body field of a function in `Quirks.fields`. */
const samples: readonly unknown[] = ["none", "high", 0, 1, true];

/** Returns the body fields of the optional fields that a server supports. */
export function namesOfFields(fields: Quirks["fields"]): ContractFields {
  const named = optionalFieldNames.flatMap((field) => {
    const form: FieldForm | undefined = fields[field];
    if (form === undefined) return [];
    const names = typeof form === "string" ? [form] : samples.flatMap((sample) => Object.keys(form(sample)));
    return names.map((name) => [name, field] as const);
  });
  // The first field of a name keeps it: `logprobs`, and not `top_logprobs`, has Together's `logprobs`.
  return Object.fromEntries(named.toReversed());
}

/** Returns the body fields of a server that ChatRequest has fields for. */
export function chatCompletionsNames(quirks: Quirks): ContractNames {
  const reasoning = quirks.openAiModel ? { reasoning_effort: "reasoning.effort" } : {};
  const output = quirks.outputs.length > 0 ? { modalities: "response_modalities", audio: "audio_output" } : {};
  const own = {
    ...regexFields(quirks.regex?.(".")),
    ...reasoning,
    ...output,
    ...namesOfFields(quirks.fields),
    ...always,
  };
  return contractNames({ ...withSynonyms(own), ...own });
}

function withSynonyms(own: ContractFields): ContractFields {
  const all = synonyms.flatMap((names) => {
    const entry = names.map((name) => own[name]).find((found) => found !== undefined);
    if (entry === undefined) return [];
    // The deprecated `functions` has no objects with `function`.
    return names.map((name) => [name, typeof entry === "string" ? entry : "tools"] as const);
  });
  return Object.fromEntries(all);
}

function regexFields(body: Body = {}): ContractFields {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      const isObject = typeof value === "object" && value !== null;
      return [name, isObject ? regexFields({ ...value }) : "output_format.regex"];
    }),
  );
}
