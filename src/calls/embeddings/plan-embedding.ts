import { create, type JsonObject } from "@bufbuild/protobuf";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { addLearned, type LearnedField, learnedText } from "../../chat/planning/learned.ts";
import { anyOptions, optionViolations } from "../../chat/planning/provider-options.ts";
import { type FieldViolation, GatewayError, invalidRequest } from "../../errors.ts";
import { type FieldPath, formatPath } from "../../field-path.ts";
import type { EmbedRequest } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { type Warning, WarningSchema } from "../../gen/dragoman/v1/warning_pb.js";
import type { EmbeddingApi } from "../../providers/embedding-api.ts";
import type { Target } from "../../routing/target.ts";
import { warningOfPrice } from "../price-unknown.ts";
import type { Snapshot } from "../snapshot.ts";

/** How Dragoman sends a request for embeddings to a target. */
export interface EmbeddingPlan {
  readonly target: Target;
  readonly api: EmbeddingApi;
  /** The request without what the model does not support. Its inputs are those of the caller. */
  readonly request: EmbedRequest;
  readonly warnings: readonly Warning[];
  /** Plans the same request without fields that the target has just rejected. */
  readonly revise: (learned: readonly LearnedField[]) => EmbeddingPlan;
}

interface EmbeddingContext {
  readonly snapshot: Pick<Snapshot, "rejectsOptions" | "prices">;
  /** Fields of the caller's HTTP API that EmbedRequest lacks. */
  readonly extraFields: JsonObject;
  /** Returns the caller's name of a field. */
  readonly nameField: (path: FieldPath) => string;
  /** Returns the fields that a target rejected before although their callers had not set them. */
  readonly learnedBy: (target: Target) => readonly LearnedField[];
}

/** Returns the embeddings of a target without fields that it rejected. Undefined: it has none. */
export function embeddingsWithout({ adapter }: Target, learned: readonly LearnedField[]): EmbeddingApi | undefined {
  const names = learned.filter(({ name }) => adapter.embeddings?.ownFields?.includes(name)).map(({ name }) => name);
  const sent = names.length === 0 ? adapter : (adapter.without?.(new Set(names)) ?? adapter);
  return sent.embeddings;
}

/**
 * Prepares a valid request for a target. Throws UNSUPPORTED_PARAMETER if the target cannot serve it, and INVALID_REQUEST
 * for wrong provider options.
 */
export function planEmbedding(caller: EmbedRequest, base: Target, context: EmbeddingContext): EmbeddingPlan {
  const { snapshot, extraFields, nameField } = context;
  const { rejectsOptions = false, prices } = snapshot;
  const { model, adapter } = base;
  const learned = context.learnedBy(base);
  const api = embeddingsWithout(base, learned);
  // Such a target has an obstacle (call-targets.ts).
  if (api === undefined) throw new Error(`${model.provider} has no embeddings`);
  const asked = withExtraFields(caller, model.provider, extraFields);
  const wrong = rejectsOptions ? anyOptions(asked) : optionViolations(asked, model.provider, api.contractNames);
  if (wrong.length > 0) throw invalidRequest(wrong.map(inMessage));
  const adaptations = [...api.checkSupport(asked, model), ...lostFields(extraFields, base)];
  const rejected = adaptations.filter(({ kind }) => kind === "REJECTED");
  if (rejected.length > 0) throw unsupported(rejected);
  const priceWarning = warningOfPrice(model, prices);
  const leftOut = learned.filter(({ name }) => adapter.embeddings?.ownFields?.includes(name));
  return {
    target: base,
    api,
    request: adaptations.reduce(adapted, asked),
    warnings: [
      ...adaptations.map(({ kind: reason, field, message }) =>
        create(WarningSchema, { reason, field: nameField(field), message }),
      ),
      ...leftOut.map((field) => {
        const path = ["provider_options", model.provider, field.name];
        return create(WarningSchema, { reason: "LEARNED", field: nameField(path), message: learnedText(field) });
      }),
      ...(priceWarning ? [priceWarning] : []),
    ],
    revise: (added) => planEmbedding(caller, base, { ...context, learnedBy: () => addLearned(learned, added) }),
  };
}

/** Adds fields to the options of a provider. Those that the caller set as options win. */
function withExtraFields(request: EmbedRequest, provider: string, fields: JsonObject): EmbedRequest {
  if (Object.keys(fields).length === 0) return request;
  const { providerOptions } = request;
  return {
    ...request,
    providerOptions: { ...providerOptions, [provider]: { ...fields, ...providerOptions[provider] } },
  };
}

/** Reports the extra fields of a request to a provider that runs inside Dragoman, which has none. */
function lostFields(fields: JsonObject, { model, adapter }: Target): readonly Adaptation[] {
  if (adapter.embeddings?.contractNames !== undefined) return [];
  return Object.keys(fields).map((name) => ({
    kind: "UNSUPPORTED_PARAMETER",
    field: ["provider_options", model.provider, name],
    message: `the provider ${model.provider} does not support ${name}`,
  }));
}

function unsupported(rejected: readonly Adaptation[]): GatewayError {
  return new GatewayError("UNSUPPORTED_PARAMETER", rejected.map(({ message }) => message).join("; "), {
    fields: rejected.map(({ field, message }) => ({ root: "message", field, description: message })),
    metadata: { fields: rejected.map(({ field }) => formatPath(field)).join(",") },
  });
}

function inMessage(violation: FieldViolation): FieldViolation {
  return { ...violation, root: "message" };
}

/** Drops or replaces a field of the request. Only top-level fields can be adapted. */
function adapted(request: EmbedRequest, { field: [name], set }: Adaptation): EmbedRequest {
  switch (name) {
    case "task":
      return { ...request, task: typeof set === "number" ? set : 0 };
    case "user":
      return { ...request, user: "" };
    case "provider_options":
      return request;
    default:
      throw new Error(`EmbedRequest.${String(name)} cannot be adapted`);
  }
}
