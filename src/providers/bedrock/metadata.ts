// Facts about a response that the contract has no fields for, such as the trace of a guardrail.

/** Members of the event `metadata` that other code reads, and the padding `p`. */
const endFields: ReadonlySet<string> = new Set(["usage", "metrics", "serviceTier", "p"]);

/** Returns the facts in the event `metadata`. */
export function endMetadata(payload: unknown): Record<string, unknown> {
  return Object.fromEntries(entriesOf(payload).filter(([name]) => !endFields.has(name)));
}

/** Returns the facts in the event `messageStop`: the model's own fields, without the matched stop sequence. */
export function stopMetadata(payload: unknown): Record<string, unknown> {
  const [, fields] = entriesOf(payload).find(([name]) => name === "additionalModelResponseFields") ?? [];
  const isObject = typeof fields === "object" && fields !== null && !Array.isArray(fields);
  const kept = isObject ? withoutStop(fields) : fields;
  return kept === undefined ? {} : { additionalModelResponseFields: kept };
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
