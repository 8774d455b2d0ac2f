import { afterEach, expect, it } from "vitest";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

let service: TestService | undefined;
afterEach(() => service?.stop());

it("does not carry the usage of a filtered call over to the next call", async () => {
  await using upstream = await startReplayUpstream({
    status: 400,
    headers: { "content-type": "application/json" },
    steps: [{ write: JSON.stringify({ error: { message: "held back", type: null, code: "content_filter" } }) }],
  });
  service = await startTestService({ OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: upstream.baseUrl });
  const client = service.chatClient("grpc");
  const prompts = ["short", "long ".repeat(100)];
  const counted: number[] = [];
  for (const prompt of prompts) {
    const { completion } = await client.completeChat({ chat: ask("openai/gpt-4o", prompt) });
    expect(completion?.choices[0]?.finishReason).toBe(FinishReason.CONTENT_FILTER);
    counted.push(completion?.usage?.inputTokens ?? 0);
    expect(completion?.attempts).toHaveLength(1);
  }
  // A shared response would give both calls the token count of the first.
  expect(counted[1]).toBeGreaterThan(10 * (counted[0] ?? 0));
});
