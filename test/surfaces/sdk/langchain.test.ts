import { ChatOpenAI } from "@langchain/openai";
import { describe, expect, it } from "vitest";
import type { Script } from "../../support/replay-upstream.ts";
import { startScripted } from "./apis.ts";
import { call, callPieces, limited, stalled, streamed, weather, whole } from "./scripts.ts";

async function start(...scripts: readonly Script[]) {
  const apis = await startScripted("OPENAI", ...scripts);
  const model = new ChatOpenAI({
    model: "gpt-4o",
    apiKey: "caller-key",
    maxRetries: 0,
    configuration: { baseURL: `${apis.url}/v1` },
  });
  return { ...apis, model };
}

const tool = { type: "function", function: weather } as const;

describe("the client @langchain/openai", () => {
  it("returns a response and its usage", async () => {
    const { model, records } = await start(whole({ content: "hello back" }));
    const answer = await model.invoke("hello");
    expect(answer.content).toBe("hello back");
    expect(answer.usage_metadata).toMatchObject({ input_tokens: 11, output_tokens: 3, total_tokens: 14 });
    expect(answer.response_metadata.finish_reason).toBe("stop");
    expect(records).toMatchObject([{ method: "openai", outcome: "ok" }]);
  });

  it("reads a stream and its usage", async () => {
    const { model } = await start(streamed([{ content: "hel" }, { content: "lo" }]));
    let text = "";
    const usages: unknown[] = [];
    for await (const chunk of await model.stream("hello")) {
      text += chunk.text;
      if (chunk.usage_metadata) usages.push(chunk.usage_metadata);
    }
    expect(text).toBe("hello");
    expect(usages).toMatchObject([{ input_tokens: 11, output_tokens: 3, total_tokens: 14 }]);
  });

  it("returns a tool call, whole and streamed", async () => {
    const { model } = await start(whole({ tool_calls: [call] }, "tool_calls"), streamed(callPieces, "tool_calls"));
    const withTool = model.bindTools([tool]);
    const called = { name: "weather", args: { city: "Oslo" }, id: "call_1" };
    expect((await withTool.invoke("hello")).tool_calls).toMatchObject([called]);
    const pieces = await Array.fromAsync(await withTool.stream("hello"));
    const joined = pieces.reduce((sum, piece) => sum.concat(piece));
    expect(joined.tool_calls).toMatchObject([called]);
  });

  it("returns JSON that follows a schema", async () => {
    const { model, requests } = await start(whole({ content: '{"city":"Oslo"}' }));
    const structured = model.withStructuredOutput({ ...weather.parameters, title: "place" }, { method: "jsonSchema" });
    expect(await structured.invoke("a city, as JSON")).toEqual({ city: "Oslo" });
    expect(JSON.parse(requests[0]?.body ?? "").response_format.type).toBe("json_schema");
  });

  it("throws errors with their status and code", async () => {
    const { model } = await start(limited);
    const hot = new ChatOpenAI({ ...model.lc_kwargs, temperature: 3 });
    await expect(hot.invoke("hello")).rejects.toMatchObject({
      status: 400,
      code: "invalid_value",
      param: "temperature",
    });
    await expect(model.invoke("hello")).rejects.toMatchObject({ status: 429, code: "rate_limit_exceeded" });
  });

  it("cancels a stream, which aborts the upstream request and is recorded", async () => {
    const { model, requests, nextRecord } = await start(stalled({ content: "hel" }));
    const record = nextRecord();
    const gone = new AbortController();
    const read = async () => {
      for await (const { text } of await model.stream("hello", { signal: gone.signal })) if (text) gone.abort();
    };
    await expect(read()).rejects.toThrow(/abort/i);
    await requests[0]?.aborted;
    expect(await record).toMatchObject({ outcome: "cancelled" });
  });
});
