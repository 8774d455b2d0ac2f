import type { LearnedField } from "../chat/planning/learned.ts";
import { isAdded } from "../chat/planning/leave-out-learned.ts";
import { contractFieldOf, isSameName } from "../chat/planning/provider-options.ts";
import { isFieldSet } from "../chat/planning/with-field.ts";
import { type FieldViolation, GatewayError, type RejectedField } from "../errors.ts";
import { type FieldPath, formatPath } from "../field-path.ts";
import { ChatRequestSchema } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Target } from "../routing/target.ts";
import type { Plan } from "./plan.ts";

/**
 * Returns the fields that a request can do without after the provider rejected them: defaults, and the adapter's own
 * fields and names. Undefined if the error names none, or also a field that the caller wrote.
 */
export function learnFrom(failure: unknown, plan: Plan, untilMs: number): readonly LearnedField[] | undefined {
  if (!(failure instanceof GatewayError) || failure.facts.provider?.outputStarted) return undefined;
  const { rejectedFields = [] } = failure.facts;
  const learned = new Map<string, LearnedField>();
  for (const rejected of rejectedFields) {
    const field = dispensable(rejected, plan);
    if (field === undefined) return undefined;
    learned.set(field.name, { ...field, rejection: rejectionOf(failure, rejected, field.name, plan.target), untilMs });
  }
  return learned.size === 0 ? undefined : [...learned.values()];
}

/** Returns how the request can do without a rejected field. Undefined: it cannot. */
function dispensable(
  { path, isUnknown }: RejectedField,
  plan: Plan,
): Pick<LearnedField, "name" | "field" | "otherName"> | undefined {
  const steps = stepsOf(path);
  const own = plan.ownFields().find(({ name }) => isWithin(steps, name.split(".")));
  if (own !== undefined && own.otherName === undefined) return { name: own.name };
  // A server that knows the name may only reject the value.
  if (own?.otherName !== undefined && isUnknown) return { name: own.name, otherName: own.otherName };
  const field = contractField(steps, plan);
  return field && isAdded(plan, field) ? { name: formatPath(field), field } : undefined;
}

/**
 * Splits a path in any notation: `messages[0].name`, `tools.0.name`, `/tools/0/name`, `$.tools[0].name`, `$['tools']`.
 */
export function stepsOf(path: string): readonly string[] {
  const [first = "", ...more] = path.split(/[.[\]/'"]+/).filter((step) => step !== "");
  return (first === "$" || first === "body") && more.length > 0 ? more : [first, ...more];
}

/** Whether a path is a field or inside it, whatever the spelling of the names. */
function isWithin(path: readonly string[], field: readonly string[]): boolean {
  return field.every((name, index) => isSameName(name, path[index] ?? ""));
}

/** Returns the ChatRequest field that a path of the upstream body belongs to. */
function contractField(steps: readonly string[], { target }: Plan): FieldPath | undefined {
  const names = target.adapter.contractNames;
  return names === undefined ? undefined : contractFieldOf(names, steps)?.split(".");
}

/** Describes a rejection. Omits the provider's sentence, which may quote the prompt of this call to later callers. */
export function rejectionOf(
  { facts }: GatewayError,
  { code }: RejectedField,
  name: string,
  { model: { provider } }: Pick<Target, "model">,
): string {
  const words = [code, facts.provider?.code ?? ""].filter((word) => /^[\w.:-]{1,64}$/.test(word));
  const { httpStatus = 0 } = facts.provider ?? {};
  const why = [...(httpStatus > 0 ? [`HTTP ${httpStatus}`] : []), ...words.slice(0, 1)].join(", ");
  return `${provider} rejected ${name}${why && ` (${why})`}`;
}

/** Adds the fields that the provider rejected and the caller wrote to an error, as the caller's fields. */
export function nameRejected(failure: unknown, plan: Plan): unknown {
  if (!(failure instanceof GatewayError) || failure.facts.fields !== undefined) return failure;
  const { rejectedFields = [], provider } = failure.facts;
  const fields = new Map<string, FieldViolation>();
  for (const { path } of provider?.outputStarted ? [] : rejectedFields) {
    const field = fieldOfCaller(stepsOf(path), plan);
    if (field !== undefined) fields.set(formatPath(field), { field, description: failure.message });
  }
  return fields.size === 0 ? failure : failure.with({ fields: [...fields.values()] });
}

function fieldOfCaller(steps: readonly string[], plan: Plan): FieldPath | undefined {
  const { asked, target } = plan;
  const [first = ""] = steps;
  const { provider } = target.model;
  if (Object.hasOwn(asked.deploymentParameters ?? {}, first)) return ["deployment_parameters", first];
  if (Object.hasOwn(asked.providerOptions[provider] ?? {}, first)) return ["provider_options", provider, first];
  const field = contractField(steps, plan);
  return field && isFieldSet(ChatRequestSchema, asked, field) ? field : undefined;
}
