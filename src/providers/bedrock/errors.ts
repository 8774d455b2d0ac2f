import type { Reason } from "../../errors.ts";

/** Reasons by the type of an exception, in an answer's header or in a frame of its stream. */
export const exceptionReasons: Readonly<Record<string, Reason>> = {
  ValidationException: "INVALID_REQUEST",
  ServiceQuotaExceededException: "PROVIDER_QUOTA_EXHAUSTED",
  IncompleteSignature: "PROVIDER_CREDENTIALS_REJECTED",
  IncompleteSignatureException: "PROVIDER_CREDENTIALS_REJECTED",
  RequestExpired: "PROVIDER_CREDENTIALS_REJECTED",
  InvalidAction: "PROVIDER_CREDENTIALS_REJECTED",
  AccessDeniedException: "PROVIDER_PERMISSION_DENIED",
  UnrecognizedClientException: "PROVIDER_CREDENTIALS_REJECTED",
  InvalidSignatureException: "PROVIDER_CREDENTIALS_REJECTED",
  ExpiredTokenException: "PROVIDER_CREDENTIALS_REJECTED",
  MissingAuthenticationTokenException: "PROVIDER_CREDENTIALS_REJECTED",
  ResourceNotFoundException: "MODEL_NOT_FOUND",
  ModelTimeoutException: "PROVIDER_TIMEOUT",
  ModelErrorException: "PROVIDER_FAULT",
  ModelStreamErrorException: "PROVIDER_UNAVAILABLE",
  ThrottlingException: "PROVIDER_RATE_LIMITED",
  // A model that was imported and is cold: the status is 429, but it is no limit.
  ModelNotReadyException: "PROVIDER_UNAVAILABLE",
  InternalServerException: "PROVIDER_UNAVAILABLE",
  ServiceUnavailableException: "PROVIDER_UNAVAILABLE",
};

/**
 * The type without what surrounds it: headers may add `:` and an address, bodies a namespace and `#`, and frames begin
 * it with a small letter.
 */
export function exceptionType(text: string): string {
  const [name = ""] = text.replace(/^.*#/, "").split(":");
  return name.charAt(0).toUpperCase() + name.slice(1);
}
