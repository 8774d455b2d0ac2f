import { createDeepInfra } from "@ai-sdk/deepinfra";
import { APICallError, generateText, jsonSchema, Output, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import type { Script } from "../../support/replay-upstream.ts";
import { startScripted } from "./apis.ts";
import { call, callPieces, limited, stalled, streamed, weather, whole } from "./scripts.ts";

const name = "meta-llama/Llama-2-70b-chat-hf";
const toolModel = "meta-llama/Meta-Llama-3.1-8B-Instruct";

async function start(...scripts: readonly Script[]) {
  const apis = await startScripted("DEEPINFRA", ...scripts);
  const provider = createDeepInfra({ apiKey: "caller-key", baseURL: `${apis.url}/v1` });
  return { ...apis, model: provider(name), withTools: provider(toolModel) };
}

const city = jsonSchema<{ city: string }>({ ...weather.parameters, additionalProperties: false });
const tools = {
  weather: tool({ description: weather.description, inputSchema: city, execute: async () => "rain" }),
};
const ask = { prompt: "hello", maxRetries: 0 };

describe("the client @ai-sdk/deepinfra, by ai", () => {
  it("returns a response with reasoning and usage", async () => {
    const { model, requests, records } = await start(whole({ content: "hello back", reasoning_content: "hm" }));
    const answer = await generateText({ model, ...ask, maxOutputTokens: 50, seed: 7 });
    expect(answer).toMatchObject({ text: "hello back", reasoningText: "hm", finishReason: "stop" });
    expect(answer.usage).toMatchObject({ inputTokens: 11, outputTokens: 3 });
    expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ model: name, max_tokens: 50, seed: 7 });
    expect(records).toMatchObject([{ method: "deepinfra", outcome: "ok", model: name }]);
  });

  it("reads a stream and the usage, which it does not request", async () => {
    const { model } = await start(streamed([{ reasoning_content: "hm" }, { content: "hel" }, { content: "lo" }]));
    const answer = streamText({ model, ...ask });
    let text = "";
    for await (const piece of answer.textStream) text += piece;
    expect(text).toBe("hello");
    expect(await answer.usage).toMatchObject({ inputTokens: 11, outputTokens: 3 });
    expect(await answer.finishReason).toBe("stop");
  });

  it("returns a tool call", async () => {
    const { withTools } = await start(whole({ tool_calls: [call] }, "tool_calls"));
    const answer = await generateText({ model: withTools, ...ask, tools });
    expect(answer.toolCalls).toMatchObject([{ toolCallId: "call_1", toolName: "weather", input: { city: "Oslo" } }]);
    expect(answer.toolResults).toMatchObject([{ output: "rain" }]);
  });

  it("joins the deltas of a tool call", async () => {
    const { withTools } = await start(streamed(callPieces, "tool_calls"));
    const answer = streamText({ model: withTools, ...ask, tools });
    expect(await answer.toolCalls).toMatchObject([{ toolName: "weather", input: { city: "Oslo" } }]);
  });

  it("returns JSON that follows a schema", async () => {
    const { model, requests } = await start(whole({ content: '{"city":"Oslo"}' }));
    const answer = await generateText({
      model,
      ...ask,
      prompt: "a city, as JSON",
      output: Output.object({ schema: city }),
    });
    expect(answer.output).toEqual({ city: "Oslo" });
    expect(JSON.parse(requests[0]?.body ?? "").response_format).toBeDefined();
  });

  it("throws errors with their status, and marks rate limits as retryable", async () => {
    const { model } = await start(limited);
    const wrong = await generateText({ model, ...ask, temperature: 3 }).catch((error: unknown) => error);
    if (!APICallError.isInstance(wrong)) throw wrong;
    expect([wrong.statusCode, wrong.isRetryable]).toEqual([422, false]);
    expect(JSON.parse(wrong.responseBody ?? "")).toMatchObject({ detail: [{ loc: ["body", "temperature"] }] });
    const busy = await generateText({ model, ...ask }).catch((error: unknown) => error);
    if (!APICallError.isInstance(busy)) throw busy;
    expect([busy.statusCode, busy.isRetryable]).toEqual([429, true]);
    expect(busy.message).toContain("rate limit");
  });

  it("retries after the delay in retry-after-ms", async () => {
    const { model, requests } = await start(limited, whole({ content: "now" }));
    expect((await generateText({ model, ...ask, maxRetries: 1 })).text).toBe("now");
    expect(requests).toHaveLength(2);
  });

  it("cancels a stream, which aborts the upstream request and is recorded", async () => {
    const { model, requests, nextRecord } = await start(stalled({ content: "hel" }));
    const record = nextRecord();
    const gone = new AbortController();
    const answer = streamText({ model, ...ask, abortSignal: gone.signal });
    for await (const piece of answer.textStream) if (piece !== "") gone.abort();
    await requests[0]?.aborted;
    expect(await record).toMatchObject({ outcome: "cancelled" });
  });
});
