import { hasValue, otherFields } from "../kit/metadata.ts";
import { bedrockUsage } from "./usage.ts";

// Facts about a response that the contract has no fields for, such as the trace of a guardrail.

/** Members of the event `metadata` that other code reads, and the padding `p`. */
const endFields: ReadonlySet<string> = new Set(["usage", "metrics", "serviceTier", "p"]);

/** Returns the facts in the event `metadata`. */
export function endMetadata(payload: unknown): Record<string, unknown> {
  const entries = entriesOf(payload);
  const [, counts] = entries.find(([name]) => name === "usage") ?? [];
  const usage = bedrockUsage.rest(counts);
  return {
    ...Object.fromEntries(entries.filter(([name]) => !endFields.has(name))),
    ...(hasValue(usage) && { usage }),
  };
}

/** Members of the event `messageStop` that other code reads, and the padding `p`. */
const stopFields: ReadonlySet<string> = new Set(["stopReason", "additionalModelResponseFields", "p"]);

/** Returns the facts in the event `messageStop`, among them the model's own, without the matched stop sequence. */
export function stopMetadata(payload: unknown): Record<string, unknown> {
  const others = Object.fromEntries(otherFields(payload, stopFields));
  const [, fields] = entriesOf(payload).find(([name]) => name === "additionalModelResponseFields") ?? [];
  const isObject = typeof fields === "object" && fields !== null && !Array.isArray(fields);
  const kept = isObject ? withoutStop(fields) : fields;
  return kept === undefined ? others : { ...others, additionalModelResponseFields: kept };
}

/** Dragoman itself requests `/delta/stop_sequence`, so that `delta` has nothing else in most responses. */
function withoutStop(fields: object): object | undefined {
  const kept = entriesOf(fields).flatMap(([name, value]) => {
    if (name === "stop_sequence") return [];
    if (name !== "delta") return [[name, value] as const];
    const delta = entriesOf(value).filter(([inner]) => inner !== "stop_sequence");
    return delta.length > 0 ? [[name, Object.fromEntries(delta)] as const] : [];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** Returns the members of an object that have a value. */
function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).filter(([, member]) => member !== null)
    : [];
}
