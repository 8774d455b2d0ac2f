import { GatewayError } from "../../errors.ts";
import { sameWeights } from "../../models/same-weights.ts";
import type { CandidateRoute } from "../../routing/candidate.ts";
import type { Target } from "../../routing/target.ts";
import type { CallTarget } from "../call-targets.ts";

/**
 * Throws if the targets of a route are different models: then the vectors of two calls could not be compared, although
 * both name the same route. Targets that no call can use do not count.
 */
export function requireOneModel({ id, tiers }: CandidateRoute<CallTarget>): void {
  const [first, ...others] = tiers.flatMap(({ members }) => members.flatMap(({ target }) => target ?? []));
  const other = first && others.find((target) => !isSameModel(first, target));
  if (first === undefined || other === undefined) return;
  const message =
    `the route ${id} has the models ${first.model.id} and ${other.model.id}, whose vectors cannot be compared; ` +
    "request one of the models, or a route whose targets are one model";
  throw new GatewayError("UNSUPPORTED_PARAMETER", message, {
    fields: [{ root: "message", field: ["model"], description: message }],
    metadata: { model: id },
  });
}

function isSameModel(one: Target, other: Target): boolean {
  return nameOf(one) === nameOf(other) || sameWeights(one.model.id).includes(other.model.id);
}

/** Returns the name of the model without what only its provider adds: the organization, and the tag `latest`. */
function nameOf({ model: { providerModel }, adapter }: Target): string {
  const name = (adapter.vendorModel?.(providerModel) ?? providerModel).toLowerCase();
  return name.slice(name.lastIndexOf("/") + 1).replace(/:latest$/, "");
}
