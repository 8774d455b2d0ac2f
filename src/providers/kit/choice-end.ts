import type { FinishedEvent } from "../../chat/stream/events.ts";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { UpstreamCall } from "../../upstream/upstream-call.ts";

/**
 * Returns the end of a choice. One without a finish reason ends with the content filter's error, if there was one: with
 * its code, and with what the provider told about it as further metadata.
 */
export function choiceEnd(end: FinishedEvent, { filter, filterMetadataJson }: UpstreamCall): FinishedEvent {
  if (filter === "" || end.value.providerFinishReason !== "") return end;
  const { providerMetadataJson: own } = end.value;
  return {
    case: "finished",
    value: {
      ...end.value,
      finishReason: FinishReason.CONTENT_FILTER,
      providerFinishReason: filter,
      providerMetadataJson: filterMetadataJson === "" ? own : withFields(own, filterMetadataJson),
    },
  };
}

function withFields(json: string, added: string): string {
  return json === "" ? added : JSON.stringify({ ...JSON.parse(added), ...JSON.parse(json) });
}
