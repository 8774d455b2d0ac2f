import type { Limitation } from "../../chat/limitations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media, Part } from "../../gen/dragoman/v1/message_pb.js";
import { MediaDetail, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { effortsOf, type Family, familyOf } from "./families.ts";

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
export function limitationsOf(request: ChatRequest, { providerModel }: Model, route: Route): readonly Limitation[] {
  const family = familyOf(providerModel);
  return [
    ...fieldLimitations(request, family, route),
    ...rangeLimitations(request, route),
    ...reasoningLimitations(request, family, providerModel),
    ...formLimitations(request, family, providerModel, route),
    ...messageLimitations(request, family, route),
  ];
}

function* fieldLimitations(request: ChatRequest, family: Family, route: Route): Generator<Limitation> {
  const { parameters, tools } = request;
  const noPenalties = !family.penalties && !route.penalties;
  // Fields that are not there, and whether they ask for anything.
  const missing: readonly (readonly [string, unknown])[] = [
    ["parameters.min_p", parameters?.minP],
    ["parameters.min_output_tokens", parameters?.minOutputTokens],
    ["parameters.repetition_penalty", (parameters?.repetitionPenalty ?? 1) !== 1],
    ["parameters.presence_penalty", noPenalties && parameters?.presencePenalty],
    ["parameters.frequency_penalty", noPenalties && parameters?.frequencyPenalty],
    ["parameters.logit_bias", Object.keys(parameters?.logitBias ?? {}).length > 0],
    ["parallel_tool_calls", tools.length > 0 && request.parallelToolCalls === false],
    ["prediction", request.prediction],
    ["prompt_cache_key", request.promptCacheKey],
    ["user", request.user],
    ["service_tier", !route.serviceTier && request.serviceTier],
    ["chat_template_kwargs", request.chatTemplateKwargs],
  ];
  for (const [field, asks] of missing) if (asks) yield unsupported(field, `${route.title} does not take ${field}`);
  if (request.chatTemplate !== undefined) yield refused("chat_template", `${route.title} takes no chat template`);
}

function* rangeLimitations({ parameters }: ChatRequest, { title }: Route): Generator<Limitation> {
  if ((parameters?.stopSequences.length ?? 0) > maxStopSequences) {
    yield refused("parameters.stop_sequences", `${title} takes at most ${maxStopSequences} stop sequences`);
  }
  const seed = Number(parameters?.seed ?? 0);
  if (seed < -seedLimit || seed >= seedLimit) {
    yield unsupported("parameters.seed", `${title} takes a seed from -2^31 to 2^31-1`);
  }
}

function* reasoningLimitations({ reasoning }: ChatRequest, family: Family, model: string): Generator<Limitation> {
  if (reasoning === undefined) return;
  const { thinking } = family;
  const { control, format } = reasoning;
  if (thinking.by === "nothing") {
    yield unsupported("reasoning", `the model ${model} does not reason, or is not known to`);
    return;
  }
  const efforts = effortsOf(family);
  if (control.case === "effort" && !efforts.includes(control.value)) {
    const words = efforts.map((effort) => ReasoningEffort[effort]?.toLowerCase()).join(", ");
    yield refused("reasoning.effort", `the model ${model} takes the reasoning efforts ${words}`);
  } else if (control.case === "effort" && thinking.by === "budget") {
    const message = `the model ${model} has no efforts: it gets the number of tokens that Google states for this one`;
    yield { kind: "EMULATED", field: "reasoning.effort", message };
  } else if (control.case === "budgetTokens" && thinking.by === "level") {
    yield unsupported("reasoning.budget_tokens", `the model ${model} takes an effort instead of a budget`);
  } else if (control.case === "budgetTokens" && thinking.by === "budget") {
    const { least, most } = thinking;
    const set = Math.min(Math.max(control.value, least), most);
    const message = `the model ${model} takes a budget from ${least} to ${most} tokens`;
    if (set !== control.value) yield { kind: "ADJUSTED", field: "reasoning.budget_tokens", message, set };
  }
  if (format === ReasoningFormat.RAW) {
    yield unsupported("reasoning.format", `the model ${model} cannot leave the reasoning inside the text`);
  }
}

function* formLimitations(
  { outputFormat, tools }: ChatRequest,
  family: Family,
  model: string,
  { title }: Route,
): Generator<Limitation> {
  const format = outputFormat?.format.case;
  if (format === "regex") {
    yield refused("output_format.regex", `${title} cannot fit its answer to a regular expression`);
  }
  if ((format === "jsonObject" || format === "jsonSchema") && tools.length > 0 && !family.jsonWithTools) {
    yield refused("output_format", `the model ${model} gives JSON or calls tools, not both in one request`);
  }
  for (const [index, { name }] of tools.entries()) {
    if (!/^[a-z_]/i.test(name)) {
      yield refused(`tools[${index}].name`, `${title} takes names of tools that begin with a letter or _`);
    }
  }
}

/** Things about messages that are done another way or left out, each told once. */
const notes = {
  late: "has one place for instructions, before the conversation: later system messages go there",
  first: "takes no system messages for this model: they go in front of the first user turn",
  unsigned: "wants signatures on tool calls: those that have none get the placeholder that it documents",
  name: "has no names for speakers: they are left out",
  detail: "looks at images as closely as it sees fit: the detail is left out",
  filename: "has no names for documents: they are left out",
  cacheHint: "caches prompts without being asked: cache hints are left out",
} as const;

function* messageLimitations(request: ChatRequest, family: Family, route: Route): Generator<Limitation> {
  const found = new Set<keyof typeof notes>();
  if (request.tools.some(({ cacheHint }) => cacheHint !== undefined)) found.add("cacheHint");
  const firstSpoken = request.messages.findIndex(({ role }) => role !== Role.SYSTEM && role !== Role.DEVELOPER);
  for (const [index, { role, parts, name }] of request.messages.entries()) {
    const isSystem = role === Role.SYSTEM || role === Role.DEVELOPER;
    if (isSystem && !family.systemInstruction) found.add("first");
    else if (isSystem && firstSpoken >= 0 && index > firstSpoken) found.add("late");
    if (name !== "") found.add("name");
    if (family.signatures && isUnsigned(parts)) found.add("unsigned");
    for (const [place, part] of parts.entries()) {
      if (part.cacheHint !== undefined) found.add("cacheHint");
      const field = `messages[${index}].parts[${place}]`;
      const inResult = part.kind.case === "toolResult";
      for (const media of mediaIn(part)) {
        if (media.detail === MediaDetail.LOW || media.detail === MediaDetail.HIGH) found.add("detail");
        if (media.filename !== "") found.add("filename");
        const path = `${field}.${inResult ? "tool_result" : "media"}`;
        if (inResult && !family.mediaInResults) {
          yield refused(path, "this model takes only text as the result of a tool");
        } else if (!canFetch(media, route)) {
          yield refused(path, `${route.title} does not fetch such addresses: send the bytes or an https address`);
        }
      }
    }
  }
  for (const note of found) yield { kind: "EMULATED", field: "messages", message: `${route.title} ${notes[note]}` };
}

/** Whether the first of the calls in a message, which should have the signature, has none. */
function isUnsigned(parts: readonly Part[]): boolean {
  const first = parts.find(({ kind }) => kind.case === "toolCall");
  return first !== undefined && first.providerState === undefined;
}

function mediaIn({ kind }: Part): readonly Media[] {
  if (kind.case === "media") return [kind.value];
  if (kind.case !== "toolResult") return [];
  return kind.value.parts.flatMap((part) => (part.kind.case === "media" ? [part.kind.value] : []));
}

function canFetch({ source }: Media, { storage }: Route): boolean {
  return source.case !== "url" || (storage ? /^(https?|gs):/i : /^https?:/i).test(source.value);
}

function unsupported(field: string, message: string): Limitation {
  return { kind: "UNSUPPORTED_PARAMETER", field, message };
}

function refused(field: string, message: string): Limitation {
  return { kind: "REFUSED", field, message };
}
