import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaIn, partsOf } from "../../chat/planning/parts.ts";
import { isSystem } from "../../chat/validation/request-rules.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media, Part } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { effortRejected, emulated, laterSystem, leftOut, rejected, unsupported } from "../kit/adaptations.ts";
import { effortsOf, type ModelRules, modelRules } from "./model-rules.ts";

/** The two ways to Google's models, which differ in what they take. */
export interface Route {
  /** For sentences that a person reads. */
  readonly title: string;
  /** Takes penalties for every model. */
  readonly penalties: boolean;
  /** Takes a class of service. */
  readonly serviceTier: boolean;
  /** Takes addresses in Google's own storage. */
  readonly storage: boolean;
}

const maxStopSequences = 5;
/** What `seed` holds: a signed integer of 32 bits. */
const seedLimit = 2 ** 31;

/** What this model, on this route, cannot do of what the request asks. */
export function checkSupport(request: ChatRequest, { providerModel }: Model, route: Route): readonly Adaptation[] {
  const rules = modelRules(providerModel);
  return [
    ...fieldAdaptations(request, rules, route),
    ...rangeAdaptations(request, route),
    ...reasoningAdaptations(request, rules, providerModel),
    ...formAdaptations(request, rules, providerModel, route),
    ...messageAdaptations(request, rules, route),
  ];
}

/** The fields that every model takes, or that have rules of their own. `n` is answered by a call for each choice. */
const taken: ReadonlySet<OptionalField> = new Set([
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
      return taken.has(field);
  }
}

function* fieldAdaptations(request: ChatRequest, rules: ModelRules, route: Route): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    if (takesField(field, rules, route)) continue;
    const tell = field === "chat_template" ? rejected : unsupported;
    yield tell(pathOf(field), `${route.title} does not take ${field}`);
  }
}

function* rangeAdaptations({ parameters }: ChatRequest, { title }: Route): Generator<Adaptation> {
  if ((parameters?.stopSequences.length ?? 0) > maxStopSequences) {
    yield rejected(["parameters", "stop_sequences"], `${title} takes at most ${maxStopSequences} stop sequences`);
  }
  const seed = Number(parameters?.seed ?? 0);
  if (seed < -seedLimit || seed >= seedLimit) {
    yield unsupported(["parameters", "seed"], `${title} takes a seed from -2^31 to 2^31-1`);
  }
}

function* reasoningAdaptations({ reasoning }: ChatRequest, rules: ModelRules, model: string): Generator<Adaptation> {
  if (reasoning === undefined) return;
  const { thinking } = rules;
  const { control, format } = reasoning;
  if (thinking.by === "nothing") {
    yield unsupported(["reasoning"], `the model ${model} does not reason, or is not known to`);
    return;
  }
  const efforts = effortsOf(rules);
  if (control.case === "effort" && !efforts.includes(control.value)) {
    yield effortRejected(`the model ${model}`, efforts);
  } else if (control.case === "effort" && thinking.by === "budget") {
    const message = `the model ${model} has no efforts: it gets the number of tokens that Google states for this one`;
    yield emulated(["reasoning", "effort"], message);
  } else if (control.case === "budgetTokens" && thinking.by === "level") {
    yield unsupported(["reasoning", "budget_tokens"], `the model ${model} takes an effort instead of a budget`);
  } else if (control.case === "budgetTokens" && thinking.by === "budget") {
    const { least, most } = thinking;
    const set = Math.min(Math.max(control.value, least), most);
    const message = `the model ${model} takes a budget from ${least} to ${most} tokens`;
    if (set !== control.value) yield { kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], message, set };
  }
  if (format === ReasoningFormat.RAW) {
    yield unsupported(["reasoning", "format"], `the model ${model} cannot leave the reasoning inside the text`);
  }
}

function* formAdaptations(
  { outputFormat, tools }: ChatRequest,
  rules: ModelRules,
  model: string,
  { title }: Route,
): Generator<Adaptation> {
  const format = outputFormat?.format.case;
  if (format === "regex") {
    yield rejected(["output_format", "regex"], `${title} cannot fit its answer to a regular expression`);
  }
  if ((format === "jsonObject" || format === "jsonSchema") && tools.length > 0 && !rules.jsonWithTools) {
    yield rejected(["output_format"], `the model ${model} gives JSON or calls tools, not both in one request`);
  }
  for (const [index, { name }] of tools.entries()) {
    if (!/^[a-z_]/i.test(name)) {
      yield rejected(["tools", index, "name"], `${title} takes names of tools that begin with a letter or _`);
    }
  }
}

/** What of the messages cannot be sent, or is left out or done another way, each told once. */
function* messageAdaptations(request: ChatRequest, rules: ModelRules, route: Route): Generator<Adaptation> {
  const { title } = route;
  for (const placed of partsOf(request.messages)) {
    for (const { media, path } of mediaIn(placed)) {
      if (placed.part.kind.case === "toolResult" && !rules.mediaInResults) {
        yield rejected(path, "this model takes only text as the result of a tool");
      } else if (!canFetch(media, route)) {
        yield rejected(path, `${title} does not fetch such addresses: send the bytes or an https address`);
      }
    }
  }
  yield* leftOut(request, {
    name: `${title} has no names for speakers: they are left out`,
    cacheHint: `${title} caches prompts without being asked: cache hints are left out`,
    detail: `${title} looks at images as closely as it sees fit: the detail is left out`,
    filename: `${title} has no names for documents: they are left out`,
  });
  const unsigned = rules.signatures ? request.messages.findIndex(({ parts }) => isUnsigned(parts)) : -1;
  if (unsigned >= 0) {
    const sentence = `${title} wants signatures on tool calls: those that have none get the placeholder that it documents`;
    yield emulated(["messages", unsigned, "parts"], sentence);
  }
  yield* systemAdaptations(request, rules, route);
}

function* systemAdaptations({ messages }: ChatRequest, rules: ModelRules, { title }: Route): Generator<Adaptation> {
  const first = messages.findIndex(isSystem);
  const late = laterSystem(messages);
  if (first >= 0 && !rules.systemInstruction) {
    const sentence = `${title} takes no system messages for this model: they go in front of the first user turn`;
    yield emulated(["messages", first], sentence);
  } else if (late >= 0) {
    const sentence = `${title} has one place for instructions, before the conversation: later system messages go there`;
    yield emulated(["messages", late], sentence);
  }
}

/** Whether the first of the calls in a message, which should have the signature, has none. */
function isUnsigned(parts: readonly Part[]): boolean {
  const first = parts.find(({ kind }) => kind.case === "toolCall");
  return first !== undefined && first.providerState === undefined;
}

function canFetch({ source }: Media, { storage }: Route): boolean {
  return source.case !== "url" || (storage ? /^(https?|gs):/i : /^https?:/i).test(source.value);
}
