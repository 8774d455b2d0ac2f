import type { JsonObject } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { ModelRules } from "../chat-completions/adaptations.ts";
import { effortOf, effortWords, optionalFieldNames, optionalFields } from "../chat-completions/fields.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { fieldName, rulesOf, takes } from "./fields.ts";
import { toInput } from "./input.ts";
import type { ResponsesServer } from "./server.ts";
import { toolsBody } from "./tools.ts";
import type { ReasoningBody, ResponsesBody } from "./wire.ts";

/**
 * Builds the body from a request to which Dragoman has applied the changes that `checkSupport` returned. `provider` is
 * the key of the options in `provider_options`. `streamed` is whether to request a stream.
 */
export function toRequest(
  request: ChatRequest,
  model: Model,
  server: ResponsesServer,
  provider: string,
  streamed: boolean,
): ResponsesBody {
  const rules = rulesOf(model, server);
  const include = includeOf(request, rules, server);
  const reasoning = reasoningBody(request, rules);
  const format = formatOf(request.outputFormat);
  const options = request.providerOptions[provider];
  const body: Omit<ResponsesBody, "model" | "input" | "stream"> = {
    // Dragoman stores nothing at a provider, unless the caller's options say so.
    store: false,
    ...(include.length > 0 && { include }),
    ...optionalBody(request, rules),
    ...(reasoning && { reasoning }),
    ...(format && { text: { format } }),
    ...toolsBody(request),
  };
  return {
    ...mergeOptions(body, options && ownOptions(options)),
    model: model.providerModel,
    input: toInput(request, { isReasoningModel: Boolean(rules), developerRole: server.developerRole, options }),
    stream: streamed,
    ...(streamed && !server.without.has("stream_options") && { stream_options: { include_obfuscation: false } }),
  };
}

/** Returns the options with the names of this API: Chat Completions has `verbosity` at the top of the body. */
function ownOptions({ verbosity, ...options }: JsonObject): JsonObject {
  if (verbosity === undefined) return options;
  const { text } = options;
  const others = typeof text === "object" && text !== null && !Array.isArray(text) ? text : {};
  return { ...options, text: { verbosity, ...others } };
}

function optionalBody(request: ChatRequest, rules: ModelRules): Partial<ResponsesBody> {
  const body: Record<string, unknown> = {};
  for (const field of optionalFieldNames) {
    const name = fieldName(field);
    if (name === undefined || !takes(field, request, rules)) continue;
    const value = optionalFields[field].value(request);
    if (value !== undefined) body[name] = value;
  }
  return body;
}

/**
 * Returns the output to request besides the usual. OpenAI rejects encrypted reasoning for models that do not reason:
 * "Encrypted content is not supported with this model" (NousResearch/hermes-agent#24234).
 */
function includeOf(request: ChatRequest, rules: ModelRules, { without }: ResponsesServer) {
  return [
    ...(rules && !without.has("include") ? (["reasoning.encrypted_content"] as const) : []),
    ...(request.parameters?.logprobs && takes("parameters.logprobs", request, rules)
      ? (["message.output_text.logprobs"] as const)
      : []),
  ];
}

function reasoningBody(request: ChatRequest, rules: ModelRules): ReasoningBody | undefined {
  if (!rules) return undefined;
  const effort = effortOf(request);
  const word = effort === undefined ? undefined : effortWords[effort];
  const isShown = request.reasoning?.format === ReasoningFormat.PARSED;
  if (word === undefined && !isShown) return undefined;
  return { ...(word !== undefined && { effort: word }), ...(isShown && { summary: "auto" }) };
}

function formatOf(outputFormat: OutputFormat | undefined): NonNullable<ResponsesBody["text"]>["format"] | undefined {
  const format = outputFormat?.format;
  switch (format?.case) {
    case "jsonObject":
      return { type: "json_object" };
    case "jsonSchema": {
      const { name, description, schemaJson, strict } = format.value;
      return {
        type: "json_schema",
        name,
        ...(description && { description }),
        schema: new ExactJson(schemaJson),
        ...(strict !== undefined && { strict }),
      };
    }
    case undefined:
    case "text":
    case "regex":
      return undefined;
    default:
      return format satisfies never;
  }
}
