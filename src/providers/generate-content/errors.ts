import type { Reason } from "../../errors.ts";

/**
 * Reasons by the name of the gRPC code that every error of Google's carries, or by the precise word in its details. A bad
 * key is INVALID_ARGUMENT with status 400. FAILED_PRECONDITION stands for a place without a free tier, where billing is
 * off. https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export const reasonOfGoogleCode: Readonly<Record<string, Reason>> = {
  API_KEY_INVALID: "PROVIDER_CREDENTIALS_REJECTED",
  UNAUTHENTICATED: "PROVIDER_CREDENTIALS_REJECTED",
  PERMISSION_DENIED: "PROVIDER_PERMISSION_DENIED",
  INVALID_ARGUMENT: "INVALID_REQUEST",
  OUT_OF_RANGE: "INVALID_REQUEST",
  FAILED_PRECONDITION: "PROVIDER_QUOTA_EXHAUSTED",
  NOT_FOUND: "MODEL_NOT_FOUND",
  RESOURCE_EXHAUSTED: "PROVIDER_RATE_LIMITED",
  CANCELLED: "PROVIDER_UNAVAILABLE",
  ABORTED: "PROVIDER_UNAVAILABLE",
  UNKNOWN: "PROVIDER_UNAVAILABLE",
  INTERNAL: "PROVIDER_UNAVAILABLE",
  UNAVAILABLE: "PROVIDER_UNAVAILABLE",
  DEADLINE_EXCEEDED: "PROVIDER_TIMEOUT",
  UNIMPLEMENTED: "PROVIDER_FAULT",
};
