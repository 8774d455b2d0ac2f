import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { type FamilyRules, rulesFor } from "../../../../models/family-rules.ts";
import { effortRejected, unsupported } from "../../../kit/adaptations.ts";
import { effortOf } from "../../fields.ts";

const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;

/** Reasoning efforts that Groq accepts. Dragoman does not check other models. */
export const groqEfforts: FamilyRules<readonly ReasoningEffort[]> = {
  about: "reasoning efforts of models at Groq",
  sources: [
    // That gpt-oss has no effort none follows from OpenAI's own template of the model, which knows only these three.
    { from: "tiycore 0.2.4-rc.1, provider/groq.rs: Qwen3 has only the effort default", read: "2026-11-28" },
  ],
  families: [
    { pattern: /gpt-oss/, versions: [["1", [LOW, MEDIUM, HIGH]]] },
    { pattern: /qwen/, versions: [["3", [NONE]]] },
  ],
};

/** Reports what Groq or the model does not support in the request. */
export function* groqAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  yield* effortAdaptations(request, model);
  // https://console.groq.com/docs/reasoning
  const { reasoning, tools } = request;
  if (reasoning?.format !== ReasoningFormat.RAW || tools.length === 0) return;
  yield unsupported(["reasoning", "format"], "Groq does not support the raw reasoning format together with tools");
}

function* effortAdaptations(
  request: ChatRequest,
  { providerModel, reasoningEfforts, supportedParameters }: Model,
): Generator<Adaptation> {
  const effort = effortOf(request);
  const efforts = rulesFor(groqEfforts, providerModel);
  const isDeclared = reasoningEfforts.length > 0 || supportedParameters.includes("reasoning.effort");
  if (effort === undefined || efforts === undefined || efforts.includes(effort) || isDeclared) return;
  const subject = `the model ${providerModel}`;
  if (effort === NONE) yield effortRejected(subject, efforts);
  // The adapter's list of efforts rejects those that no model has.
  else if ([LOW, MEDIUM, HIGH].includes(effort))
    yield unsupported(["reasoning", "effort"], `${subject} itself chooses how much to reason; omit the effort`);
}
