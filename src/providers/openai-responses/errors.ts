import { z } from "zod";
import { openAiErrors } from "../chat-completions/errors.ts";
import { extendReader } from "../kit/error-body.ts";
import type { ErrorDialect } from "../kit/errors.ts";

/** Images that the caller has to change: codes of the type ResponseError of openai 7.55.0. */
const imageCodes = [
  ...["invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url", "invalid_image_mode"],
  ...["image_too_large", "image_too_small", "image_parse_error", "image_file_too_large", "empty_image_file"],
  ...["unsupported_image_media_type", "failed_to_download_image", "image_file_not_found"],
] as const;

/** Error rules of the Responses API: those of Chat Completions, and its own codes. */
export function responsesErrors(
  reasons: ErrorDialect["codes"],
  baseUrlLacks: ErrorDialect["baseUrlLacks"],
): ErrorDialect {
  return {
    ...openAiErrors,
    baseUrlLacks,
    // The event `error` has the fields of an error beside its own type.
    read: extendReader(z.object({ type: z.literal("error"), message: z.string() }), ({ type }, error) =>
      error.type === type ? { type: "" } : {},
    ),
    codes: {
      ...openAiErrors.codes,
      ...Object.fromEntries(imageCodes.map((code) => [code, "INVALID_REQUEST"] as const)),
      data_residency_mismatch: "INVALID_REQUEST",
      previous_response_not_found: "INVALID_REQUEST",
      vector_store_timeout: "PROVIDER_TIMEOUT",
      ...reasons,
    },
    sentences: [
      ...openAiErrors.sentences,
      // HTTP 404 for something that the request names, such as "Item with id 'rs_1' not found."
      {
        pattern: /^(?:item|vector store|container|file|prompt|conversation|previous response)\b.* not found/is,
        status: "MODEL_NOT_FOUND",
        means: "INVALID_REQUEST",
      },
    ],
  };
}
