import { equals, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import { type ChatCompletion, ChatCompletionSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import { ask, scriptEcho } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const answers: Record<string, JsonObject> = {
  text: { text: "Paris is the capital of France." },
  "empty text": { text: "" },
  reasoning: { reasoning: "let me think about it", text: "42" },
  "parallel tool calls": {
    tool_calls: [
      { id: "a", name: "weather", arguments: { city: "Oslo" }, fragments: 3 },
      { id: "b", name: "weather", arguments: { city: "Rome" }, fragments: 2 },
    ],
  },
  "a tool call that was cut": { tool_calls: [{ id: "c", name: "weather", arguments: '{"city":"Os' }] },
  media: {
    text: "here they are",
    media: [
      { media_type: "image/png", data: "AQIDBAUGBw==", fragments: 3 },
      { media_type: "audio/wav", size: 700_000, transcript: "hello" },
      { url: "https://a.example/a.png" },
    ],
  },
  "server tools, citations, sources and metadata": {
    reasoning: "let me search",
    server_tools: [{ name: "web_search", input: { q: "far" }, output: [{ url: "https://a.example" }] }],
    text: "It is far away.",
    citations: [
      { start: 6, end: 9, citedText: "far", url: { url: "https://a.example", title: "A" } },
      { cited_text: "away" },
    ],
    sources: [{ url: { url: "https://b.example" } }],
    provider_metadata: { filter: "none" },
    completion_metadata: { container: "c" },
  },
  "several choices": { choices: [{ text: "one two" }, { text: "three" }, { refusal: "no thank you" }] },
};

/** Clears the fields that differ between calls: id and times. */
function withoutCall(completion: ChatCompletion): ChatCompletion {
  const { timeInfo, ...rest } = completion;
  return {
    ...rest,
    id: "",
    createTime: timestampFromMs(0),
    attempts: completion.attempts.map(({ startOffset, firstOutputDuration, duration, ...attempt }) => attempt),
  };
}

describe.each(protocols)("over %s", (protocol) => {
  it.each(
    Object.entries(answers),
  )("returns the fold of the stream as the unary response, and numbers the events from 1: %s", async (_, script) => {
    const chat = scriptEcho({ ...script, batch: 3 });
    const { completion } = await service.chatClient(protocol).completeChat({ chat });
    for (const keepProviderDeltas of [true, false]) {
      const fold = createFold();
      const seqs: number[] = [];
      const largest: number[] = [];
      for await (const { event, seq } of service
        .chatClient(protocol)
        .streamChat({ chat, options: { keepProviderDeltas } })) {
        seqs.push(seq);
        if (event.case === "delta" && event.value.delta.case === "media") {
          largest.push(event.value.delta.value.source.value?.length ?? 0);
        }
        if (event.case !== undefined) fold.add(event);
      }
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      expect(Math.max(0, ...largest)).toBeLessThanOrEqual(256 * 1024);
      if (completion === undefined) throw new Error("the response has no completion");
      expect(equals(ChatCompletionSchema, withoutCall(fold.completion), withoutCall(completion))).toBe(true);
    }
  });
});

describe.each(protocols)("a message that was returned over %s", (protocol) => {
  it.each(Object.entries(answers))("is accepted unchanged in the next turn: %s", async (_, script) => {
    const client = service.chatClient(protocol);
    const chat = scriptEcho(script);
    const { completion } = await client.completeChat({ chat });
    for (const { message } of completion?.choices ?? []) {
      if (message === undefined) throw new Error("a choice has no message");
      const next = ask("echo/echo", "and then?");
      const second = await client.completeChat({
        chat: { ...next, messages: [...chat.messages, message, ...next.messages] },
      });
      const leftOut = second.completion?.warnings
        .filter(({ reason }) => reason === "LEFT_OUT")
        .map(({ field }) => field);
      expect(leftOut).toEqual(leftOut?.map(() => expect.stringMatching(/^messages\[1\]/)));
      expect(second.completion?.choices[0]?.message?.parts[0]?.kind).toEqual({ case: "text", value: "and then?" });
    }
  });
});
