import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type FieldViolation, invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/** A parameter that a model or deployment takes besides those of the contract (seed 003). */
export interface DeclaredParameter {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean";
  /** For a person; may be empty. */
  readonly description: string;
  readonly required: boolean;
}

interface ParameterType {
  /** With its article: `a string`. */
  readonly name: string;
  readonly accepts: (value: JsonValue) => boolean;
}

const types = {
  string: { name: "a string", accepts: (value) => typeof value === "string" },
  integer: { name: "an integer", accepts: (value) => Number.isInteger(value) },
  number: { name: "a number", accepts: (value) => Number.isFinite(value) },
  boolean: { name: "true or false", accepts: (value) => typeof value === "boolean" },
} as const satisfies Record<DeclaredParameter["type"], ParameterType>;

/**
 * Where `deployment_parameters` do not hold to what the model declares: keys that it does not know, required ones that
 * are missing, and values of another type. A model without declared parameters takes none.
 */
export function deploymentParameterViolations(
  { deploymentParameters = {} }: ChatRequest,
  declared: readonly DeclaredParameter[] = [],
): readonly FieldViolation[] {
  const known = new Map(declared.map((parameter) => [parameter.name, parameter]));
  const names = [...known.keys()].join(", ");
  const takes = names === "" ? "this model takes none" : `this model takes ${names}`;
  const wrong = Object.entries(deploymentParameters).flatMap(([name, value]) => {
    const parameter = known.get(name);
    if (parameter === undefined) return violation(name, `is not a parameter of the model; ${takes}`);
    const { name: type, accepts } = types[parameter.type];
    return accepts(value) ? [] : violation(name, `must be ${type}`);
  });
  const missing = declared
    .filter(({ name, required }) => required && !Object.hasOwn(deploymentParameters, name))
    .flatMap(({ name, type }) => violation(name, `is required: ${types[type].name}`));
  return [...wrong, ...missing];
}

/**
 * Providers that take declared parameters under a field of their own instead of beside the others: Cerebras as
 * `model_parameters` (its SDK's chat completion request).
 */
const fields: Readonly<Record<string, string>> = { cerebras: "model_parameters" };

/**
 * Puts deployment parameters where the provider's own fields are, so that adapters need not know them. Throws
 * INVALID_REQUEST for those that `provider_options` sets too: neither is more meant than the other.
 *
 * First, so that every later step finds the request as the contract has it without them.
 */
export function placeDeploymentParameters(
  draft: Draft,
  { model: { provider } }: Pick<PlanningContext, "model">,
): Draft {
  const { deploymentParameters, ...rest } = draft.request;
  if (deploymentParameters === undefined) return draft;
  if (Object.keys(deploymentParameters).length === 0) return { ...draft, request: rest };
  const options = rest.providerOptions[provider] ?? {};
  const field = fields[provider];
  const placed: JsonObject = field === undefined ? deploymentParameters : { [field]: deploymentParameters };
  const twice = Object.keys(placed).filter((name) => Object.hasOwn(options, name));
  if (twice.length > 0) {
    const description = "is set by deployment_parameters too; send it once";
    throw invalidRequest(twice.map((name) => ({ field: ["provider_options", provider, name], description })));
  }
  const providerOptions = { ...rest.providerOptions, [provider]: { ...options, ...placed } };
  return { ...draft, request: { ...rest, providerOptions } };
}

function violation(name: string, description: string): readonly FieldViolation[] {
  return [{ field: ["deployment_parameters", name], description }];
}
