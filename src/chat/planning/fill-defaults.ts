import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import { isSystem } from "../validation/request-rules.ts";
import type { Draft, DraftWarning } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";
import type { Profile } from "./profile.ts";

/**
 * Sets the profile's defaults for fields that the caller did not set. Default instructions are text that the caller did
 * not write, so they cause a warning, except in the HTTP API that documents them: there they would hide the warnings
 * that matter, in every response. Default parameters are in `effective_parameters`.
 *
 * Runs after `completeText`, which excludes default instructions, and before every step that reads parameters.
 */
export function fillDefaults(
  draft: Draft,
  { model, profile, profileTexts: { source, subject } }: Pick<PlanningContext, "model" | "profile" | "profileTexts">,
): Draft {
  const { defaults, instructions } = profile;
  const hasDefaults = Object.keys(defaults).length > 0;
  if (instructions === undefined && !hasDefaults) return draft;
  const request = { ...draft.request };
  const warnings = [...draft.warnings];
  const needsInstructions = request.instructions === undefined && !request.messages.some(isSystem);
  if (instructions !== undefined && needsInstructions) {
    request.instructions = instructions;
    if (source !== "api") warnings.push(addedInstructions(subject));
  }
  if (!hasDefaults) return { ...draft, request, warnings };
  const missing = missingDefaults(request, profile, model);
  const parameters = { ...(request.parameters ?? create(GenerationParametersSchema)) };
  request.parameters = Object.assign(parameters, Object.fromEntries(missing));
  const names = missing.map(([name]) => name);
  const defaulted = GenerationParametersSchema.fields
    .filter(({ localName }) => names.includes(localName))
    .map(({ name }) => ["parameters", name]);
  return { ...draft, request, defaulted, warnings };
}

function addedInstructions(subject: string): DraftWarning {
  const message = `${subject} adds its default instructions; set instructions to your own text, or to an empty one for none`;
  return { reason: "ADDED", field: ["instructions"], message };
}

/** Returns the profile's defaults of the parameters that the caller did not set. */
function missingDefaults({ parameters }: ChatRequest, { defaults, eitherFamilies }: Profile, { family }: Model) {
  // `top_p` 1 has no effect, so it does not exclude the default temperature.
  const isTopP = (parameters?.topP ?? 1) < 1 && eitherFamilies.includes(family);
  return Object.entries(defaults).filter(
    ([name]) => Reflect.get(parameters ?? {}, name) === undefined && !(isTopP && name === "temperature"),
  );
}
