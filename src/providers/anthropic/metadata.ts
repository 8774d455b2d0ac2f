import { isOtherModel } from "../kit/other-model.ts";
import { anthropicUsage } from "./usage.ts";

// Facts about a response that the contract has no fields for, such as `container`, `context_management` and
// `stop_details`. Every field counts that has a value and that no other code reads.

/** Fields of `message` in the event `message_start` that other code reads, or that state what the request said. */
const messageFields: ReadonlySet<string> = new Set([
  ...["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"],
]);

const deltaFields: ReadonlySet<string> = new Set(["stop_reason", "stop_sequence"]);
const eventFields: ReadonlySet<string> = new Set(["type", "delta", "usage"]);

/** Returns the facts in the event `message_start`. With a beta, another model than the requested one can answer. */
export function messageMetadata(event: unknown, requestedModel: string): Record<string, unknown> {
  const message = memberOf(event, "message");
  const model = memberOf(message, "model");
  const isOther = typeof model === "string" && isOtherModel(model, requestedModel);
  return { ...rest(message, messageFields), ...(isOther && { model }), ...usageMetadata(message) };
}

/** Returns the facts in the event `message_delta`. */
export function deltaMetadata(event: unknown): Record<string, unknown> {
  return { ...rest(event, eventFields), ...rest(memberOf(event, "delta"), deltaFields), ...usageMetadata(event) };
}

function usageMetadata(holder: unknown): Record<string, unknown> {
  const usage = anthropicUsage.rest(memberOf(holder, "usage"));
  return Object.keys(usage).length === 0 ? {} : { usage };
}

function rest(value: unknown, known: ReadonlySet<string>): Record<string, unknown> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([name, member]) => !known.has(name) && member !== null));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
