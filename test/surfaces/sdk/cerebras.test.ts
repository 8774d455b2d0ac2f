import Cerebras from "@cerebras/cerebras_cloud_sdk";
import { describe, expect, it } from "vitest";
import type { Script } from "../../support/replay-upstream.ts";
import { startApis, startScripted } from "./apis.ts";
import { call, callPieces, cut, limited, stalled, streamed, weather, whole } from "./scripts.ts";

const model = "llama3.1-8b";
const ask = { model, messages: [{ role: "user" as const, content: "hello" }] };

async function start(...scripts: readonly Script[]) {
  const apis = await startScripted("CEREBRAS", ...scripts);
  return { ...apis, client: clientOf(apis.url) };
}

function clientOf(url: string, warmTCPConnection = false): Cerebras {
  return new Cerebras({ baseURL: `${url}/cerebras`, apiKey: "caller-key", maxRetries: 0, warmTCPConnection });
}

/** Narrows a stream item to a chunk: the SDK's type also allows whole responses and errors. */
function chunkOf(event: Cerebras.ChatCompletion) {
  if ("object" in event && event.object === "chat.completion.chunk") return event;
  throw new Error("the stream item is not a chunk");
}

describe("the client @cerebras/cerebras_cloud_sdk", () => {
  it("returns a response with reasoning and time_info", async () => {
    const { client, requests, records } = await start(whole({ content: "hello back", reasoning: "hm" }));
    const answer = await client.chat.completions.create({ ...ask, max_completion_tokens: 50, clear_thinking: true });
    if (!("object" in answer) || answer.object !== "chat.completion") throw new Error("this is no whole answer");
    expect(answer.choices).toEqual([
      { index: 0, message: { role: "assistant", content: "hello back", reasoning: "hm" }, finish_reason: "stop" },
    ]);
    expect(answer).toMatchObject({ model, system_fingerprint: "fp_1", usage: { total_tokens: 14 } });
    expect(answer.time_info?.total_time).toBeGreaterThanOrEqual(0);
    expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ model, max_completion_tokens: 50, temperature: 1 });
    expect(records).toMatchObject([{ method: "cerebras", outcome: "ok" }]);
  });

  it("reads a stream and its usage", async () => {
    const { client } = await start(streamed([{ content: "hel" }, { content: "lo" }]));
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let total: number | undefined;
    for await (const chunk of stream) {
      const { choices, usage } = chunkOf(chunk);
      text += choices?.[0]?.delta?.content ?? "";
      total = usage?.total_tokens ?? total;
    }
    expect([text, total]).toEqual(["hello", 14]);
  });

  it("returns a tool call, whole and streamed", async () => {
    const { client } = await start(whole({ tool_calls: [call] }, "tool_calls"), streamed(callPieces, "tool_calls"));
    const asked = { ...ask, tools: [{ type: "function", function: weather }], tool_choice: "required" as const };
    const answer = await client.chat.completions.create(asked);
    expect(answer).toMatchObject({
      choices: [{ message: { content: null, tool_calls: [call] }, finish_reason: "tool_calls" }],
    });
    let text = "";
    for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
      for (const { function: fragment, type } of chunkOf(chunk).choices?.[0]?.delta?.tool_calls ?? []) {
        text += fragment.arguments;
        expect(type).toBe("function");
      }
    }
    expect(text).toBe(call.function.arguments);
  });

  it("returns JSON, and the failed generation at the top of the error", async () => {
    const { client } = await start(whole({ content: '{"city":"Oslo"}' }), whole({ content: "{city" }));
    const json = { ...ask, response_format: { type: "json_object" as const } };
    expect(await client.chat.completions.create(json)).toMatchObject({
      choices: [{ message: { content: '{"city":"Oslo"}' } }],
    });
    await expect(client.chat.completions.create(json)).rejects.toMatchObject({
      status: 400,
      error: { failed_generation: "{city" },
    });
  });

  it("throws the SDK's error classes", async () => {
    const { client } = await start(limited);
    await expect(client.chat.completions.create({ ...ask, temperature: 1.6 })).rejects.toMatchObject({
      constructor: Cerebras.BadRequestError,
      error: { code: "wrong_api_format", message: expect.stringContaining("temperature: ") },
    });
    await expect(client.chat.completions.create(ask)).rejects.toThrow(Cerebras.RateLimitError);
  });

  it("throws if a stream fails after its start", async () => {
    const { client } = await start(cut({ content: "hel" }));
    const read = async () => {
      for await (const _chunk of await client.chat.completions.create({ ...ask, stream: true }));
    };
    await expect(read()).rejects.toThrow(Cerebras.APIError);
  });

  it("cancels a stream, which aborts the upstream request and is recorded", async () => {
    // The SDK yields an event only after the next one arrives: its search for the event's end stops one byte early.
    const { client, requests, nextRecord } = await start(stalled({ reasoning: "hm" }, { content: "hel" }));
    const record = nextRecord();
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    for await (const chunk of stream) if (chunkOf(chunk).choices?.[0]?.delta?.reasoning) stream.controller.abort();
    await requests[0]?.aborted;
    expect(await record).toMatchObject({ outcome: "cancelled" });
  });

  it("opens its connection in advance, and lists models without a prefix", async () => {
    const { url } = await startApis({ CEREBRAS_API_KEY: "k" });
    const client = clientOf(url, true);
    expect(await client.get("/v1/tcp_warming")).toEqual({});
    const { data } = await client.models.list();
    expect(data).toContainEqual({ id: model, object: "model", created: 0, owned_by: "cerebras" });
    expect(await client.models.retrieve(model)).toMatchObject({ id: model });
  });
});
