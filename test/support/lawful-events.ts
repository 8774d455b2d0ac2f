import fc from "fast-check";
import {
  type ChatEvent,
  completed,
  type DeltaEvent,
  delta,
  finished,
  started,
  toolCallDelta,
} from "../../src/chat/stream/events.ts";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../src/gen/dragoman/v1/logprobs_pb.js";

type Kind = "text" | "reasoning" | "refusal" | "toolCall";

/** Part of a choice, split into the fragments of its deltas. */
const part = fc.record({
  kind: fc.constantFrom<Kind>("text", "reasoning", "refusal", "toolCall"),
  fragments: fc.array(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 5 }),
  state: fc.option(fc.uint8Array({ maxLength: 4 })),
  logprobs: fc.boolean(),
});

const choice = fc.record({
  parts: fc.array(part, { maxLength: 4 }),
  reason: fc.constantFrom(FinishReason.STOP, FinishReason.LENGTH, FinishReason.TOOL_CALLS, FinishReason.OTHER),
});

/**
 * Streams that follow the stream law, in any order that it allows: choices alternate, and parts of a choice start in
 * order but may be extended later. At each step `shuffle` selects the choice that continues.
 */
export const lawfulEvents: fc.Arbitrary<readonly ChatEvent[]> = fc
  .record({
    choices: fc.array(choice, { minLength: 1, maxLength: 3 }),
    shuffle: fc.infiniteStream(fc.nat()),
  })
  .map(({ choices, shuffle }) => {
    const pending = choices.map(({ parts, reason }, choiceIndex) => {
      const events: ChatEvent[] = parts.flatMap(({ kind, fragments, state, logprobs }, partIndex) =>
        fragments.map((fragment, position) => {
          const event = fragmentEvent(choiceIndex, partIndex, kind, fragment, position === 0);
          if (logprobs) event.value.logprobs = tokens(fragment);
          if (state !== null && position === 0) {
            event.value.providerState = {
              $typeName: "dragoman.v1.ProviderState",
              provider: "p",
              model: "m",
              data: state,
            };
          }
          return event;
        }),
      );
      return [...events, finished(choiceIndex, reason, "native")];
    });
    const events: ChatEvent[] = [started()];
    for (let open = pending.filter((list) => list.length > 0); open.length > 0; ) {
      const list = open[(shuffle.next().value ?? 0) % open.length];
      const event = list?.shift();
      if (event !== undefined) events.push(event);
      open = open.filter((rest) => rest.length > 0);
    }
    events.push(completed({ serviceTier: "default" }));
    return events;
  });

function fragmentEvent(
  choiceIndex: number,
  partIndex: number,
  kind: Kind,
  fragment: string,
  first: boolean,
): DeltaEvent {
  switch (kind) {
    case "text":
    case "refusal":
      return delta(choiceIndex, partIndex, { case: kind, value: fragment });
    case "reasoning":
      return delta(choiceIndex, partIndex, {
        case: "reasoning",
        value: { $typeName: "dragoman.v1.Reasoning", text: fragment, redacted: false },
      });
    case "toolCall":
      return toolCallDelta(
        choiceIndex,
        partIndex,
        fragment,
        first ? `call_${choiceIndex}_${partIndex}` : "",
        first ? "f" : "",
      );
    default:
      return kind satisfies never;
  }
}

function tokens(text: string): LogProbs {
  return {
    $typeName: "dragoman.v1.LogProbs",
    tokens: [{ $typeName: "dragoman.v1.TokenLogProb", token: text, logprob: -0.5, topLogprobs: [] }],
  };
}
