import { z } from "zod";
import type { GatewayError } from "../../errors.ts";
import type { AttemptHeaders } from "../../upstream/attempt-headers.ts";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { claudeSentences } from "../claude/sentences.ts";
import { extendReader, locateError } from "../kit/error-body.ts";
import { commonHeaders, type ErrorDialect, embeddedFailure } from "../kit/errors.ts";
import { promptTooLong } from "../kit/sentences.ts";
import type { Frame } from "./frames.ts";

export const bedrockErrors: ErrorDialect = {
  // The exception type is in a response header, in `__type` of the body, or in the headers of a frame.
  codeIn: (response) => exceptionType(response.header("x-amzn-errortype") ?? ""),
  read: extendReader(z.object({ __type: z.string() }), ({ __type }, { code }) => ({
    code: code || exceptionType(__type),
    structured: true,
  })),
  codes: {
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
    // A custom imported model that is not loaded yet. The status is 429, but this is not a rate limit.
    ModelNotReadyException: "PROVIDER_UNAVAILABLE",
    InternalServerException: "PROVIDER_UNAVAILABLE",
    ServiceUnavailableException: "PROVIDER_UNAVAILABLE",
  },
  types: {},
  sentences: [
    { pattern: /model identifier is invalid/i, status: "INVALID_REQUEST", means: "MODEL_NOT_FOUND" },
    // https://repost.aws/knowledge-center/bedrock-validation-exception-errors
    promptTooLong(/input is too long for requested model/i),
    promptTooLong(
      /too many input tokens\. max input tokens: (?<limit>\d+), request input token count: (?<requested>\d+)/i,
    ),
    // Bedrock passes on error texts of the models' vendors: Anthropic's, and those of OpenAI-compatible APIs.
    ...claudeSentences,
    promptTooLong(
      /maximum context length (?:is|of) (?<limit>\d+)(?:.*?(?:resulted in|requested(?: about)?) (?<requested>\d+))?/is,
    ),
  ],
};

export const bedrockHeaders: AttemptHeaders = {
  ...commonHeaders,
  requestId: [...commonHeaders.requestId, "x-amzn-requestid"],
};

/**
 * Converts an exception frame or an error frame to a GatewayError. The type is in a header of both. The message is in
 * the payload of an exception frame, but in a header of an error frame.
 */
export function frameFailure({ headers, data: payload }: Frame, call: UpstreamCall): GatewayError {
  const error = locateError(payload, bedrockErrors.read);
  const code = exceptionType(headers[":exception-type"] ?? headers[":error-code"] ?? "");
  const message = headers[":error-message"] ?? error.message;
  return embeddedFailure({ ...error, code, message }, call, bedrockErrors);
}

/**
 * Returns the exception type without additions. Headers may append `:` and a URL. Bodies may prepend a namespace and
 * `#`. Frames begin the type with a lower-case letter.
 */
function exceptionType(text: string): string {
  const [name = ""] = text.replace(/^.*#/, "").split(":");
  return name.charAt(0).toUpperCase() + name.slice(1);
}
