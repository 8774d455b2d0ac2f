import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { endEvents, startAnswer, toEvents } from "../../../src/providers/bedrock/events.ts";
import { FrameDecoder } from "../../../src/providers/bedrock/frames.ts";
import { startCall } from "../../../src/upstream/upstream-call.ts";
import { eventFrame } from "../../support/event-stream.ts";
import { brief } from "../chat-completions/harness.ts";
import { context } from "./harness.ts";

const delta = (index: number, value: object) =>
  eventFrame("contentBlockDelta", { contentBlockIndex: index, delta: value });
const thought = (index: number, value: object) => delta(index, { reasoningContent: value });
const end = eventFrame("messageStop", { stopReason: "end_turn" });

function read(hideReasoning: boolean, ...frames: readonly Uint8Array[]): readonly ChatEvent[] {
  const answer = startAnswer(startCall(context()), hideReasoning);
  const batch: ChatEvent[] = [];
  for (const frame of new FrameDecoder(answer.call).decode(frames)) toEvents(answer, frame, batch);
  endEvents(answer, batch);
  return batch;
}

function states(events: readonly ChatEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.case === "delta" && event.value.providerState ? [Buffer.from(event.value.providerState.data).toString()] : [],
  );
}

describe("a response with hidden reasoning", () => {
  it("omits hidden reasoning text together with its signature", () => {
    const events = read(
      true,
      thought(0, { text: "Hm." }),
      thought(0, { signature: "sig" }),
      delta(1, { text: "Hi" }),
      end,
    );
    expect(brief(events)).toEqual(["text 0.0 Hi", "finished 0 1 end_turn", "completed"]);
  });

  it("keeps the provider state of reasoning that Claude sent without text", () => {
    const redacted = Buffer.from("secret").toString("base64");
    const events = read(
      true,
      thought(0, { signature: "sig" }),
      thought(1, { redactedContent: redacted }),
      delta(2, { text: "Hi" }),
      end,
    );
    expect(brief(events)).toEqual([
      "reasoning 0.0 ",
      "reasoning 0.1 ",
      "text 0.2 Hi",
      "finished 0 1 end_turn",
      "completed",
    ]);
    expect(states(events)).toEqual(["sig", "secret"]);
  });
});

describe("a response", () => {
  it("reports Amazon's latency and service tier", () => {
    const metadata = { usage: {}, metrics: { latencyMs: 1610 }, serviceTier: { type: "flex" } };
    const last = read(false, delta(0, { text: "Hi" }), end, eventFrame("metadata", metadata)).at(-1);
    expect(last).toMatchObject({
      case: "completed",
      value: { serviceTier: "flex", timeInfo: { providerDuration: { seconds: 1n, nanos: 610_000_000 } } },
    });
  });

  it("starts a new part when a block changes its kind", () => {
    const events = read(false, thought(0, { text: "Hm." }), delta(0, { text: "Hi" }), end);
    expect(brief(events)).toEqual(["reasoning 0.0 Hm.", "text 0.1 Hi", "finished 0 1 end_turn", "completed"]);
  });

  it("reads the cache counts under both of their names", () => {
    const usage = { inputTokens: 1, outputTokens: 2, cacheReadInputTokenCount: 3, cacheWriteInputTokenCount: 4 };
    const last = read(false, delta(0, { text: "Hi" }), eventFrame("metadata", { usage }), end).at(-1);
    expect(last).toMatchObject({
      value: { usage: { inputTokens: 8, totalTokens: 10, cachedInputTokens: 3, cacheWriteInputTokens: 4 } },
    });
  });
});
