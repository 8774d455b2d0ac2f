import type { FieldViolation } from "../../errors.ts";
import { type FieldPath, formatPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { partsOf } from "./parts.ts";

type Numeric = "temperature" | "topP" | "topK" | "n" | "maxOutputTokens" | "presencePenalty" | "frequencyPenalty";

/** A range that is narrower than the contract's. Both ends are included. */
interface Range {
  readonly parameter: Numeric;
  readonly min: number;
  readonly max: number;
}

/** A field that only some families of models have on this surface. */
interface FamilyField {
  readonly field: FieldPath;
  readonly isSet: (chat: ChatRequest) => boolean;
  readonly families: readonly string[];
}

/** The documented defaults, ranges and rules of one chat API: data, so that a request can be held to another's. */
export interface Profile {
  readonly name: "plain" | "egp-chat" | "egp-deployment" | "cerebras" | "deepinfra";
  /** Values of parameters that the caller leaves out. */
  readonly defaults: Readonly<Partial<GenerationParameters>>;
  /** Families that take either a temperature or top_p: there a caller's top_p keeps the default temperature out. */
  readonly eitherFamilies: readonly string[];
  readonly ranges: readonly Range[];
  /** Stop sequences that a request may have. */
  readonly maxStopSequences: number;
  /** The system text of requests without one. Undefined: none. */
  readonly instructions: string | undefined;
  /** Sends several system messages as one, with a blank line between them. Otherwise they stay where they are. */
  readonly joinsSystemMessages: boolean;
  /** What is left out where a family lacks it. */
  readonly familyFields: readonly FamilyField[];
  /** Families that take images by URL. Undefined: as the model does. */
  readonly imageUrlFamilies: readonly string[] | undefined;
  /**
   * Tokens that an answer may have when the caller does not say, by family; `rest` is what the window leaves beside the
   * prompt. Never more than that, nor than the model gives. Families that are not listed: as the provider does.
   */
  readonly outputLimits: Readonly<Record<string, number | "rest">>;
  /** No answer is longer, whatever is asked for. In tokens. */
  readonly outputCap: number | undefined;
  /** Rejects an output limit that does not fit the window beside the prompt. */
  readonly outputMustFit: boolean;
  /** Leaves out the oldest messages of a conversation that is too long. */
  readonly trims: boolean;
  /** Calls that an account may have under way at one model, unless the configuration says. Undefined: any number. */
  readonly maxConcurrentCalls: number | undefined;
  /** Further rules of the conversation or of what is asked. */
  readonly rules: readonly ((chat: ChatRequest, streamed: boolean) => FieldViolation | undefined)[];
}

/** What a request breaks of a profile's rules. */
export function profileViolations(chat: ChatRequest, profile: Profile, streamed: boolean): readonly FieldViolation[] {
  const violations: FieldViolation[] = [];
  const surface = `the profile ${profile.name}`;
  for (const { parameter, min, max } of profile.ranges) {
    const value = chat.parameters?.[parameter];
    if (value === undefined || (value >= min && value <= max)) continue;
    const description = `must be from ${min} to ${max} under ${surface}`;
    violations.push({ field: ["parameters", protoNames[parameter]], description });
  }
  const stops = chat.parameters?.stopSequences.length ?? 0;
  if (stops > profile.maxStopSequences) {
    const description = `must have at most ${profile.maxStopSequences} entries under ${surface}`;
    violations.push({ field: ["parameters", "stop_sequences"], description });
  }
  for (const rule of profile.rules) {
    const violation = rule(chat, streamed);
    if (violation) violations.push(violation);
  }
  return violations;
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

/** What a profile's API does not have for a family of models. */
export function profileAdaptations(chat: ChatRequest, model: Model, profile: Profile): readonly Adaptation[] {
  const found: Adaptation[] = [];
  for (const { field, isSet, families } of profile.familyFields) {
    if (!isSet(chat) || families.includes(model.family)) continue;
    const message = `${profile.name} has ${formatPath(field)} for ${families.join(", ")}, and ${model.id} is of ${model.family}`;
    found.push({ kind: "UNSUPPORTED_PARAMETER", field, message });
  }
  const { imageUrlFamilies, outputCap } = profile;
  if (imageUrlFamilies && !imageUrlFamilies.includes(model.family)) {
    for (const field of imageUrls(chat)) {
      const message = `${profile.name} takes images by URL for ${imageUrlFamilies.join(", ")} only; send the bytes`;
      found.push({ kind: "REJECTED", field, message });
    }
  }
  const limit = chat.parameters?.maxOutputTokens;
  if (outputCap !== undefined && limit !== undefined && limit > outputCap) {
    const message = `${profile.name} gives at most ${outputCap} tokens`;
    found.push({ kind: "ADJUSTED", field: ["parameters", "max_output_tokens"], message, set: outputCap });
  }
  return found;
}

function imageUrls({ messages }: ChatRequest): readonly FieldPath[] {
  return partsOf(messages)
    .filter(({ part: { kind } }) => kind.case === "media" && kind.value.source.case === "url")
    .map(({ path }) => [...path, "media"]);
}
