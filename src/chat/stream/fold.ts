import { create } from "@bufbuild/protobuf";
import { append } from "../../append.ts";
import { type ChatCompletion, type Choice, FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import { LogProbsSchema } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import { Profile } from "../../gen/dragoman/v1/profile_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import type { ChatCompleted, ChatStarted, ChoiceFinished, PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { ChatEvent } from "./events.ts";

/** Builds the completion from the events of one stream. Expects the order that `stream-validator.ts` requires. */
interface Fold {
  add(event: ChatEvent): void;
  /** Completion so far; complete after the event `completed`. */
  readonly completion: ChatCompletion;
}

/** Byte sequences of a part, joined only once, at the end: joining at each delta would take quadratic time. */
interface JoinedLater {
  readonly states: ProviderState[];
  readonly media: Uint8Array[];
}

/** Creates a fold that follows the fold law in the proto comment of `ChatCompletion`. It does not change events. */
export function createFold(): Fold {
  const completion = emptyCompletion();
  const later = new Map<Part, JoinedLater>();
  const choices = new Map<number, Choice>();

  function choiceAt(index: number): Choice {
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = emptyChoice(index);
      choices.set(index, choice);
      completion.choices.push(choice);
    }
    return choice;
  }

  function addBytes(part: Part, { delta, providerState }: PartDelta): void {
    const data = delta.case === "media" && delta.value.source.case === "data" ? delta.value.source.value : undefined;
    if (providerState === undefined && data === undefined) return;
    const joined = later.get(part) ?? { states: [], media: [] };
    later.set(part, joined);
    if (providerState !== undefined) joined.states.push(providerState);
    if (data !== undefined) joined.media.push(data);
  }

  return {
    completion,
    add(event) {
      switch (event.case) {
        case "started":
          begin(completion, event.value);
          return;
        case "delta":
          addBytes(extend(choiceAt(event.value.choiceIndex), event.value), event.value);
          return;
        case "finished":
          finish(choiceAt(event.value.choiceIndex), event.value);
          return;
        case "completed":
          completion.choices.sort((a, b) => a.index - b.index);
          for (const [part, joined] of later) joinBytes(part, joined);
          complete(completion, event.value);
          return;
        default:
          event satisfies never;
      }
    },
  };
}

// Every response needs these messages: as literals, which take a tenth of the time of create().

function emptyCompletion(): ChatCompletion {
  return {
    $typeName: "dragoman.v1.ChatCompletion",
    id: "",
    model: "",
    provider: "",
    choices: [],
    warnings: [],
    serviceTier: "",
    systemFingerprint: "",
    attempts: [],
    profile: Profile.UNSPECIFIED,
    providerMetadataJson: "",
  };
}

function emptyChoice(index: number): Choice {
  return {
    $typeName: "dragoman.v1.Choice",
    index,
    message: { $typeName: "dragoman.v1.Message", role: Role.ASSISTANT, parts: [], name: "" },
    finishReason: FinishReason.UNSPECIFIED,
    providerFinishReason: "",
    matchedStopSequence: "",
    sources: [],
    providerMetadataJson: "",
  };
}

function begin(completion: ChatCompletion, started: ChatStarted): void {
  completion.id = started.id;
  completion.model = started.model;
  completion.provider = started.provider;
  completion.profile = started.profile;
  if (started.createTime) completion.createTime = started.createTime;
  if (started.effectiveParameters) completion.effectiveParameters = started.effectiveParameters;
  append(completion.warnings, started.warnings);
}

/** Adds a delta to its part, and returns the part. */
function extend(choice: Choice, { partIndex, delta, logprobs }: PartDelta): Part {
  const parts = choice.message?.parts ?? [];
  let part = parts[partIndex];
  if (part === undefined) {
    part = { $typeName: "dragoman.v1.Part", kind: { case: undefined }, citations: [] };
    parts[partIndex] = part;
  }
  if (delta.case === "citation") part.citations.push(delta.value);
  else if (part.kind.case === undefined) part.kind = kindOf(delta);
  else extendKind(part.kind, delta);
  if (logprobs) {
    const field = delta.case === "reasoning" ? "reasoningLogprobs" : "logprobs";
    choice[field] ??= create(LogProbsSchema);
    for (const token of logprobs.tokens) choice[field].tokens.push(token);
  }
  return part;
}

/** Returns the kind of a part whose first delta this is. Copies messages, because later deltas change them. */
function kindOf(delta: Exclude<PartDelta["delta"], { case: "citation" }>): Part["kind"] {
  switch (delta.case) {
    case "text":
    case "refusal":
      return { case: delta.case, value: delta.value };
    case "reasoning":
      return { case: delta.case, value: { ...delta.value } };
    case "toolCall":
      return { case: delta.case, value: { ...delta.value } };
    case "serverToolCall":
      return { case: delta.case, value: { ...delta.value } };
    case "serverToolResult":
      return { case: delta.case, value: { ...delta.value } };
    case "media":
      return { case: delta.case, value: { ...delta.value } };
    case undefined:
      return { case: undefined };
    default:
      return delta satisfies never;
  }
}

function extendKind(kind: Part["kind"], delta: PartDelta["delta"]): void {
  if (kind.case === "text" && delta.case === "text") kind.value += delta.value;
  else if (kind.case === "refusal" && delta.case === "refusal") kind.value += delta.value;
  else if (kind.case === "reasoning" && delta.case === "reasoning") {
    kind.value.text += delta.value.text;
    kind.value.redacted ||= delta.value.redacted;
  } else if (kind.case === "toolCall" && delta.case === "toolCall") {
    kind.value.argumentsJson += delta.value.argumentsJson;
  } else if (kind.case === "serverToolCall" && delta.case === "serverToolCall") {
    kind.value.inputJson += delta.value.inputJson;
  } else if (kind.case === "serverToolResult" && delta.case === "serverToolResult") {
    kind.value.outputJson += delta.value.outputJson;
    kind.value.isError ||= delta.value.isError;
  } else if (kind.case === "media" && delta.case === "media") {
    extendMedia(kind.value, delta.value);
  }
}

function extendMedia(media: Media, delta: Media): void {
  media.transcript += delta.transcript;
  // The first delta can have only a transcript. `joinBytes` sets the bytes of all deltas.
  if (media.source.case === undefined) media.source = delta.source;
}

function joinBytes(part: Part, { states, media }: JoinedLater): void {
  const state = joinStates(states);
  if (state !== undefined) part.providerState = state;
  if (media.length > 1 && part.kind.case === "media") {
    part.kind.value.source = { case: "data", value: Buffer.concat(media) };
  }
}

/** Joins the provider states of one part by concatenating their bytes. Undefined if there are none. */
export function joinStates(states: readonly ProviderState[]): ProviderState | undefined {
  const last = states.at(-1);
  return states.length < 2 || last === undefined
    ? last
    : { ...last, data: Buffer.concat(states.map(({ data }) => data)) };
}

function finish(choice: Choice, finished: ChoiceFinished): void {
  choice.finishReason = finished.finishReason;
  choice.providerFinishReason = finished.providerFinishReason;
  choice.matchedStopSequence = finished.matchedStopSequence;
  choice.sources = finished.sources;
  choice.providerMetadataJson = finished.providerMetadataJson;
  if (finished.outputViolation) choice.outputViolation = finished.outputViolation;
}

function complete(completion: ChatCompletion, completed: ChatCompleted): void {
  if (completed.usage) completion.usage = completed.usage;
  append(completion.warnings, completed.warnings);
  completion.serviceTier = completed.serviceTier;
  completion.systemFingerprint = completed.systemFingerprint;
  if (completed.timeInfo) completion.timeInfo = completed.timeInfo;
  append(completion.attempts, completed.attempts);
  completion.providerMetadataJson = completed.providerMetadataJson;
}
