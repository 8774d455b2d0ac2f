import type { Adaptation } from "../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { unsupported } from "../kit/adaptations.ts";
import { isNeutral, type OptionalField, optionalFields, pathOf } from "./fields.ts";

export const samplingFields = ["parameters.temperature", "parameters.top_p"] as const;
export const penaltyFields = ["parameters.presence_penalty", "parameters.frequency_penalty"] as const;
export const probabilityFields = ["parameters.logprobs", "parameters.top_logprobs"] as const;

/**
 * Drops those of `fields` that the request sets to a value with an effect, unless the configuration states that the
 * model supports the field. `problem` ends each warning.
 */
export function* withoutFields(
  request: ChatRequest,
  { supportedParameters }: Model,
  fields: readonly OptionalField[],
  problem: string,
): Generator<Adaptation> {
  for (const field of fields) {
    const value = optionalFields[field].value(request);
    if (value === undefined || isNeutral(field, value) || supportedParameters.includes(field)) continue;
    yield unsupported(pathOf(field, request), `${field} ${problem}`);
  }
}
