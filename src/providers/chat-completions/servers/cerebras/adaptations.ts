import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import { emulated } from "../../../kit/adaptations.ts";

/** Range of `queue_threshold` in milliseconds, and the service tiers that support it. */
const queueThreshold = { least: 50, most: 20_000, tiers: ["auto", "flex"] };

/** Reports JSON output, which Cerebras does not stream. */
export function wholeJson({ outputFormat }: ChatRequest): Adaptation | undefined {
  if (outputFormat?.format.case !== "jsonObject" && outputFormat?.format.case !== "jsonSchema") return undefined;
  return emulated(
    ["output_format"],
    "Cerebras does not stream JSON output; the stream delivers the whole response at once",
  );
}

export function* cerebrasAdaptations(request: ChatRequest): Generator<Adaptation> {
  const threshold = request.providerOptions.cerebras?.queue_threshold;
  if (threshold === undefined) return;
  const { least, most, tiers } = queueThreshold;
  const isValid = typeof threshold === "number" && threshold >= least && threshold <= most;
  if (!isValid || !tiers.includes(request.serviceTier)) {
    const message = `queue_threshold must be ${least} to ${most} ms, with service_tier ${tiers.join(" or ")}`;
    yield { kind: "REJECTED", field: ["provider_options"], message };
  }
}
