import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type FieldViolation, invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/** Parameter that the configuration declares for a model or deployment (Scale EGP deployments API). */
export interface DeclaredParameter {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean";
  /** For human readers; may be empty. */
  readonly description: string;
  readonly required: boolean;
}

interface ParameterType {
  /** Name with its article, for errors: `a string`. */
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
 * Checks `deployment_parameters` against the parameters that the model declares. Returns a violation for each unknown
 * name, missing required parameter and value of a wrong type. A model without declared parameters accepts none.
 */
export function deploymentParameterViolations(
  { deploymentParameters = {} }: ChatRequest,
  declared: readonly DeclaredParameter[] = [],
): readonly FieldViolation[] {
  if (declared.length === 0 && Object.keys(deploymentParameters).length === 0) return [];
  const known = new Map(declared.map((parameter) => [parameter.name, parameter]));
  const names = [...known.keys()].join(", ");
  const accepted = names === "" ? "this model accepts none" : `this model accepts ${names}`;
  const wrong = Object.entries(deploymentParameters).flatMap(([name, value]) => {
    const parameter = known.get(name);
    if (parameter === undefined) return violation(name, `is not a deployment parameter of this model; ${accepted}`);
    const { name: type, accepts } = types[parameter.type];
    return accepts(value) ? [] : violation(name, `must be ${type}`);
  });
  const missing = declared
    .filter(({ name, required }) => required && !Object.hasOwn(deploymentParameters, name))
    .flatMap(({ name, type }) => violation(name, `is required and must be ${types[type].name}`));
  return [...wrong, ...missing];
}

/**
 * Field of the upstream request that contains the deployment parameters, by provider. For all other providers, each
 * parameter is a top-level field. Cerebras documents `model_parameters` in its SDK.
 */
export const deploymentFields: Readonly<Record<string, string>> = { cerebras: "model_parameters" };

/**
 * Moves deployment parameters into `provider_options`, so that adapters do not have to handle them. Throws
 * INVALID_REQUEST for parameters that `provider_options` also sets, because neither value takes precedence.
 *
 * Runs before the steps that would have to handle deployment parameters.
 */
export function placeDeploymentParameters(
  draft: Draft,
  { model: { provider } }: Pick<PlanningContext, "model">,
): Draft {
  if (draft.request.deploymentParameters === undefined) return draft;
  const { deploymentParameters, ...rest } = draft.request;
  if (Object.keys(deploymentParameters).length === 0) return { ...draft, request: rest };
  const options = rest.providerOptions[provider] ?? {};
  const field = deploymentFields[provider];
  const placed: JsonObject = field === undefined ? deploymentParameters : { [field]: deploymentParameters };
  const twice = Object.keys(placed).filter((name) => Object.hasOwn(options, name));
  if (twice.length > 0) {
    const description = "is also set in deployment_parameters; set it in only one of them";
    throw invalidRequest(twice.map((name) => ({ field: ["provider_options", provider, name], description })));
  }
  const providerOptions = { ...rest.providerOptions, [provider]: { ...options, ...placed } };
  return { ...draft, request: { ...rest, providerOptions } };
}

function violation(name: string, description: string): readonly FieldViolation[] {
  return [{ field: ["deployment_parameters", name], description }];
}
