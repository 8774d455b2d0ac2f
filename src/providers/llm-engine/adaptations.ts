import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import { isOwnName } from "../../templates/kwargs.ts";
import { familyOf, type TemplateChoice } from "../../templates/template-families.ts";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { leftOut, lostThought, rejected, unsupported } from "../kit/adaptations.ts";
import { demanded, taken } from "./request.ts";

/** The fields that are honoured or rejected elsewhere. */
const handled: readonly OptionalField[] = [
  "parameters.n",
  "chat_template",
  "chat_template_kwargs",
  "parallel_tool_calls",
];

/** The ranges of the engine where they are narrower than the contract's. */
const ranges = [
  ["temperature", "parameters.temperature", 0, 1],
  ["presencePenalty", "parameters.presence_penalty", 0, 2],
  ["frequencyPenalty", "parameters.frequency_penalty", 0, 2],
] as const satisfies readonly (readonly [keyof GenerationParameters, OptionalField, number, number])[];

/** What cannot be done of a request with a raw prompt and v1 of the engine. */
export function checkSupport(request: ChatRequest, choice: TemplateChoice | undefined): readonly Adaptation[] {
  return [
    ...fieldAdaptations(request),
    ...formAdaptations(request),
    ...(request.chatTemplate === undefined ? templateAdaptations(request, choice) : []),
    ...messageAdaptations(request),
  ];
}

function* fieldAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    if (taken[field] !== undefined || handled.includes(field)) continue;
    yield unsupported(pathOf(field), `LLM Engine v1 does not take ${field}`);
  }
  for (const [name, title, low, high] of ranges) {
    const value = request.parameters?.[name];
    const set = value === undefined ? undefined : Math.min(Math.max(value, low), high);
    if (value === undefined || set === value) continue;
    const field = pathOf(title);
    const message = `LLM Engine v1 takes ${title} from ${low} to ${high}`;
    // Cut to 0, a penalty below it would ask for the opposite of what it does.
    yield value < low ? rejected(field, message) : { kind: "ADJUSTED", field, message, set };
  }
  if (request.parameters?.maxOutputTokens === undefined) {
    const message = `LLM Engine v1 needs a bound for the answer: ${demanded.max_new_tokens} tokens are sent`;
    yield { kind: "EMULATED", field: ["parameters", "max_output_tokens"], message };
  }
}

function* formAdaptations(request: ChatRequest): Generator<Adaptation> {
  const format = request.outputFormat?.format.case;
  if (format === "jsonObject") {
    const message = "LLM Engine v1 has no JSON mode: the answer is fitted to a schema for any object";
    yield { kind: "EMULATED", field: ["output_format", "json_object"], message };
  }
  if (request.tools.length > 0) yield rejected(["tools"], "LLM Engine v1 takes no tools: use its v2");
}

/** Of a request whose prompt a stock template writes. */
function* templateAdaptations(request: ChatRequest, choice: TemplateChoice | undefined): Generator<Adaptation> {
  const { messages, chatTemplateKwargs = {} } = request;
  if (choice === undefined) {
    const message =
      "there is no stock template for this model: send a chat template, set its template_family, or use v2";
    yield rejected(["model"], message);
  }
  if (choice === "none" && (messages.length !== 1 || messages[0]?.role !== Role.USER)) {
    yield rejected(["messages"], "the model only completes texts: send one message of the user");
  }
  const known = familyOf(choice)?.kwargs ?? [];
  // The template's own names are not left out: they are an error when the prompt is written.
  const isStranger = (name: string) => !known.includes(name) && !isOwnName(name, true);
  const strangers = Object.keys(chatTemplateKwargs).filter(isStranger);
  if (strangers.length === 0) return;
  const field = ["chat_template_kwargs"];
  const message = `the stock template has no variable ${strangers.join(", ")}`;
  const kept = Object.entries(chatTemplateKwargs).filter(([name]) => !isStranger(name));
  if (kept.length === 0) yield { kind: "UNSUPPORTED_PARAMETER", field, message };
  else yield { kind: "ADJUSTED", field, message, set: toStruct(Object.fromEntries(kept)) };
}

function toStruct(value: JsonObject): unknown {
  return reflect(StructSchema, fromJson(StructSchema, value));
}

function* messageAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const { part, path } of partsOf(request.messages)) {
    const problem = partProblem(part.kind);
    if (problem !== undefined) yield rejected(path, `LLM Engine v1 takes only text, no ${problem}: use its v2`);
  }
  yield* leftOut(request, {
    name: "a prompt of LLM Engine v1 has no place for names: they are left out",
    cacheHint: "LLM Engine caches prompts without being asked, if at all: cache hints are left out",
  });
  const thoughts = "a prompt of LLM Engine v1 has no place for earlier thoughts: they are left out";
  yield* lostThought(request.messages, () => true, thoughts);
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
