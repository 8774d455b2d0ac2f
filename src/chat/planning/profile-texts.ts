import type { CallerWords } from "./caller-words.ts";

/** What selected the profile of a call. `default`: nothing did, so that it is `plain`. */
export type ProfileSource = "request" | "api" | "deployment" | "model" | "route" | "configuration" | "default";

/** Phrases about the profile of a call, for the texts of errors and warnings. */
export interface ProfileTexts {
  /** What selected the profile. */
  readonly source: ProfileSource;
  /** The profile as a subject: `the profile egp-chat of this deployment`; `this API` if it is the API's own profile. */
  readonly subject: string;
  /** The profile as a condition: `under the profile egp-chat`. */
  readonly under: string;
  /** How the caller can avoid the profile's rules. Undefined: the caller cannot. */
  readonly wayOut: string | undefined;
}

/** Creates the phrases about a profile. */
export function profileTexts(name: string, source: ProfileSource, { isOwn }: Pick<CallerWords, "isOwn">): ProfileTexts {
  // An HTTP API has no field for the profile, and its callers know the rules as those of the API.
  if (source === "api") return { source, subject: "this API", under: "in this API", wayOut: undefined };
  const subject = subjectOf(name, source);
  const wayOut = name !== "plain" && isOwn ? waysOut[source] : undefined;
  return { source, subject, under: `under ${subject}`, wayOut };
}

function subjectOf(name: string, source: Exclude<ProfileSource, "api">): string {
  switch (source) {
    case "request":
    case "default":
      return `the profile ${name}`;
    case "deployment":
    case "model":
    case "route":
      return `the profile ${name} of this ${source}`;
    case "configuration":
      return `the configured profile ${name}`;
    default:
      return source satisfies never;
  }
}

const anotherProfile = "set `profile` to PROFILE_PLAIN";

const waysOut = {
  request: "leave `profile` out",
  deployment: anotherProfile,
  model: anotherProfile,
  route: anotherProfile,
  configuration: anotherProfile,
  default: undefined,
} as const satisfies Record<Exclude<ProfileSource, "api">, string | undefined>;

/** Joins the way out of a profile, if there is one, and another advice. */
export function orElse({ wayOut }: ProfileTexts, advice: string): string {
  return wayOut === undefined ? advice : `${wayOut}, or ${advice}`;
}
