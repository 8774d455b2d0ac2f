import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { rejected, unsupported } from "../../../kit/adaptations.ts";

/** Whole names, with the date of a snapshot: OpenAI answers a misspelt name with model_not_found. */
const responsesOnly = /^gpt-\d+(\.\d+)?-(pro|codex(-(max|mini))?)(-\d{4}-\d{2}-\d{2})?$/;

/** Reports limits of certain models. Source: the model catalog of the npm package @ai-sdk/openai 4.0.118. */
export function* openAiAdaptations({ parameters }: ChatRequest, { providerModel }: Model): Generator<Adaptation> {
  if (responsesOnly.test(providerModel)) {
    yield rejected(["model"], `OpenAI serves ${providerModel} only on its Responses API; use another model`);
  }
  const { temperature = 1 } = parameters ?? {};
  if (temperature !== 1 && /^gpt-4o.*-search-preview/.test(providerModel)) {
    yield unsupported(["parameters", "temperature"], `the model ${providerModel} does not support temperature`);
  }
}
