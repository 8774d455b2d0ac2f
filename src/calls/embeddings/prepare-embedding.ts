import type { JsonObject } from "@bufbuild/protobuf";
import { annotationViolations } from "../../chat/validation/annotations.ts";
import { invalidRequest } from "../../errors.ts";
import { type FieldPath, formatPath } from "../../field-path.ts";
import { type EmbedRequest, EmbedRequestSchema } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { Pace } from "../../pace.ts";
import type { CandidateRoute } from "../../routing/candidate.ts";
import { estimateEmbeddingTokens } from "../../tokens/embedding-size.ts";
import { allowedModels } from "../allowed-models.ts";
import type { Call } from "../call.ts";
import { type CallTarget, targetsOf } from "../call-targets.ts";
import { noteCaller } from "../note-caller.ts";
import { type EmbeddingPlan, planEmbedding } from "./plan-embedding.ts";
import { requireOneModel } from "./vector-space.ts";

/** Request of a call, from Dragoman's own API or from another HTTP API. */
export interface EmbeddingCall {
  readonly request: EmbedRequest;
  /** Fields of the HTTP API that EmbedRequest lacks, for the provider of the model, whichever it is. Default: none. */
  readonly extraFields?: JsonObject;
  /** Returns the caller's name of a field. Default: its path in EmbedRequest. */
  readonly nameField?: (path: FieldPath) => string;
}

/** Valid request of a call, with the targets that it may use. */
export interface PreparedEmbedding {
  readonly request: EmbedRequest;
  /** Account of the call. Empty: none. */
  readonly account: string;
  readonly route: CandidateRoute<CallTarget>;
  /** Plans the request for a target. Throws a GatewayError if the target cannot serve it. */
  plan(candidate: CallTarget): EmbeddingPlan;
}

/** Bytes from which decoding a request can take 10 ms. */
const largeRequest = 128 * 1024;

/** Validates the request of a call and finds its targets. Adds account, user, labels and model to the record. */
export async function prepareEmbedding(
  call: Call,
  { request, extraFields = {}, nameField = formatPath }: EmbeddingCall,
): Promise<PreparedEmbedding> {
  const pace = new Pace();
  // The listener has decoded the request in this turn of the event loop.
  if (call.requestBytes > largeRequest) await pace.nextTurn();
  call.signal.throwIfAborted();
  const { snapshot, router } = call;
  const account = noteCaller(call, request, false);
  const allowed = allowedModels(call, account);
  const violations = await annotationViolations(EmbedRequestSchema, request);
  if (violations.length > 0) throw invalidRequest(violations);
  if (pace.isLong) await pace.nextTurn();
  call.signal.throwIfAborted();
  const { model } = request;
  allowed.require(model);
  const inputTokens = () => estimateEmbeddingTokens(request.inputs);
  const route = targetsOf({
    request: { operation: "embeddings", model, fallbackModels: [], maxOutputTokens: 0, inputTokens },
    ...{ snapshot, account, router },
  });
  requireOneModel(route);
  call.note({ route: route.id });
  const plans = new Map<CallTarget, EmbeddingPlan>();
  return {
    request,
    account,
    route,
    plan(candidate) {
      const { target, obstacle } = candidate;
      if (target === undefined) throw obstacle;
      const known = plans.get(candidate);
      if (known !== undefined) return known;
      call.acquireSlot(undefined);
      const plan = planEmbedding(request, target, {
        ...{ snapshot, extraFields, nameField },
        learnedBy: (one) => call.learned.of(one),
      });
      plans.set(candidate, plan);
      return plan;
    },
  };
}
