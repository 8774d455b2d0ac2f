import { z } from "zod";
import type { AttemptHeaders } from "../../upstream/attempt-headers.ts";
import { claudeSentences } from "../claude/sentences.ts";
import { extendReader } from "../kit/error-body.ts";
import { commonHeaders, type ErrorDialect } from "../kit/errors.ts";

/** https://platform.claude.com/docs/en/api/errors */
export const anthropicErrors: ErrorDialect = {
  read: extendReader(
    z.object({ error: z.object({ details: z.object({ error_code: z.string() }) }) }),
    ({ error }, { code }) => ({ code: code || error.details.error_code }),
  ),
  // Values of `error.details.error_code`, and error types that are more specific than the HTTP status. The codes are
  // from the official client (@anthropic-ai/sdk 1.11.0, resources/shared.d.ts).
  codes: {
    enforced_spend_limit_reached: "PROVIDER_QUOTA_EXHAUSTED",
    contract_spend_limit_reached: "PROVIDER_QUOTA_EXHAUSTED",
    linked_organization_spend_limit_reached: "PROVIDER_QUOTA_EXHAUSTED",
    linked_organization_billing_unavailable: "PROVIDER_QUOTA_EXHAUSTED",
    organization_on_hold: "PROVIDER_PERMISSION_DENIED",
    cmek_key_disabled: "PROVIDER_PERMISSION_DENIED",
    cmek_key_network_blocked: "PROVIDER_PERMISSION_DENIED",
    billing_error: "PROVIDER_QUOTA_EXHAUSTED",
    timeout_error: "PROVIDER_TIMEOUT",
    overloaded_error: "PROVIDER_UNAVAILABLE",
  },
  types: {
    authentication_error: "PROVIDER_CREDENTIALS_REJECTED",
    permission_error: "PROVIDER_PERMISSION_DENIED",
    not_found_error: "MODEL_NOT_FOUND",
    invalid_request_error: "INVALID_REQUEST",
    rate_limit_error: "PROVIDER_RATE_LIMITED",
    request_too_large: "INVALID_REQUEST",
  },
  sentences: [
    ...claudeSentences,
    // Anthropic sends this error with HTTP 400, as for an invalid request, so only the text identifies it.
    { pattern: /^your credit balance is too low/i, status: "INVALID_REQUEST", means: "PROVIDER_QUOTA_EXHAUSTED" },
  ],
};

/** https://platform.claude.com/docs/en/api/rate-limits#response-headers */
export const anthropicHeaders: AttemptHeaders = {
  requestId: [...commonHeaders.requestId, "request-id"],
  limitPrefixes: [...commonHeaders.limitPrefixes, "anthropic-ratelimit-"],
};
