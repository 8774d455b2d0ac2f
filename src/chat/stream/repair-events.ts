import { create } from "@bufbuild/protobuf";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { type Warning, WarningSchema } from "../../gen/dragoman/v1/warning_pb.js";
import { wellFormed } from "../../well-formed.ts";
import { CallNames } from "./call-names.ts";
import type { ChatEvent } from "./events.ts";
import { HeldText, type Joinable } from "./held-text.ts";
import { mapBatch } from "./map-batch.ts";

/**
 * Creates a function that repairs the events of one adapter, so that they keep the contract whatever the provider sent:
 *
 * - No delta ends within a character. JSON can cut a character into two halves of a surrogate pair, and a stream can
 *   send them in two deltas.
 * - A call's arguments do not begin with an empty object that the real ones replace.
 * - The tool calls of a turn have different ids, and ids and names have at most the contract's length. Otherwise the
 *   message could not be sent back.
 */
export function createRepairs(): (batch: readonly ChatEvent[]) => readonly ChatEvent[] {
  const warnings: Warning[] = [];
  /** Undefined: no event so far needed a repair, as in most responses. */
  let held: HeldText | undefined;
  let names: CallNames | undefined;

  function warn(message: string): void {
    if (warnings.some((warning) => warning.message === message)) return;
    warnings.push(create(WarningSchema, { reason: "INFERRED", message }));
  }

  function repair(event: ChatEvent): ChatEvent | readonly ChatEvent[] {
    switch (event.case) {
      case "started":
        return event;
      case "delta":
        return isSound(event.value) ? event : repairDelta(event.value);
      case "finished": {
        const value = wellFormed(event.value);
        const end: ChatEvent = value === event.value ? event : { case: "finished", value };
        return held === undefined || held.isEmpty ? end : [...held.end(value.choiceIndex), end];
      }
      case "completed": {
        const value = wellFormed(event.value);
        if (warnings.length === 0) return value === event.value ? event : { case: "completed", value };
        return { case: "completed", value: { ...value, warnings: [...value.warnings, ...warnings] } };
      }
      default:
        return event satisfies never;
    }
  }

  function repairDelta(value: PartDelta): readonly ChatEvent[] {
    const { delta, logprobs, ...place } = value;
    if (delta.case === undefined || delta.case === "citation") return [{ case: "delta", value: wellFormed(value) }];
    names ??= new CallNames(warn);
    held ??= new HeldText();
    const named = names.add(place, delta);
    const joined = held.add(place, named);
    const isAllHeld = joined !== named && isEmptyContinuation(joined);
    if (isAllHeld && logprobs === undefined && place.providerState === undefined) return [];
    return [
      {
        case: "delta",
        value: { ...place, delta: joined, ...(logprobs && { logprobs: wellFormed(logprobs) }) },
      },
    ];
  }

  function isSound({ delta, logprobs }: PartDelta): boolean {
    const holdsText = held !== undefined && !held.isEmpty;
    return !holdsText && isWhole(delta) && (logprobs === undefined || hasSoundTokens(logprobs));
  }

  return (batch) => mapBatch(batch, repair);
}

function hasSoundTokens({ tokens }: NonNullable<PartDelta["logprobs"]>): boolean {
  for (const { token, topLogprobs } of tokens) {
    if (!token.isWellFormed()) return false;
    for (const top of topLogprobs) if (!top.token.isWellFormed()) return false;
  }
  return true;
}

/** Whether a delta continues a call without adding to it. */
function isEmptyContinuation({ case: kind, value }: Joinable): boolean {
  return kind === "toolCall" && value.id === "" && value.name === "" && value.argumentsJson === "";
}

/** Whether a delta needs no repair: its text has whole characters, and it begins no call. */
function isWhole(delta: PartDelta["delta"]): boolean {
  switch (delta.case) {
    case "text":
    case "refusal":
      return delta.value.isWellFormed();
    case "reasoning":
      return delta.value.text.isWellFormed();
    case "toolCall":
      return delta.value.id === "" && delta.value.argumentsJson.isWellFormed();
    case "serverToolCall":
    case "serverToolResult":
    case "media":
    case "citation":
    case undefined:
      return false;
    default:
      return delta satisfies never;
  }
}
