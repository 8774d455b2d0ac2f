import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import { isSystem } from "../validation/request-rules.ts";
import type { Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";
import type { Profile } from "./profile.ts";

/**
 * Puts the profile's defaults in the places that the caller left empty.
 *
 * After a fallback to completion, which leaves no place for instructions, and before everything that reads parameters.
 */
export function fillDefaults(draft: Draft, { model, profile }: Pick<PlanningContext, "model" | "profile">): Draft {
  const { defaults, instructions } = profile;
  const request = { ...draft.request };
  const wantsInstructions = request.instructions === undefined && !request.messages.some(isSystem);
  if (instructions !== undefined && wantsInstructions) request.instructions = instructions;
  if (Object.keys(defaults).length === 0) return { ...draft, request };
  const missing = missingDefaults(request, profile, model);
  const parameters = { ...(request.parameters ?? create(GenerationParametersSchema)) };
  request.parameters = Object.assign(parameters, Object.fromEntries(missing));
  const names = missing.map(([name]) => name);
  const defaulted = GenerationParametersSchema.fields
    .filter(({ localName }) => names.includes(localName))
    .map(({ name }) => ["parameters", name]);
  return { ...draft, request, defaulted };
}

/** The parameters that the profile sets, since the caller left them empty. */
function missingDefaults({ parameters }: ChatRequest, { defaults, eitherFamilies }: Profile, { family }: Model) {
  // 1 asks for nothing.
  const isTopP = (parameters?.topP ?? 1) < 1 && eitherFamilies.includes(family);
  return Object.entries(defaults).filter(
    ([name]) => Reflect.get(parameters ?? {}, name) === undefined && !(isTopP && name === "temperature"),
  );
}
