import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { append } from "../append.ts";
import { ownWords } from "../chat/planning/caller-words.ts";
import { deploymentParameterViolations } from "../chat/planning/deployment-parameters.ts";
import { type Profile, profileViolations } from "../chat/planning/profile.ts";
import { type ProfileTexts, profileTexts } from "../chat/planning/profile-texts.ts";
import { requestViolations } from "../chat/validation/request-rules.ts";
import { type FieldViolation, invalidRequest } from "../errors.ts";
import { isSamePath } from "../field-path.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { deploymentId } from "../models/find-model.ts";
import { profiles } from "../profiles/profiles.ts";
import { type SelectedProfile, selectProfile } from "../profiles/select-profile.ts";
import type { PlanContext } from "./plan-context.ts";

/** Request message with the chat request in its field `chat`. */
export type ChatWrapper<Desc extends DescMessage> = MessageShape<Desc> & { chat?: ChatRequest | undefined };

/** Valid chat request with its resolved model and profile. */
export interface CheckedChat {
  readonly chat: ChatRequest;
  readonly model: Model;
  readonly profile: Profile;
  readonly profileTexts: ProfileTexts;
  /** Entry of the configuration for the model. Undefined: the model has none. */
  readonly deployment: ConfiguredModel | undefined;
}

const missingChat: FieldViolation = {
  field: ["chat"],
  root: "message",
  description: 'is required; write {"chat": {"model": "...", "messages": [...]}}',
  rule: "required",
};

/** Request with the mistakes that it has at every target. */
export interface CheckedRequest {
  readonly chat: ChatRequest;
  readonly violations: readonly FieldViolation[];
}

/** Validates a request against the general request rules. `annotated`: its violations of the proto annotations. */
export function checkRequest(
  { chat }: { readonly chat?: ChatRequest | undefined },
  annotated: readonly FieldViolation[],
  maxValues: number,
): CheckedRequest {
  if (chat === undefined) throw invalidRequest([missingChat]);
  const found = requestViolations(chat, maxValues);
  // The rules in code say more about a field than its annotations.
  const violations = annotated.filter(({ field }) => !found.some((violation) => isSamePath(violation.field, field)));
  append(violations, found);
  return { chat, violations };
}

/**
 * Validates a request against the rules of its target: those of the profile and the model. Throws one error with all
 * violations, those of `checkRequest` included.
 */
export function checkTarget(
  { chat, violations }: CheckedRequest,
  model: Model,
  deployment: ConfiguredModel | undefined,
  context: PlanContext,
): CheckedChat {
  const { words = ownWords, streamed, maxValues } = context;
  const { name, source } = profileFor(chat, model, context);
  const profile = profiles[name];
  const texts = profileTexts(name, source, words);
  const narrower = profileViolations(chat, profile, { streamed, maxValues, texts, words });
  const wrong = [
    // A value outside the range in the proto is also outside the profile's narrower range. Report only the latter.
    ...violations.filter(({ field }) => !narrower.some((violation) => isSamePath(violation.field, field))),
    ...narrower,
    ...deploymentParameterViolations(chat, deployment?.parameters),
    ...(context.checkOptions?.(chat, model) ?? []),
  ];
  if (wrong.length > 0) throw invalidRequest(wrong);
  return { chat, model, profile, profileTexts: texts, deployment };
}

function profileFor(chat: ChatRequest, { id, profile }: Model, context: PlanContext): SelectedProfile {
  return selectProfile({
    request: chat.profile,
    api: context.apiProfile,
    model: profile,
    isDeployment: deploymentId(id) !== undefined,
    route: context.routeProfile,
    configured: context.configuredProfile,
  });
}
