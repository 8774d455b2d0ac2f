import OpenAI from "openai";
import type { Client, FailedCall, Thrown } from "../client.ts";

/** Reads an error of the package openai. */
export function openAiThrown(error: unknown): Thrown {
  if (!(error instanceof OpenAI.APIError)) throw error;
  const { status, type, code, param } = error;
  return { class: error.constructor.name, status, type, code, field: param };
}

/** The errors of OpenAI's two chat APIs. */
export const openAiErrors: Readonly<Record<FailedCall, Thrown>> = {
  limited: {
    ...{ class: "RateLimitError", status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", field: null },
  },
  down: {
    ...{
      class: "InternalServerError",
      status: 503,
      type: "service_unavailable_error",
      code: "server_is_overloaded",
      field: null,
    },
  },
  rejected: {
    ...{ class: "BadRequestError", status: 400, type: "invalid_request_error", code: "invalid_value", field: null },
  },
  "wrong field": {
    ...{ class: "BadRequestError", status: 400, type: "invalid_request_error", code: "invalid_value" },
    field: "temperature",
  },
  "unknown model": {
    ...{ class: "NotFoundError", status: 404, type: "invalid_request_error", code: "model_not_found", field: "model" },
  },
};

/** The error in a stream of chat completions. */
export const openAiBrokenOff: Thrown = {
  ...{ class: "APIError", status: undefined, type: "service_unavailable_error", code: "provider_stream_interrupted" },
  field: null,
};

export const openAiAborted: Client["aborted"] = { whole: "APIUserAbortError", streamed: "APIUserAbortError" };
