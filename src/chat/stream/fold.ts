import { create } from "@bufbuild/protobuf";
import { append } from "../../append.ts";
import {
  type ChatCompletion,
  ChatCompletionSchema,
  type Choice,
  ChoiceSchema,
} from "../../gen/dragoman/v1/completion_pb.js";
import { LogProbsSchema } from "../../gen/dragoman/v1/logprobs_pb.js";
import { MessageSchema, type Part, PartSchema, type ProviderState, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { ChatCompleted, ChatStarted, ChoiceFinished, PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { ChatEvent } from "./events.ts";

/** Builds the completion from the events of one stream. Expects the order that `stream-validator.ts` requires. */
interface Fold {
  add(event: ChatEvent): void;
  /** Completion so far; complete after the event `completed`. */
  readonly completion: ChatCompletion;
}

/** Creates a fold that follows the fold law in the proto comment of `ChatCompletion`. It does not change events. */
export function createFold(): Fold {
  const completion = create(ChatCompletionSchema);
  // Joined only once, at the end: joining at each delta would take quadratic time.
  const states = new Map<Part, ProviderState[]>();

  const choices = new Map<number, Choice>();

  function choiceAt(index: number): Choice {
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = create(ChoiceSchema, { index, message: create(MessageSchema, { role: Role.ASSISTANT }) });
      choices.set(index, choice);
      completion.choices.push(choice);
    }
    return choice;
  }

  function addState(part: Part, state: ProviderState | undefined): void {
    if (state === undefined) return;
    const known = states.get(part);
    if (known === undefined) states.set(part, [state]);
    else known.push(state);
  }

  return {
    completion,
    add(event) {
      switch (event.case) {
        case "started":
          begin(completion, event.value);
          return;
        case "delta":
          addState(extend(choiceAt(event.value.choiceIndex), event.value), event.value.providerState);
          return;
        case "finished":
          finish(choiceAt(event.value.choiceIndex), event.value);
          return;
        case "completed":
          completion.choices.sort((a, b) => a.index - b.index);
          for (const [part, joined] of states) part.providerState = joinStates(joined);
          complete(completion, event.value);
          return;
        default:
          event satisfies never;
      }
    },
  };
}

function begin(completion: ChatCompletion, started: ChatStarted): void {
  completion.id = started.id;
  completion.model = started.model;
  completion.provider = started.provider;
  if (started.createTime) completion.createTime = started.createTime;
  if (started.effectiveParameters) completion.effectiveParameters = started.effectiveParameters;
  append(completion.warnings, started.warnings);
}

/** Adds a delta to its part, and returns the part. */
function extend(choice: Choice, { partIndex, delta, logprobs }: PartDelta): Part {
  const parts = choice.message?.parts ?? [];
  let part = parts[partIndex];
  if (part === undefined) {
    part = beginPart(delta);
    parts[partIndex] = part;
  } else {
    extendPart(part, delta);
  }
  if (logprobs) {
    const field = delta.case === "reasoning" ? "reasoningLogprobs" : "logprobs";
    choice[field] ??= create(LogProbsSchema);
    for (const token of logprobs.tokens) choice[field].tokens.push(token);
  }
  return part;
}

function beginPart(delta: PartDelta["delta"]): Part {
  switch (delta.case) {
    case "text":
    case "refusal":
      return create(PartSchema, { kind: { case: delta.case, value: delta.value } });
    case "reasoning":
      return create(PartSchema, { kind: { case: "reasoning", value: { ...delta.value } } });
    case "toolCall":
      return create(PartSchema, { kind: { case: "toolCall", value: { ...delta.value } } });
    case undefined:
      return create(PartSchema);
    default:
      return delta satisfies never;
  }
}

function extendPart({ kind }: Part, delta: PartDelta["delta"]): void {
  if (kind.case === "text" && delta.case === "text") kind.value += delta.value;
  else if (kind.case === "refusal" && delta.case === "refusal") kind.value += delta.value;
  else if (kind.case === "reasoning" && delta.case === "reasoning") {
    kind.value.text += delta.value.text;
    kind.value.redacted ||= delta.value.redacted;
  } else if (kind.case === "toolCall" && delta.case === "toolCall") {
    kind.value.argumentsJson += delta.value.argumentsJson;
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
}

function complete(completion: ChatCompletion, completed: ChatCompleted): void {
  if (completed.usage) completion.usage = completed.usage;
  append(completion.warnings, completed.warnings);
  completion.serviceTier = completed.serviceTier;
  completion.systemFingerprint = completed.systemFingerprint;
  if (completed.timeInfo) completion.timeInfo = completed.timeInfo;
  append(completion.attempts, completed.attempts);
}
