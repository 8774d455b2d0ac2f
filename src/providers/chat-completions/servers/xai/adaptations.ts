import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { type FamilyRules, rulesFor } from "../../../../models/family-rules.ts";
import { penaltyFields, withoutFields } from "../../without-fields.ts";

/** Whether a model reasons. `efforts`: it does, and supports reasoning efforts. */
type Reasons = "no" | "yes" | "efforts";

export const grokReasons: FamilyRules<Reasons> = {
  about: "which of xAI's models reason, and support reasoning efforts",
  sources: [
    { from: "models.dev, as of @earendil-works/pi-ai 1.5.2: all models since Grok 4 reason", read: "2026-11-28" },
    { from: "docs.oracle.com, generative-ai/xai-grok-3-mini: it reasons", read: "2026-11-28" },
    { from: "release notes of @ai-sdk/xai 4.0.0-canary.61: efforts since Grok 4.3", read: "2026-11-28" },
    { from: "acedergren/opencode-oci-provider v0.2.3: Grok 4.1 rejects efforts", read: "2026-11-28" },
  ],
  families: [
    { pattern: /non-reasoning/, versions: [["4", "no"]] },
    { pattern: /grok-3-mini/, versions: [["3", "efforts"]] },
    // 4.20 precedes 4.3.
    { pattern: /grok-(?:4\.20|code)/, versions: [["4", "yes"]] },
    {
      pattern: /grok(?:-(?<major>\d+)(?:[.-](?<minor>\d{1,2})(?!\d))?)?/,
      versions: [
        ["1", "no"],
        ["4", "yes"],
        ["4.3", "efforts"],
      ],
    },
  ],
};

export function* xaiAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { providerModel, capabilities, reasoningEfforts } = model;
  const known = rulesFor(grokReasons, providerModel);
  const reasons = capabilities?.reasoning ?? (known !== undefined && known !== "no");
  const fields = reasons ? [...penaltyFields, "parameters.stop_sequences" as const] : [];
  yield* withoutFields(request, model, fields, "is not supported by xAI's reasoning models");
  if (known === undefined || known === "efforts" || reasoningEfforts.length > 0) return;
  yield* withoutFields(request, model, ["reasoning.effort"], `is not supported by the model ${providerModel}`);
}
