import type { Limitation } from "../../chat/limitations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { isNeutral, type OptionalField, optionalFieldNames, optionalFields } from "../openai/fields.ts";
import { demanded, taken } from "./request.ts";

/** The fields that are honoured or refused elsewhere. */
const handled: readonly OptionalField[] = ["parameters.n", "chat_template", "parallel_tool_calls"];

/** The ranges of the engine where they are narrower than the contract's. */
const ranges: readonly (readonly ["temperature" | "presencePenalty" | "frequencyPenalty", string, number, number])[] = [
  ["temperature", "parameters.temperature", 0, 1],
  ["presencePenalty", "parameters.presence_penalty", 0, 2],
  ["frequencyPenalty", "parameters.frequency_penalty", 0, 2],
];

/** What cannot be done of a request with a raw prompt and v1 of the engine. */
export function limitationsOf(request: ChatRequest, hasTemplate: boolean): readonly Limitation[] {
  return [...fieldLimitations(request), ...formLimitations(request, hasTemplate), ...messageLimitations(request)];
}

function* fieldLimitations(request: ChatRequest): Generator<Limitation> {
  for (const field of optionalFieldNames) {
    const value: unknown = optionalFields[field](request);
    if (value === undefined || isNeutral(field, value) || taken[field] !== undefined || handled.includes(field))
      continue;
    yield { kind: "UNSUPPORTED_PARAMETER", field, message: `LLM Engine v1 does not take ${field}` };
  }
  for (const [name, field, low, high] of ranges) {
    const value = request.parameters?.[name];
    const set = value === undefined ? undefined : Math.min(Math.max(value, low), high);
    if (set !== value) {
      yield { kind: "ADJUSTED", field, message: `LLM Engine v1 takes ${field} from ${low} to ${high}`, set };
    }
  }
  if (request.parameters?.maxOutputTokens === undefined) {
    const message = `LLM Engine v1 needs a bound for the answer: ${demanded.max_new_tokens} tokens are sent`;
    yield { kind: "EMULATED", field: "parameters.max_output_tokens", message };
  }
}

function* formLimitations(request: ChatRequest, hasTemplate: boolean): Generator<Limitation> {
  const format = request.outputFormat?.format.case;
  if (format === "jsonObject") {
    const message = "LLM Engine v1 has no JSON mode: the answer is fitted to a schema for any object";
    yield { kind: "EMULATED", field: "output_format.json_object", message };
  }
  if (request.tools.length > 0) yield refused("tools", "LLM Engine v1 takes no tools: use its v2");
  if (request.chatTemplate !== undefined) {
    yield refused("chat_template", "with LLM Engine v1 the prompt is written by a stock template: use its v2");
  } else if (!hasTemplate) {
    const message = "the endpoint's name does not tell its family of models: set the provider's option template";
    yield refused("model", message);
  }
}

function* messageLimitations({ messages, tools }: ChatRequest): Generator<Limitation> {
  let hinted = tools.some(({ cacheHint }) => cacheHint !== undefined);
  for (const [index, { parts }] of messages.entries()) {
    for (const [place, { kind, cacheHint }] of parts.entries()) {
      hinted ||= cacheHint !== undefined;
      const problem = partProblem(kind);
      if (problem !== undefined) {
        yield refused(`messages[${index}].parts[${place}]`, `LLM Engine v1 takes only text, no ${problem}: use its v2`);
      }
    }
  }
  if (hinted) {
    const message = "LLM Engine caches prompts without being asked, if at all: cache hints are left out";
    yield { kind: "EMULATED", field: "messages", message };
  }
}

function partProblem({ case: kind }: Part["kind"]): string | undefined {
  switch (kind) {
    case "media":
      return "media";
    case "toolCall":
    case "toolResult":
      return "calls of tools and their results";
    case "text":
    case "refusal":
    case "reasoning":
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}

function refused(field: string, message: string): Limitation {
  return { kind: "REFUSED", field, message };
}
