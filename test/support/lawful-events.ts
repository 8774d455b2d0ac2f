import { create } from "@bufbuild/protobuf";
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
import { type Citation, CitationSchema } from "../../src/gen/dragoman/v1/citation_pb.js";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import type { LogProbs } from "../../src/gen/dragoman/v1/logprobs_pb.js";
import { MediaSchema } from "../../src/gen/dragoman/v1/media_pb.js";
import { OutputViolationSchema } from "../../src/gen/dragoman/v1/output_format_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";

const kinds = [
  "text",
  "reasoning",
  "refusal",
  "toolCall",
  "media",
  "mediaReference",
  "serverToolCall",
  "serverToolResult",
] as const;
type Kind = (typeof kinds)[number];

const sourceKinds = [
  { case: "url", value: { url: "https://a.example", title: "a" } },
  { case: "document", value: { documentIndex: 0, title: "a" } },
  { case: "searchResult", value: { source: "a" } },
  { case: undefined },
] as const;

const citation: fc.Arbitrary<Citation> = fc
  .record({
    at: fc.option(fc.nat({ max: 9 })),
    text: fc.string({ maxLength: 4 }),
    source: fc.constantFrom(...sourceKinds),
  })
  .map(({ at, text, source }) =>
    create(CitationSchema, {
      ...(at !== null && { start: at, end: at + 1 }),
      citedText: text,
      source,
    }),
  );

/** Part of a choice, split into the fragments of its deltas. */
const partWith = (late: fc.Arbitrary<boolean>) =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    fragments: fc.array(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 5 }),
    state: fc.option(fc.uint8Array({ maxLength: 4 })),
    logprobs: fc.boolean(),
    citations: fc.array(citation, { maxLength: 2 }),
    /** Whether the last delta and the citations come after the next parts have begun. */
    late,
  });

const choiceWith = (late: fc.Arbitrary<boolean>) =>
  fc.record({
    parts: fc.array(partWith(late), { maxLength: 4 }),
    // The reasons that fit any content: an attempt corrects the others.
    reason: fc.constantFrom(FinishReason.LENGTH, FinishReason.CONTENT_FILTER, FinishReason.OTHER),
    sources: fc.array(citation, { maxLength: 2 }),
    metadata: fc.constantFrom("", '{"filter":"none"}'),
    violation: fc.boolean(),
  });

/**
 * Streams that follow the stream law, in any order that it allows: choices alternate, and parts of a choice start in
 * order but may be extended later. At each step `shuffle` selects the choice that continues.
 */
export const lawfulEvents = eventsWith(fc.boolean());

/** Lawful streams whose parts end before the next part begins, for APIs that have one text for all text parts. */
export const eventsInOrder = eventsWith(fc.constant(false));

function eventsWith(late: fc.Arbitrary<boolean>): fc.Arbitrary<readonly ChatEvent[]> {
  return fc
    .record({
      choices: fc.array(choiceWith(late), { minLength: 1, maxLength: 3 }),
      shuffle: fc.infiniteStream(fc.nat()),
    })
    .map(({ choices, shuffle }) => {
      const pending = choices.map(({ parts, reason, sources, metadata, violation }, choiceIndex) => {
        const ofParts = parts.map(({ kind, fragments, state, logprobs, citations }, partIndex) => {
          const deltas = fragments.map((fragment, position) => {
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
          });
          return [...deltas, ...citations.map((value) => delta(choiceIndex, partIndex, { case: "citation", value }))];
        });
        const early = ofParts.flatMap((deltas, index) => (parts[index]?.late ? deltas.slice(0, 1) : deltas));
        const late = ofParts.flatMap((deltas, index) => (parts[index]?.late ? deltas.slice(1) : []));
        const end = finished(choiceIndex, reason, "native");
        if (end.case === "finished") {
          end.value.sources = sources;
          end.value.providerMetadataJson = metadata;
          if (violation) end.value.outputViolation = create(OutputViolationSchema, { message: "no JSON" });
        }
        return [...early, ...late, end];
      });
      const begin = started();
      if (begin.case === "started") begin.value.profile = Profile.PLAIN;
      const events: ChatEvent[] = [begin];
      for (let open = pending.filter((list) => list.length > 0); open.length > 0; ) {
        const list = open[(shuffle.next().value ?? 0) % open.length];
        const event = list?.shift();
        if (event !== undefined) events.push(event);
        open = open.filter((rest) => rest.length > 0);
      }
      events.push(completed({ serviceTier: "default", providerMetadataJson: '{"container":"c"}' }));
      return events;
    });
}

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
    case "media":
      return delta(choiceIndex, partIndex, {
        case: "media",
        value: create(MediaSchema, {
          // Every third fragment is a transcript, so that data and transcripts alternate in any order.
          ...(fragment.length % 3 === 0
            ? { transcript: fragment }
            : { source: { case: "data", value: new TextEncoder().encode(fragment) } }),
          mediaType: first ? "audio/wav" : "",
        }),
      });
    case "mediaReference":
      return delta(choiceIndex, partIndex, {
        case: "media",
        value: create(MediaSchema, {
          ...(first && { source: { case: "url", value: "https://a.example/a.png" } }),
          transcript: fragment,
        }),
      });
    case "serverToolCall":
      return delta(choiceIndex, partIndex, {
        case: "serverToolCall",
        value: {
          $typeName: "dragoman.v1.ServerToolCall",
          id: first ? "s" : "",
          name: first ? "search" : "",
          inputJson: fragment,
        },
      });
    case "serverToolResult":
      return delta(choiceIndex, partIndex, {
        case: "serverToolResult",
        value: {
          $typeName: "dragoman.v1.ServerToolResult",
          toolCallId: first ? "s" : "",
          outputJson: fragment,
          isError: fragment.length > 4,
        },
      });
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
