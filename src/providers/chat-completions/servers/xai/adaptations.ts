import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { type FamilyRules, rulesFor } from "../../../../models/family-rules.ts";
import { penaltyFields, withoutFields } from "../../without-fields.ts";

/** Whether xAI's models reason. */
export const grokReasons: FamilyRules<boolean> = {
  about: "which of xAI's models reason",
  sources: [
    { from: "models.dev, as of @earendil-works/pi-ai 1.5.2: all models since Grok 4 reason", read: "2026-11-28" },
  ],
  families: [
    { pattern: /non-reasoning/, versions: [["4", false]] },
    {
      pattern: /grok(?:-(?<major>\d+)(?:\.(?<minor>\d+))?)?/,
      versions: [
        ["1", false],
        ["4", true],
      ],
    },
  ],
};

export function xaiAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { providerModel, capabilities } = model;
  const reasons = capabilities?.reasoning ?? rulesFor(grokReasons, providerModel);
  const fields = reasons ? [...penaltyFields, "parameters.stop_sequences" as const] : [];
  return withoutFields(request, model, fields, "is not supported by xAI's reasoning models");
}
