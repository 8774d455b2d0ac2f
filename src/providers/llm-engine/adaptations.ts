import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import { omitsBosToken } from "../../templates/caller.ts";
import { isOwnName } from "../../templates/kwargs.ts";
import { familyOf, type TemplateChoice } from "../../templates/template-families.ts";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { emulated, leftOut, lostThought, rejected, unsupported } from "../kit/adaptations.ts";
import { demanded, taken } from "./request.ts";

/** Fields that `fieldAdaptations` does not check, because other code applies or rejects them. */
const handled: readonly OptionalField[] = [
  "parameters.n",
  "chat_template",
  "chat_template_kwargs",
  "parallel_tool_calls",
];

/** Parameters whose range is narrower in LLM Engine v1 than in Dragoman's API, with minimum and maximum. */
const ranges = [
  ["temperature", "parameters.temperature", 0, 1],
  ["presencePenalty", "parameters.presence_penalty", 0, 2],
  ["frequencyPenalty", "parameters.frequency_penalty", 0, 2],
] as const satisfies readonly (readonly [keyof GenerationParameters, OptionalField, number, number])[];

/** Returns what LLM Engine v1 does not support in the request. Its input is one text, the prompt. */
export function checkSupport(request: ChatRequest, choice: TemplateChoice | undefined): readonly Adaptation[] {
  return [
    ...fieldAdaptations(request),
    ...formAdaptations(request),
    ...(request.chatTemplate === undefined
      ? templateAdaptations(request, choice)
      : bosAdaptations(request.chatTemplate, choice)),
    ...messageAdaptations(request),
  ];
}

function* fieldAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    if (taken[field] !== undefined || handled.includes(field)) continue;
    yield unsupported(pathOf(field, request), `LLM Engine v1 does not support ${field}`);
  }
  for (const [name, title, low, high] of ranges) {
    const value = request.parameters?.[name];
    const set = value === undefined ? undefined : Math.min(Math.max(value, low), high);
    if (value === undefined || set === value) continue;
    const field = pathOf(title, request);
    const message = `LLM Engine v1 supports ${title} from ${low} to ${high}`;
    // Dragoman rejects a negative penalty instead of raising it to 0, which would have no effect.
    yield value < low ? rejected(field, message) : { kind: "ADJUSTED", field, message, set };
  }
  if (request.parameters?.maxOutputTokens === undefined) {
    const message = `LLM Engine v1 requires an output limit, and the model's is unknown: Dragoman sends ${demanded.max_new_tokens}`;
    yield { kind: "EMULATED", field: ["parameters", "max_output_tokens"], message };
  }
}

function* formAdaptations(request: ChatRequest): Generator<Adaptation> {
  const format = request.outputFormat?.format.case;
  if (format === "jsonObject") {
    const message = "LLM Engine v1 has no JSON mode: Dragoman sends a schema that allows any object";
    yield { kind: "EMULATED", field: ["output_format", "json_object"], message };
  }
  if (request.tools.length > 0) yield rejected(["tools"], "LLM Engine v1 does not support tools: use its API v2");
}

/** Checks a request without `chat_template`: a stock template, one of Dragoman's own, renders its prompt. */
function* templateAdaptations(request: ChatRequest, choice: TemplateChoice | undefined): Generator<Adaptation> {
  const { messages, chatTemplateKwargs = {} } = request;
  if (choice === undefined) {
    const message =
      "the model has no stock chat template: send chat_template, configure template_family, or use API v2";
    yield rejected(["model"], message);
  }
  if (choice === "none" && (messages.length !== 1 || messages[0]?.role !== Role.USER)) {
    yield rejected(["messages"], "the model supports only text completion: send one user message");
  }
  const known = familyOf(choice)?.kwargs ?? [];
  // Keeps reserved names, because the renderer rejects them with an error.
  const isUnknown = (name: string) => !known.includes(name) && !isOwnName(name, true);
  const unknownNames = Object.keys(chatTemplateKwargs).filter(isUnknown);
  if (unknownNames.length === 0) return;
  const field = ["chat_template_kwargs"];
  const message = `the stock template has no variable ${unknownNames.join(", ")}`;
  const kept = Object.entries(chatTemplateKwargs).filter(([name]) => !isUnknown(name));
  if (kept.length === 0) yield { kind: "UNSUPPORTED_PARAMETER", field, message };
  else yield { kind: "ADJUSTED", field, message, set: toStruct(Object.fromEntries(kept)) };
}

function* bosAdaptations(source: string, choice: TemplateChoice | undefined): Generator<Adaptation> {
  if (!omitsBosToken(source, familyOf(choice))) return;
  yield emulated(["chat_template"], "bos_token is empty in the template: LLM Engine adds the token to the prompt");
}

function toStruct(value: JsonObject): unknown {
  return reflect(StructSchema, fromJson(StructSchema, value));
}

function* messageAdaptations(request: ChatRequest): Generator<Adaptation> {
  for (const { part, path } of partsOf(request.messages)) {
    const problem = partProblem(part.kind);
    if (problem !== undefined) yield rejected(path, `LLM Engine v1 supports only text, not ${problem}: use its API v2`);
  }
  yield* leftOut(request, {
    name: "LLM Engine v1 does not support participant names: they are omitted",
    cacheHint: "LLM Engine does not support cache hints: they are omitted",
  });
  const message = "LLM Engine v1 does not support earlier reasoning: it is omitted";
  yield* lostThought(request.messages, () => true, message);
}

function partProblem({ case: kind }: Part["kind"]): string | undefined {
  switch (kind) {
    case "media":
      return "media";
    case "toolCall":
    case "toolResult":
    case "serverToolCall":
    case "serverToolResult":
      return "tool calls or tool results";
    case "searchResult":
      return "search results";
    case "text":
    case "refusal":
    case "reasoning":
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}
