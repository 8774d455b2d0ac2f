import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../../gen/dragoman/v1/tool_pb.js";
import { type FamilyRules, rulesFor } from "../../../../models/family-rules.ts";
import { effortRejected, emulated, rejected, unsupported } from "../../../kit/adaptations.ts";
import { effortOf } from "../../fields.ts";
import { penaltyFields, samplingFields, withoutFields } from "../../without-fields.ts";

const { NONE, LOW, HIGH, MAX } = ReasoningEffort;

/** When a family of models reasons. `efforts`: always, by an effort. `switch`: unless the request turns it off. */
type Thinking = "efforts" | "switch" | "always" | "never";

export const thinkingModels: FamilyRules<Thinking> = {
  about: "when Moonshot's models reason",
  sources: [
    { from: "https://platform.kimi.ai/docs/api/models-overview", read: "2026-11-21" },
    { from: "recorded responses in the source of @ai-sdk/moonshotai", read: "2026-11-21" },
  ],
  families: [
    { pattern: /kimi-k2-thinking/, versions: [["2", "always"]] },
    {
      pattern: /kimi(?:-k(?<major>\d+)(?:\.(?<minor>\d+))?)?/,
      versions: [
        ["2", "never"],
        ["2.5", "switch"],
        ["2.7", "always"],
        ["3", "efforts"],
      ],
    },
    { pattern: /moonshot-v1/, versions: [["1", "never"]] },
  ],
};

/** Reports what a Moonshot model does not support in the request. */
export function* moonshotAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { providerModel, reasoningEfforts } = model;
  // planning checks efforts of the configuration.
  const thinking = reasoningEfforts.length > 0 ? undefined : rulesFor(thinkingModels, providerModel);
  if (providerModel.startsWith("kimi-")) {
    yield* withoutFields(
      request,
      model,
      [...samplingFields, ...penaltyFields],
      "cannot be set for Moonshot's Kimi models",
    );
  }
  yield* effortAdaptations(effortOf(request), thinking, `the model ${providerModel}`);
  const isForced = request.toolChoice?.choice.value === ToolChoiceMode.REQUIRED;
  if (isForced && (thinking === "always" || (thinking === "switch" && effortOf(request) !== NONE))) {
    yield rejected(
      ["tool_choice", "mode"],
      `the model ${providerModel} does not support tool choice REQUIRED while it reasons`,
    );
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
      if (effort !== NONE)
        yield emulated(field, `${subject} does not support reasoning efforts; it chooses how much to reason`);
      else if (thinking === "always") yield rejected(field, `${subject} always reasons; omit the effort`);
      return;
    case "never":
      yield unsupported(field, `${subject} does not reason`);
      return;
    default:
      thinking satisfies never;
  }
}
