import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";

/** Range of `queue_threshold` in milliseconds, and the service tiers that support it. */
const queueThreshold = { least: 50, most: 20_000, tiers: ["auto", "flex"] };

export function asksForJson({ outputFormat }: ChatRequest): boolean {
  return outputFormat?.format.case === "jsonObject" || outputFormat?.format.case === "jsonSchema";
}

export function* cerebrasAdaptations(request: ChatRequest): Generator<Adaptation> {
  if (asksForJson(request)) {
    const message = "Cerebras does not stream JSON output; the stream delivers the whole response at once";
    yield { kind: "EMULATED", field: ["output_format"], message };
  }
  const threshold = request.providerOptions.cerebras?.queue_threshold;
  if (threshold === undefined) return;
  const { least, most, tiers } = queueThreshold;
  const isValid = typeof threshold === "number" && threshold >= least && threshold <= most;
  if (!isValid || !tiers.includes(request.serviceTier)) {
    const message = `queue_threshold must be ${least} to ${most} ms, with service_tier ${tiers.join(" or ")}`;
    yield { kind: "REJECTED", field: ["provider_options"], message };
  }
}
