import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { rejected, unsupported } from "../../../kit/adaptations.ts";
import { isResponsesOnly } from "../../responses-only.ts";

/** Reports limits of certain models. Source: the model catalog of the npm package @ai-sdk/openai 4.0.118. */
export function* openAiAdaptations({ parameters }: ChatRequest, { providerModel }: Model): Generator<Adaptation> {
  if (isResponsesOnly(providerModel)) {
    const message = `OpenAI serves ${providerModel} only on its Responses API, which the option api turns off`;
    yield rejected(["model"], `${message}; use another model`);
  }
  const { temperature = 1 } = parameters ?? {};
  if (temperature !== 1 && /^gpt-4o.*-search-preview/.test(providerModel)) {
    yield unsupported(["parameters", "temperature"], `the model ${providerModel} does not support temperature`);
  }
}
