import { plainRules, type RouteSettings } from "../config/route.ts";
import { GatewayError, toGatewayError } from "../errors.ts";
import { type Model, ModelCapabilitiesSchema } from "../gen/dragoman/v1/model_pb.js";
import type { Operation } from "../ledger/record.ts";
import { isEmbeddingModel } from "../models/model-row.ts";
import type { Candidate, CandidateRoute, CandidateTier } from "../routing/candidate.ts";
import type { Router } from "../routing/router.ts";
import { type Target, targetOf } from "../routing/target.ts";
import type { Snapshot } from "./snapshot.ts";

/** A target that a call may use. */
export interface CallTarget extends Candidate {
  /** Undefined: the model or its provider cannot be used, and `obstacle` says why. */
  readonly target: Target | undefined;
  /** Route that names the target. Undefined: the caller names the model. */
  readonly route: RouteSettings | undefined;
}

/** A request that names its targets. */
export interface NamingRequest {
  /** What it asks for. Targets that do not have it are not usable. */
  readonly operation: Exclude<Operation, "count_tokens">;
  /** Model or route. */
  readonly model: string;
  /** Further models or routes, for when those before them fail. */
  readonly fallbackModels: readonly string[];
  /** Output limit in tokens, to compare prices. Undefined: the caller set none. */
  readonly maxOutputTokens: number | undefined;
  /** Estimates the tokens of the prompt, to compare prices. */
  inputTokens(): number;
}

/** What the names of a request mean. */
interface Names {
  readonly request: NamingRequest;
  readonly snapshot: Snapshot;
  readonly account: string;
  readonly router: Router;
}

/** Output tokens of a response to a request without a limit, to compare prices. */
const usualOutputTokens = 500;

/**
 * Returns the targets of a request: those of the route or model that it names, then those of its `fallback_models`.
 * Throws MODEL_NOT_FOUND or PROVIDER_NOT_CONFIGURED for a name that the caller cannot use.
 */
export function targetsOf(names: Names): CandidateRoute<CallTarget> {
  const { model, fallbackModels } = names.request;
  const { id, tiers, rules } = namedBy(model, names);
  if (fallbackModels.length === 0) return { id, tiers, rules };
  const all = [...tiers];
  const known = new Set(tiers.flatMap(({ members }) => members.map(({ state }) => state)));
  for (const [index, name] of fallbackModels.entries()) {
    try {
      for (const { balance, members } of namedBy(name, names).tiers) {
        // A target that is named twice is tried in its first place.
        const further = members.filter(({ state }) => !known.has(state));
        for (const { state } of further) known.add(state);
        if (further.length > 0) all.push({ balance, members: further });
      }
    } catch (error) {
      const failure = toGatewayError(error);
      const description = failure.message;
      throw failure.with({ fields: [{ field: ["fallback_models", index], description }] });
    }
  }
  return { id, tiers: all, rules: withRoom(rules, all.length) };
}

function namedBy(name: string, names: Names): CandidateRoute<CallTarget> {
  const { snapshot, account, router } = names;
  const { catalog, adapters, plainRules: rules = plainRules } = snapshot;
  const route = catalog.routeOf(name);
  if (route === undefined) {
    const target = targetOf(catalog.resolveTarget(name, account), adapters);
    const member = candidateOf(target, 1, undefined, names);
    return { id: "", tiers: [{ balance: "order", members: [member] }], rules };
  }
  let inputTokens: number | undefined;
  const costOf = (model: Model): number | undefined => {
    inputTokens ??= names.request.inputTokens();
    return costAt(model, inputTokens, names);
  };
  const tiers = route.tiers.map(({ balance, targets }): CandidateTier<CallTarget> => {
    const members = targets.map(({ model, weight }) => {
      try {
        const target = targetOf(catalog.resolveTarget(model, account), adapters);
        const candidate = candidateOf(target, weight, route, names);
        return balance === "cost" ? { ...candidate, cost: costOf(target.model) } : candidate;
      } catch (error) {
        return unusable(model, route, toGatewayError(error), router);
      }
    });
    return { balance, members };
  });
  return { id: route.id, tiers, rules: route };
}

function candidateOf(
  target: Target,
  weight: number,
  route: RouteSettings | undefined,
  { request, router }: Names,
): CallTarget {
  const { model, adapter } = target;
  const state = router.stateFor(target);
  return {
    target,
    route,
    state,
    weight,
    keys: state.keysFor(adapter.keys),
    cost: undefined,
    windowTokens: model.contextWindowTokens,
    obstacle: otherOperation(target, request.operation) ?? (route && missingCapability(model, route)),
  };
}

/** Returns what a call would cost at a model, without cached tokens: in picodollars, roughly. */
function costAt(model: Model, inputTokens: number, { request, snapshot }: Names): number | undefined {
  const { maxOutputTokens = usualOutputTokens } = request;
  const outputTokens = Math.min(maxOutputTokens, usualOutputTokens);
  const cost = snapshot.prices?.estimatedCost(model, inputTokens, outputTokens);
  return cost === undefined ? undefined : Number(cost);
}

function unusable(name: string, route: RouteSettings, obstacle: GatewayError, router: Router): CallTarget {
  const state = router.stateOfNobody(name);
  return {
    target: undefined,
    route,
    state,
    weight: 0,
    keys: state.keysFor([]),
    cost: undefined,
    windowTokens: 0,
    obstacle,
  };
}

/** Returns why a target cannot be asked for something. Undefined: it can, or its capabilities are unknown. */
function otherOperation({ model, adapter }: Target, operation: NamingRequest["operation"]): GatewayError | undefined {
  const { id, provider } = model;
  if (operation === "chat") {
    if (!isEmbeddingModel(model)) return undefined;
    return notUsable(
      model,
      `the model ${id} returns embeddings, and no chat responses; call Embed or POST /v1/embeddings`,
    );
  }
  if (adapter.embeddings === undefined) {
    return notUsable(
      model,
      `the provider ${provider} has no embeddings; request an embedding model of another provider`,
    );
  }
  if (model.capabilities === undefined || isEmbeddingModel(model)) return undefined;
  return notUsable(model, `the model ${id} returns chat responses, and no embeddings; request an embedding model`);
}

function notUsable({ id, provider }: Model, message: string): GatewayError {
  return new GatewayError("UNSUPPORTED_PARAMETER", message, {
    fields: [{ field: ["model"], description: message }],
    metadata: { model: id, provider },
  });
}

function missingCapability(
  { id, capabilities }: Model,
  { id: route, require }: RouteSettings,
): GatewayError | undefined {
  const missing = capabilities && require.find((capability) => !capabilities[capability]);
  if (missing === undefined) return undefined;
  const { name } = ModelCapabilitiesSchema.field[missing];
  const message = `${id} does not have the capability ${name}, which the route ${route} requires`;
  return new GatewayError("UNSUPPORTED_PARAMETER", message);
}

/** Allows at least one attempt for each tier: the rules of the first name know nothing of the caller's fallbacks. */
function withRoom<Rules extends CandidateRoute<CallTarget>["rules"]>(rules: Rules, tiers: number): Rules {
  return { ...rules, maxAttempts: Math.max(rules.maxAttempts, rules.maxPerTarget + tiers - 1) };
}
