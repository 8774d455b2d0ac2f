import type { LearnedField } from "../../chat/planning/learned.ts";
import { contractFieldOf, isSameName } from "../../chat/planning/provider-options.ts";
import { type FieldViolation, GatewayError } from "../../errors.ts";
import type { EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { rejectionOf, stepsOf } from "../learn.ts";
import type { EmbeddingPlan } from "./plan-embedding.ts";

/**
 * Returns the fields of the adapter that a request can do without after the provider rejected them. Undefined if the
 * error names none, or also a field that the caller set.
 */
export function learnFromEmbedding(
  failure: unknown,
  { api, target }: EmbeddingPlan,
  untilMs: number,
): readonly LearnedField[] | undefined {
  if (!(failure instanceof GatewayError)) return undefined;
  const learned: LearnedField[] = [];
  for (const rejected of failure.facts.rejectedFields ?? []) {
    const [first = ""] = stepsOf(rejected.path);
    const name = api.ownFields?.find((own) => isSameName(own, first));
    if (name === undefined) return undefined;
    learned.push({ name, rejection: rejectionOf(failure, rejected, name, target), untilMs });
  }
  return learned.length === 0 ? undefined : learned;
}

/** Adds the fields that the provider rejected and the caller set to an error, as the caller's fields. */
export function nameRejectedField(failure: unknown, { api, request }: EmbeddingPlan): unknown {
  if (!(failure instanceof GatewayError) || failure.facts.fields !== undefined) return failure;
  const fields = new Map<string, FieldViolation>();
  for (const { path } of failure.facts.rejectedFields ?? []) {
    const name = api.contractNames && contractFieldOf(api.contractNames, stepsOf(path));
    if (name === undefined || !isSet(request, name)) continue;
    const advice = advices[name];
    const description = advice === undefined ? failure.message : `${failure.message}; ${advice}`;
    fields.set(name, { root: "message", field: [name], description });
  }
  return fields.size === 0 ? failure : failure.with({ fields: [...fields.values()] });
}

/** What to do about a rejected field. */
const advices: Readonly<Record<string, string>> = {
  dimensions: "omit dimensions for vectors of the model's own length, which Dragoman does not do by itself",
};

function isSet({ dimensions, user }: EmbedRequest, name: string): boolean {
  if (name === "dimensions") return dimensions !== undefined;
  return name === "user" ? user !== "" : name === "inputs";
}
