import { create, equals } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBounds, mostMediaBytes } from "../../../src/chat/stream/bound-events.ts";
import { type ChatEvent, completed, delta, finished, started, textDelta } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { createStreamValidator } from "../../../src/chat/stream/stream-validator.ts";
import { ChatCompletionSchema, FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { MediaSchema } from "../../../src/gen/dragoman/v1/media_pb.js";
import { lawfulEvents } from "../../support/lawful-events.ts";

function fold(events: readonly ChatEvent[]) {
  const [folded, validator] = [createFold(), createStreamValidator()];
  for (const event of events) {
    validator.accept(event);
    folded.add(event);
  }
  validator.end();
  return folded.completion;
}

const media = (size: number, mediaType = "") =>
  delta(0, 0, {
    case: "media",
    value: create(MediaSchema, {
      source: { case: "data", value: Uint8Array.from({ length: size }, (_, index) => index % 251) },
      mediaType,
      transcript: "t",
    }),
  });

/** A choice's end with metadata of this many bytes. */
function endWith(bytes: number): ChatEvent {
  const end = finished(0, FinishReason.STOP, "stop");
  if (end.case === "finished") end.value.providerMetadataJson = metadata(bytes);
  return end;
}
const metadata = (bytes: number) => (bytes === 0 ? "" : `{"a":"${"x".repeat(bytes - 8)}"}`);

describe("the bounds of a stream", () => {
  it("cut media of any size into deltas of at most 256 KiB that fold to the same completion", () => {
    const size = fc.oneof(
      fc.nat({ max: 4 * mostMediaBytes }),
      fc.constantFrom(mostMediaBytes, mostMediaBytes + 1, 2 * mostMediaBytes),
    );
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 3 }), (sizes) => {
        const deltas = sizes.map((bytes, index) => media(bytes, index === 0 ? "image/png" : ""));
        const events = [started(), ...deltas, endWith(0), completed()];
        const bounded = createBounds()(events);
        for (const { case: kind, value } of bounded) {
          if (kind !== "delta" || value.delta.case !== "media") continue;
          expect(value.delta.value.source.value?.length).toBeLessThanOrEqual(mostMediaBytes);
        }
        expect(equals(ChatCompletionSchema, fold(bounded), fold(events))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("omit metadata above 64 KiB with one warning", () => {
    const bound = createBounds();
    const completion = fold([
      ...bound([started(), textDelta(0, 0, "a"), endWith(65_537)]),
      ...bound([completed({ providerMetadataJson: metadata(70_000) })]),
    ]);
    expect(completion.choices[0]?.providerMetadataJson).toBe("");
    expect(completion.providerMetadataJson).toBe("");
    expect(completion.warnings).toMatchObject([{ reason: "LEFT_OUT", field: "" }]);
  });

  it("keep metadata of 64 KiB", () => {
    const events = [started(), textDelta(0, 0, "a"), endWith(65_536), completed({ providerMetadataJson: "{}" })];
    expect(createBounds()(events)).toEqual(events);
  });

  it("change no event of a usual stream", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        expect(createBounds()(events)).toEqual(events);
      }),
    );
  });
});
