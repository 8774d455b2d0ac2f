import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaIn, partsOf } from "../../chat/planning/parts.ts";
import { seedOf, seedPath } from "../../chat/planning/seed.ts";
import { isSystem } from "../../chat/validation/request-rules.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { effortRejected, emulated, laterSystem, leftOut, rejected, unsupported } from "../kit/adaptations.ts";
import { effortsOf, type ModelRules, modelRules } from "./model-rules.ts";
import { toServerPart } from "./server-tools.ts";

/** What one of Google's two services with this API supports: the Gemini API or Vertex AI. */
export interface Route {
  /** Name of the service in errors and warnings. */
  readonly title: string;
  /** Whether every model of the service supports penalties. */
  readonly penalties: boolean;
  /** Whether `service_tier` is supported. */
  readonly serviceTier: boolean;
  /** Whether `gs://` URLs (Google Cloud Storage) are supported. */
  readonly storage: boolean;
}

/** `seed` is a signed 32-bit integer. */
const seedLimit = 2 ** 31;

/** Returns what the model or the service does not support in the request. */
export function checkSupport(request: ChatRequest, model: Model, route: Route): readonly Adaptation[] {
  const { providerModel } = model;
  const rules = modelRules(model);
  return [
    ...fieldAdaptations(request, rules, route),
    ...rangeAdaptations(request, route),
    ...reasoningAdaptations(request, rules, providerModel),
    ...formAdaptations(request, rules, providerModel, route),
    ...messageAdaptations(request, rules, route),
  ];
}

/** Fields that every model supports or that other functions check. For `n`, Dragoman sends one request per choice. */
const supported: ReadonlySet<OptionalField> = new Set([
  "parameters.max_output_tokens",
  "parameters.temperature",
  "parameters.top_p",
  "parameters.top_k",
  "parameters.stop_sequences",
  "parameters.n",
  "parameters.seed",
  "parameters.logprobs",
  "parameters.top_logprobs",
  "reasoning.effort",
  "reasoning.budget_tokens",
  "reasoning.format",
  "reasoning.clear_earlier_reasoning",
] satisfies OptionalField[]);

function takesField(field: OptionalField, rules: ModelRules, route: Route): boolean {
  switch (field) {
    case "parameters.presence_penalty":
    case "parameters.frequency_penalty":
      return rules.penalties || route.penalties;
    case "service_tier":
      return route.serviceTier;
    default:
      return supported.has(field);
  }
}

function* fieldAdaptations(request: ChatRequest, rules: ModelRules, route: Route): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    if (takesField(field, rules, route)) continue;
    const adaptation = field === "chat_template" ? rejected : unsupported;
    yield adaptation(pathOf(field, request), `${route.title} does not support ${field}`);
  }
}

function* rangeAdaptations({ parameters }: ChatRequest, { title }: Route): Generator<Adaptation> {
  const seed = Number(seedOf(parameters) ?? 0);
  if (seed < -seedLimit || seed >= seedLimit) {
    yield unsupported(seedPath(parameters), `${title} supports a seed from -2^31 to 2^31-1`);
  }
}

function* reasoningAdaptations({ reasoning }: ChatRequest, rules: ModelRules, model: string): Generator<Adaptation> {
  if (reasoning === undefined) return;
  const { thinking } = rules;
  const { control, format } = reasoning;
  if (thinking.by === "nothing") {
    yield unsupported(["reasoning"], `the model ${model} does not support reasoning, as far as Dragoman knows`);
    return;
  }
  const efforts = effortsOf(rules);
  if (control.case === "effort" && !efforts.includes(control.value)) {
    yield effortRejected(`the model ${model}`, efforts);
  } else if (control.case === "effort" && thinking.by === "budget") {
    const message = `the model ${model} does not support efforts: Dragoman sends Google's token budget for this effort`;
    yield emulated(["reasoning", "effort"], message);
  } else if (control.case === "budgetTokens" && thinking.by === "level") {
    yield unsupported(
      ["reasoning", "budget_tokens"],
      `the model ${model} does not support reasoning.budget_tokens: set reasoning.effort`,
    );
  } else if (control.case === "budgetTokens" && thinking.by === "budget") {
    const { least, most } = thinking;
    const set = Math.min(Math.max(control.value, least), most);
    const message = `the model ${model} supports a reasoning budget from ${least} to ${most} tokens`;
    if (set !== control.value) yield { kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], message, set };
  }
  if (format === ReasoningFormat.RAW) {
    yield unsupported(
      ["reasoning", "format"],
      `the model ${model} always separates reasoning from text: raw is not supported`,
    );
  }
}

function* formAdaptations(
  { outputFormat, tools, toolChoice }: ChatRequest,
  rules: ModelRules,
  model: string,
  { title }: Route,
): Generator<Adaptation> {
  const format = outputFormat?.format.case;
  if (format === "regex") {
    yield rejected(["output_format", "regex"], `${title} does not support regex output`);
  }
  if ((format === "jsonObject" || format === "jsonSchema") && tools.length > 0 && !rules.jsonWithTools) {
    yield rejected(["output_format"], `the model ${model} does not support JSON output together with tools`);
  }
  const choice = toolChoice?.choice;
  if (choice?.case === "allowedTools" && choice.value.mode === ToolChoiceMode.AUTO) {
    const message = `${title} allows some functions only in its mode VALIDATED, which also validates their arguments`;
    yield emulated(["tool_choice", "allowed_tools", "mode"], message);
  }
}

/** Reports what Dragoman rejects, omits or replaces in the messages. */
function* messageAdaptations(request: ChatRequest, rules: ModelRules, route: Route): Generator<Adaptation> {
  const { title } = route;
  for (const placed of partsOf(request.messages)) {
    for (const { media, path } of mediaIn(placed)) {
      if (placed.part.kind.case === "toolResult" && !rules.mediaInResults) {
        yield rejected(path, "this model supports only text in tool results");
      } else if (!canFetch(media, route)) {
        yield rejected(path, `${title} does not fetch this URL: send bytes or an https URL`);
      }
    }
  }
  for (const { part, path } of partsOf(request.messages)) {
    const { case: kind } = part.kind;
    const isServerPart = kind === "serverToolCall" || kind === "serverToolResult";
    if (!isServerPart || toServerPart(part.providerState) !== undefined) continue;
    yield { kind: "LEFT_OUT", field: path, message: `${title} did not make this part; it is not sent` };
  }
  const audioType = request.audioOutput?.mediaType ?? "";
  if (audioType !== "") {
    yield unsupported(["audio_output", "media_type"], `${title} does not support a choice of the audio format`);
  }
  yield* leftOut(request, {
    name: `${title} does not support participant names: they are omitted`,
    cacheHint: `${title} caches prompts automatically: cache hints are omitted`,
    detail: `${title} does not support image detail: it is omitted`,
    filename: `${title} does not support file names: they are omitted`,
  });
  const unsigned = rules.signatures ? request.messages.findIndex(({ parts }) => isUnsigned(parts)) : -1;
  if (unsigned >= 0) {
    const message = `${title} requires signatures on tool calls: Dragoman adds Google's placeholder to unsigned calls`;
    yield emulated(["messages", unsigned, "parts"], message);
  }
  yield* systemAdaptations(request, rules, route);
}

function* systemAdaptations({ messages }: ChatRequest, rules: ModelRules, { title }: Route): Generator<Adaptation> {
  const first = messages.findIndex(isSystem);
  const late = laterSystem(messages);
  if (first >= 0 && !rules.systemInstruction) {
    const message = `${title} does not support system messages for this model: they go into the first user message`;
    yield emulated(["messages", first], message);
  } else if (late >= 0) {
    const message = `${title} supports system messages only at the start: Dragoman moves later ones there`;
    yield emulated(["messages", late], message);
  }
}

/** Whether a message's first tool call has no signature. Google signs only the first call of a message. */
function isUnsigned(parts: readonly Part[]): boolean {
  const first = parts.find(({ kind }) => kind.case === "toolCall");
  return first !== undefined && first.providerState === undefined;
}

function canFetch({ source }: Media, { storage }: Route): boolean {
  return source.case !== "url" || (storage ? /^(https?|gs):/i : /^https?:/i).test(source.value);
}
