import { equals, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import { type ChatCompletion, ChatCompletionSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import { scriptEcho } from "../support/requests.ts";
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
  "several choices": { choices: [{ text: "one two" }, { text: "three" }, { refusal: "no thank you" }] },
};

/** Clears the fields that differ between calls: id and times. */
function withoutCall(completion: ChatCompletion): ChatCompletion {
  const { timeInfo, ...rest } = completion;
  return {
    ...rest,
    id: "",
    createTime: timestampFromMs(0),
    attempts: completion.attempts.map(({ duration, ...attempt }) => attempt),
  };
}

describe.each(protocols)("over %s", (protocol) => {
  it.each(Object.entries(answers))("returns the fold of the stream as the unary response: %s", async (_, script) => {
    const chat = scriptEcho({ ...script, batch: 3 });
    const { completion } = await service.chatClient(protocol).completeChat({ chat });
    for (const keepProviderDeltas of [true, false]) {
      const fold = createFold();
      for await (const { event } of service
        .chatClient(protocol)
        .streamChat({ chat, options: { keepProviderDeltas } })) {
        if (event.case !== undefined) fold.add(event);
      }
      if (completion === undefined) throw new Error("the response has no completion");
      expect(equals(ChatCompletionSchema, withoutCall(fold.completion), withoutCall(completion))).toBe(true);
    }
  });
});
