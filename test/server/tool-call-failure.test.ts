import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, onTestFinished } from "vitest";
import { ToolCallFailureSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService } from "../support/service.ts";

const message = "Failed to call a function. See 'failed_generation' for more details.";
const failedGeneration = '<function=weather{"city": "Oslo"</function>';

/** Starts a service whose provider rejects its model's tool call. */
async function start() {
  const error = {
    message,
    type: "invalid_request_error",
    code: "tool_use_failed",
    failed_generation: failedGeneration,
  };
  const upstream = await startReplayUpstream({
    status: 400,
    headers: { "content-type": "application/json" },
    steps: [{ write: JSON.stringify({ error }) }],
  });
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const service = await startTestService({ GROQ_API_KEY: "k", GROQ_BASE_URL: upstream.baseUrl });
  onTestFinished(() => service.stop());
  return service;
}

const model = "groq/openai/gpt-oss-120b";

describe("a tool call of the model that the provider rejects", () => {
  it.each(protocols)("is ABORTED over %s, with the provider's words and the tool call", async (protocol) => {
    const service = await start();
    const error = await service
      .chatClient(protocol)
      .completeChat({ chat: ask(model, "hi") })
      .then(
        () => expect.fail("the call must fail"),
        (thrown: unknown) => ConnectError.from(thrown),
      );
    expect(error.code).toBe(Code.Aborted);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "TOOL_CALL_INVALID" }]);
    expect(error.findDetails(ToolCallFailureSchema)).toMatchObject([{ message, failedGeneration, truncated: false }]);
    expect(error.rawMessage).toContain(message);
  });

  it("has status 400 and the tool call in OpenAI's API, which clients do not retry", async () => {
    const service = await start();
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      {
        error: {
          code: "tool_use_failed",
          failed_generation: failedGeneration,
          message: expect.stringContaining(message),
        },
      },
    ]);
  });
});
