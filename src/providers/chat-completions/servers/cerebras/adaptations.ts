import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";

/** Cerebras' own limits on `queue_threshold`, in milliseconds, and the tiers that have it. */
const queueThreshold = { least: 50, most: 20_000, tiers: ["auto", "flex"] };

export function asksForJson({ outputFormat }: ChatRequest): boolean {
  return outputFormat?.format.case === "jsonObject" || outputFormat?.format.case === "jsonSchema";
}

export function* cerebrasAdaptations(request: ChatRequest): Generator<Adaptation> {
  if (asksForJson(request)) {
    const message = "Cerebras does not stream JSON: a stream gets the whole answer at once";
    yield { kind: "EMULATED", field: ["output_format"], message };
  }
  const threshold = request.providerOptions.cerebras?.queue_threshold;
  if (threshold === undefined) return;
  const { least, most, tiers } = queueThreshold;
  const isRight = typeof threshold === "number" && threshold >= least && threshold <= most;
  if (!isRight || !tiers.includes(request.serviceTier)) {
    const message = `Cerebras takes a queue_threshold of ${least} to ${most} with the service tiers ${tiers.join(" and ")}`;
    yield { kind: "REJECTED", field: ["provider_options"], message };
  }
}
