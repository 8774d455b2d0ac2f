import { type FieldViolation, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import type { Adaptation } from "./adaptations.ts";
import type { CallerWords } from "./caller-words.ts";
import { partsOf } from "./parts.ts";
import { orElse, type ProfileTexts } from "./profile-texts.ts";

type Numeric = "temperature" | "topP" | "topK" | "n" | "maxOutputTokens" | "presencePenalty" | "frequencyPenalty";

/** Range of a parameter that is narrower than that of the proto. Both ends are included. */
interface Range {
  readonly parameter: Numeric;
  readonly min: number;
  /** Infinity: no maximum. */
  readonly max: number;
}

/** Field that the profile's API supports only for some model families. */
interface FamilyField {
  readonly field: FieldPath;
  readonly isSet: (chat: ChatRequest) => boolean;
  readonly families: readonly string[];
}

/** What the rules of a profile need besides the request. */
export interface RuleContext {
  /** Whether the caller requested a stream. */
  readonly streamed: boolean;
  /** Maximum number of values in a JSON text. Another check reports a text that has more. */
  readonly maxValues: number;
  readonly texts: ProfileTexts;
  readonly words: CallerWords;
}

/** Documented defaults, ranges and rules of one chat API. Dragoman can apply them to a request of any other API. */
export interface Profile {
  readonly name: "plain" | "egp-chat" | "egp-deployment" | "cerebras" | "deepinfra";
  /** Values of parameters that the caller does not set. */
  readonly defaults: Readonly<Partial<GenerationParameters>>;
  /** Families that accept either temperature or top_p: if the caller sets top_p, there is no default temperature. */
  readonly eitherFamilies: readonly string[];
  readonly ranges: readonly Range[];
  /** Maximum number of stop sequences in a request. */
  readonly maxStopSequences: number;
  /** Default system prompt, for requests without instructions and system messages. Undefined: none. */
  readonly instructions: string | undefined;
  /** Whether to merge all system messages into one, with a blank line between their texts. */
  readonly joinsSystemMessages: boolean;
  /** Fields that Dragoman drops if their `families` do not include the model's family. */
  readonly familyFields: readonly FamilyField[];
  /** Families for which the API accepts image URLs. Undefined: the profile has no restriction. */
  readonly imageUrlFamilies: readonly string[] | undefined;
  /**
   * Default output limit in tokens, by family; `rest` is the context window less the prompt. Dragoman lowers a default
   * that exceeds this rest or the model's output limit.
   */
  readonly outputLimits: Readonly<Record<string, number | "rest">>;
  /** Default output limit of the other families. Undefined: the provider's default applies. */
  readonly otherOutputLimit: "rest" | undefined;
  /** Maximum output limit in tokens; Dragoman lowers a higher one. Undefined: no maximum. */
  readonly outputCap: number | undefined;
  /** Whether to reject a request whose prompt and output limit together exceed the context window. */
  readonly outputMustFit: boolean;
  /** Whether to drop the oldest messages of a conversation that is too long, if the request sets no memory strategy. */
  readonly trims: boolean;
  /** Maximum concurrent calls per account and model, if the configuration sets none. Undefined: no limit. */
  readonly maxConcurrentCalls: number | undefined;
  /** Further rules. Each returns the violation of a request, if any. */
  readonly rules: readonly ((chat: ChatRequest, context: RuleContext) => FieldViolation | undefined)[];
}

/** Checks a request against the ranges, stop sequence limit and rules of a profile. Returns all violations. */
export function profileViolations(
  chat: ChatRequest,
  profile: Profile,
  context: RuleContext,
): readonly FieldViolation[] {
  const violations: FieldViolation[] = [];
  const { texts } = context;
  const advice = (write: string) => (texts.wayOut === undefined ? "" : `; ${orElse(texts, write)}`);
  for (const range of profile.ranges) {
    const { parameter, min, max } = range;
    const value = chat.parameters?.[parameter];
    if (value === undefined || (value >= min && value <= max)) continue;
    const allowed = rangeText(range);
    const write = allowed.startsWith("from") ? `write a value ${allowed}` : `write ${allowed}`;
    const description = `must be ${allowed} ${texts.under}${advice(write)}`;
    violations.push({ field: ["parameters", protoNames[parameter]], description });
  }
  const stops = chat.parameters?.stopSequences.length ?? 0;
  const most = profile.maxStopSequences;
  if (stops > most) {
    const description = `must have at most ${most} entries ${texts.under}${advice(`write at most ${most}`)}`;
    violations.push({ field: ["parameters", "stop_sequences"], description });
  }
  for (const rule of profile.rules) {
    const violation = rule(chat, context);
    if (violation) violations.push(violation);
  }
  return violations;
}

/** Describes a range: `1`, `at least 1` or `from 1 to 4`. */
function rangeText({ min, max }: Range): string {
  if (max === Number.POSITIVE_INFINITY) return `at least ${min}`;
  return min === max ? `${min}` : `from ${min} to ${max}`;
}

const protoNames = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  n: "n",
  maxOutputTokens: "max_output_tokens",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
} as const satisfies Record<Numeric, string>;

/** Returns the adaptations for fields that a profile's API does not support for the model's family. */
export function profileAdaptations(
  chat: ChatRequest,
  model: Model,
  profile: Profile,
  { texts, words }: Pick<RuleContext, "texts" | "words">,
): readonly Adaptation[] {
  const found: Adaptation[] = [];
  const { subject } = texts;
  for (const { field, isSet, families } of profile.familyFields) {
    if (!isSet(chat) || families.includes(model.family)) continue;
    const supported = `${subject} supports ${words.nameField(field)} only for ${families.join(", ")} models`;
    const message = `${supported}; ${model.id} is a ${model.family} model`;
    found.push({ kind: "UNSUPPORTED_PARAMETER", field, message });
  }
  const { imageUrlFamilies, outputCap } = profile;
  if (imageUrlFamilies && !imageUrlFamilies.includes(model.family)) {
    for (const field of imageUrls(chat)) {
      const supported = `${subject} supports image URLs only for ${imageUrlFamilies.join(", ")} models`;
      const message = `${supported}; ${orElse(texts, "send the image as bytes")}`;
      found.push({ kind: "REJECTED", field, message });
    }
  }
  const limit = chat.parameters?.maxOutputTokens;
  if (outputCap !== undefined && limit !== undefined && limit > outputCap) {
    const message = `${subject} allows at most ${outputCap} output tokens`;
    found.push({ kind: "ADJUSTED", field: ["parameters", "max_output_tokens"], message, set: outputCap });
  }
  return found;
}

function imageUrls({ messages }: ChatRequest): readonly FieldPath[] {
  return partsOf(messages)
    .filter(({ part: { kind } }) => kind.case === "media" && kind.value.source.case === "url")
    .map(({ path }) => [...path, "media"])
    .take(mostViolations)
    .toArray();
}
