import type { ProfileSource } from "../chat/planning/profile-texts.ts";
import { Profile } from "../gen/dragoman/v1/profile_pb.js";
import { type ProfileName, profileNames } from "./profiles.ts";

/** Values of the proto enum by the profile's name in the configuration. */
export const profileValues = {
  plain: Profile.PLAIN,
  "egp-chat": Profile.EGP_CHAT,
  "egp-deployment": Profile.EGP_DEPLOYMENT,
  cerebras: Profile.CEREBRAS,
  deepinfra: Profile.DEEPINFRA,
} as const satisfies Record<ProfileName, Profile>;

/** Returns the profile's name in the configuration. Undefined for PROFILE_UNSPECIFIED and for unknown values. */
export function profileName(profile: Profile): ProfileName | undefined {
  return profileNames.find((name) => profileValues[name] === profile);
}

/** The profiles that a call could have, from each source. */
interface ProfileCandidates {
  /** ChatRequest.profile; PROFILE_UNSPECIFIED if it is not set. */
  readonly request: Profile;
  /** Profile of the HTTP API that received the request. Undefined: it has none. */
  readonly api: ProfileName | undefined;
  /** Own profile of the model or deployment; PROFILE_UNSPECIFIED if it has none. */
  readonly model: Profile;
  /** Whether `model` is the profile of a deployment. Default false. */
  readonly isDeployment?: boolean;
  /** `profile` of the route that the request names. Default: the request names no route, or its route has none. */
  readonly route?: ProfileName | undefined;
  /** Top-level `profile` of the configuration. Undefined: it has none. */
  readonly configured: ProfileName | undefined;
}

/** The profile of a call and what selected it. */
export interface SelectedProfile {
  readonly name: ProfileName;
  readonly source: ProfileSource;
}

/**
 * Selects the profile of a call, in the order that profile.proto documents. If the request sets the profile that would
 * apply anyway, the source is the other one, so that no error advises the caller to leave the field out in vain.
 */
export function selectProfile(candidates: ProfileCandidates): SelectedProfile {
  const requested = profileName(candidates.request);
  const usual = withoutRequest(candidates);
  return requested === undefined || requested === usual.name ? usual : { name: requested, source: "request" };
}

/** Selects the profile that applies if the request sets none. */
function withoutRequest({ api, model, isDeployment = false, route, configured }: ProfileCandidates): SelectedProfile {
  if (api !== undefined) return { name: api, source: "api" };
  const own = profileName(model);
  if (own !== undefined) return { name: own, source: isDeployment ? "deployment" : "model" };
  if (route !== undefined) return { name: route, source: "route" };
  return configured === undefined
    ? { name: "plain", source: "default" }
    : { name: configured, source: "configuration" };
}
