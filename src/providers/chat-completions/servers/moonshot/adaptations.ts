import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../../gen/dragoman/v1/tool_pb.js";
import { effortRejected, emulated, rejected, unsupported } from "../../../kit/adaptations.ts";
import { effortOf } from "../../fields.ts";
import { penaltyFields, samplingFields, withoutFields } from "../../without-fields.ts";

/** Moonshot's limit on a stop sequence, in bytes. */
const stopLimit = 32;

const { NONE, LOW, HIGH, MAX } = ReasoningEffort;

/** How a family of Moonshot's models thinks: by efforts, when it is not turned off, always, or never. */
type Thinking = "efforts" | "switch" | "always" | "never";

// By the model's name, the first that fits; a model that is not here is let do everything. Sources:
// https://platform.kimi.ai/docs/api/models-overview, and the recorded answers in the sources of @ai-sdk/moonshotai.
const thinkingModels: readonly (readonly [RegExp, Thinking])[] = [
  [/^kimi-k3/, "efforts"],
  [/^kimi-k2\.[56]/, "switch"],
  [/^kimi-k2\.7/, "always"],
  [/^moonshot-v1/, "never"],
];

/** What a model of Moonshot's cannot do of what the request asks. */
export function* moonshotAdaptations(request: ChatRequest, { providerModel }: Model): Generator<Adaptation> {
  const thinking = thinkingModels.find(([pattern]) => pattern.test(providerModel))?.[1];
  if (providerModel.startsWith("kimi-")) {
    yield* withoutFields(request, [...samplingFields, ...penaltyFields], "is fixed for Moonshot's Kimi models");
  }
  yield* effortAdaptations(effortOf(request), thinking, `the model ${providerModel}`);
  const isForced = request.toolChoice?.choice.value === ToolChoiceMode.REQUIRED;
  if (isForced && (thinking === "always" || (thinking === "switch" && effortOf(request) !== NONE))) {
    yield rejected(["tool_choice", "mode"], `the model ${providerModel} cannot be made to call a tool while it thinks`);
  }
  if (request.parameters?.stopSequences.some((text) => Buffer.byteLength(text) > stopLimit)) {
    yield rejected(["parameters", "stop_sequences"], `Moonshot takes stop sequences of at most ${stopLimit} bytes`);
  }
}

function* effortAdaptations(
  effort: ReasoningEffort | undefined,
  thinking: Thinking | undefined,
  subject: string,
): Generator<Adaptation> {
  if (effort === undefined || thinking === undefined) return;
  const field = ["reasoning", "effort"];
  switch (thinking) {
    case "efforts":
      if (![LOW, HIGH, MAX].includes(effort)) yield effortRejected(subject, [LOW, HIGH, MAX]);
      return;
    case "switch":
    case "always":
      if (effort !== NONE) yield emulated(field, `${subject} has no efforts: it thinks as much as it sees fit`);
      else if (thinking === "always") yield rejected(field, `${subject} always thinks: leave the effort out`);
      return;
    case "never":
      yield unsupported(field, `${subject} does not think`);
      return;
    default:
      thinking satisfies never;
  }
}
