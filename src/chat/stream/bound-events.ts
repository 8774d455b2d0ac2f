import { create } from "@bufbuild/protobuf";
import { type Warning, WarningSchema } from "../../gen/dragoman/v1/warning_pb.js";
import { type ChatEvent, type DeltaEvent, mediaDelta } from "./events.ts";
import { mapBatch } from "./map-batch.ts";

/** Maximum bytes of media in one delta (PartDelta.media). */
export const mostMediaBytes = 256 * 1024;

/** Maximum bytes of `provider_metadata_json`, of a choice or of the completion. */
export const mostMetadataBytes = 64 * 1024;

/**
 * Creates a function that keeps the events of one adapter within the bounds of the contract. It cuts larger media into
 * several deltas, and omits larger metadata with a warning in the event `completed`.
 */
export function createBounds(): (batch: readonly ChatEvent[]) => readonly ChatEvent[] {
  const warnings: Warning[] = [];

  function bound(event: ChatEvent): ChatEvent | readonly ChatEvent[] {
    switch (event.case) {
      case "started":
        return event;
      case "delta":
        return cutMedia(event);
      case "finished":
        return isShort(event.value.providerMetadataJson) ? event : { ...event, value: withoutMetadata(event.value) };
      case "completed": {
        const value = isShort(event.value.providerMetadataJson) ? event.value : withoutMetadata(event.value);
        if (warnings.length === 0) return event;
        return { ...event, value: { ...value, warnings: [...value.warnings, ...warnings] } };
      }
      default:
        return event satisfies never;
    }
  }

  function withoutMetadata<Value extends { readonly providerMetadataJson: string }>(value: Value): Value {
    const message = `metadata of the response is omitted: it has more than ${mostMetadataBytes} bytes`;
    if (warnings.length === 0) warnings.push(create(WarningSchema, { reason: "LEFT_OUT", message }));
    return { ...value, providerMetadataJson: "" };
  }

  return (batch) => mapBatch(batch, bound);
}

function isShort(json: string): boolean {
  return json.length * 3 <= mostMetadataBytes || Buffer.byteLength(json) <= mostMetadataBytes;
}

/** Cuts the data of a delta into several deltas. All but the data is in the first of them. */
function cutMedia(event: DeltaEvent): DeltaEvent | readonly DeltaEvent[] {
  const { choiceIndex, partIndex, delta: fragment } = event.value;
  if (fragment.case !== "media" || fragment.value.source.case !== "data") return event;
  const data = fragment.value.source.value;
  if (data.length <= mostMediaBytes) return event;
  const pieceOf = (begin: number) => ({ case: "data", value: data.subarray(begin, begin + mostMediaBytes) }) as const;
  const first = { ...fragment.value, source: pieceOf(0) };
  const cut: DeltaEvent[] = [{ case: "delta", value: { ...event.value, delta: { case: "media", value: first } } }];
  for (let begin = mostMediaBytes; begin < data.length; begin += mostMediaBytes) {
    cut.push(mediaDelta(choiceIndex, partIndex, { source: pieceOf(begin) }));
  }
  return cut;
}
