import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Script } from "../../support/replay-upstream.ts";
import { startApis, startScripted } from "./apis.ts";
import { call, callPieces, cut, limited, stalled, streamed, weather, whole } from "./scripts.ts";

const model = "gpt-4o";
const messages = [{ role: "user", content: "hello" }] as const;
const ask = { model, messages: [...messages] };

async function start(...scripts: readonly Script[]) {
  const apis = await startScripted("OPENAI", ...scripts);
  return { ...apis, client: new OpenAI({ baseURL: `${apis.url}/v1`, apiKey: "caller-key", maxRetries: 0 }) };
}

describe("the client openai", () => {
  it("returns a response", async () => {
    const { client, requests, records } = await start(whole({ content: "hello back" }));
    const answer = await client.chat.completions.create({ ...ask, max_completion_tokens: 50, seed: 7, user: "u1" });
    expect(answer.choices[0]?.message).toEqual({ role: "assistant", content: "hello back", refusal: null });
    expect(answer).toMatchObject({ model, usage: { total_tokens: 14, prompt_tokens_details: { cached_tokens: 4 } } });
    expect(answer._request_id).toBe(answer.id);
    expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ model, max_completion_tokens: 50, seed: 7 });
    expect(requests[0]?.headers.authorization).toBe("Bearer provider-key");
    expect(records).toMatchObject([{ method: "openai", outcome: "ok", user: "u1", usage: { totalTokens: 14 } }]);
  });

  it("reads a stream and its usage", async () => {
    const { client } = await start(streamed([{ role: "assistant", content: "hel" }, { content: "lo" }]));
    const stream = client.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
    let text = "";
    stream.on("content", (piece) => {
      text += piece;
    });
    const answer = await stream.finalChatCompletion();
    expect(text).toBe("hello");
    expect(answer.choices[0]).toMatchObject({ message: { content: "hello" }, finish_reason: "stop" });
    expect(answer.usage?.total_tokens).toBe(14);
  });

  it("runs a tool that the model calls and returns the final response", async () => {
    const { client, requests } = await start(
      whole({ tool_calls: [call] }, "tool_calls"),
      whole({ content: "It rains." }),
    );
    const cities: string[] = [];
    const runner = client.chat.completions.runTools({
      ...ask,
      tools: [
        {
          type: "function",
          function: {
            ...weather,
            function(text: string) {
              cities.push(JSON.parse(text).city);
              return "rain";
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe("It rains.");
    expect(cities).toEqual(["Oslo"]);
    const { messages: sent } = JSON.parse(requests[1]?.body ?? "");
    expect(sent.slice(1)).toEqual([
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "rain" },
    ]);
  });

  it("returns audio, whole and streamed, and sends it back", async () => {
    const audio = { id: "audio_1", data: "AQIDBAUGBwg=", transcript: "Hello.", expires_at: 4_000_000_000 };
    const { client, requests } = await start(
      whole({ content: null, audio }),
      whole({ content: "Yes." }),
      streamed([
        { audio: { id: audio.id, transcript: "Hel" } },
        { audio: { data: "AQIDBAUG" } },
        { audio: { data: "Bwg=", transcript: "lo." } },
        { audio: { expires_at: audio.expires_at } },
      ]),
    );
    const spoken = {
      ...ask,
      model: "openai/gpt-audio",
      modalities: ["text" as const, "audio" as const],
      audio: { voice: "alloy", format: "pcm16" as const },
    };
    const answer = await client.chat.completions.create(spoken);
    const [choice] = answer.choices;
    expect(choice?.message.audio).toEqual(audio);
    if (choice === undefined) throw new Error("there is no choice");
    await client.chat.completions.create({ ...spoken, messages: [...messages, choice.message, ...messages] });
    expect(JSON.parse(requests[1]?.body ?? "").messages[1]).toMatchObject({ audio: { id: audio.id } });
    const final = await client.chat.completions.stream(spoken).finalChatCompletion();
    expect(final.choices[0]?.message.audio).toEqual(audio);
  });

  it("joins the deltas of a tool call", async () => {
    const { client } = await start(streamed(callPieces, "tool_calls"));
    const stream = client.chat.completions.stream({ ...ask, tools: [{ type: "function", function: weather }] });
    const answer = await stream.finalChatCompletion();
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([call]);
  });

  it("returns JSON, and the failed generation if the text is not JSON", async () => {
    const { client } = await start(whole({ content: '{"city":"Oslo"}' }), whole({ content: "{city" }));
    const json = { ...ask, response_format: { type: "json_object" } } as const;
    const answer = await client.chat.completions.create(json);
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toEqual({ city: "Oslo" });
    await expect(client.chat.completions.create(json)).rejects.toMatchObject({
      status: 400,
      code: "json_generation_failed",
      error: { failed_generation: "{city" },
    });
  });

  it("parses JSON that follows a schema", async () => {
    const { client, requests } = await start(whole({ content: '{"city":"Oslo"}' }));
    const schema = { ...weather.parameters, additionalProperties: false };
    const answer = await client.chat.completions.parse({
      ...ask,
      response_format: { type: "json_schema", json_schema: { name: "place", strict: true, schema } },
    });
    expect(answer.choices[0]?.message.content).toBe('{"city":"Oslo"}');
    expect(JSON.parse(requests[0]?.body ?? "").response_format.json_schema).toEqual({
      name: "place",
      strict: true,
      schema,
    });
  });

  it("throws the SDK's error classes", async () => {
    const { client } = await start(limited);
    await expect(client.chat.completions.create({ ...ask, model: "gpt-9" })).rejects.toThrow(OpenAI.NotFoundError);
    await expect(client.chat.completions.create({ ...ask, temperature: 3 })).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      param: "temperature",
      code: "invalid_value",
      requestID: expect.stringMatching(/^chatcmpl-/),
    });
    await expect(client.chat.completions.create(ask)).rejects.toThrow(OpenAI.RateLimitError);
  });

  it("retries after the delay in retry-after-ms", async () => {
    const { client, requests, records } = await start(limited, whole({ content: "now" }));
    const answer = await client.chat.completions.create(ask, { maxRetries: 1 });
    expect(answer.choices[0]?.message.content).toBe("now");
    expect(requests).toHaveLength(2);
    expect(records.map(({ outcome }) => outcome)).toEqual(["failed", "ok"]);
  });

  it("throws if a stream fails after its start", async () => {
    const { client } = await start(cut({ content: "hel" }));
    const read = async () => {
      const stream = await client.chat.completions.create({ ...ask, stream: true });
      for await (const _chunk of stream);
    };
    await expect(read()).rejects.toMatchObject({ code: "provider_stream_interrupted" });
  });

  it("cancels a stream, which aborts the upstream request and is recorded", async () => {
    const { client, requests, nextRecord } = await start(stalled({ content: "hel" }));
    const record = nextRecord();
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    for await (const { choices } of stream) if (choices[0]?.delta.content) stream.controller.abort();
    await requests[0]?.aborted;
    expect(await record).toMatchObject({ outcome: "cancelled", usage: expect.anything() });
  });

  it("cancels a request without a stream", async () => {
    const { client, nextRequest, nextRecord } = await start({ holdHeaders: new Promise<never>(() => {}) });
    const record = nextRecord();
    const asked = nextRequest();
    const gone = new AbortController();
    const answer = client.chat.completions.create(ask, { signal: gone.signal });
    const { aborted } = await asked;
    gone.abort();
    await expect(answer).rejects.toThrow(OpenAI.APIUserAbortError);
    await aborted;
    expect(await record).toMatchObject({ outcome: "cancelled" });
  });

  it("lists models and retrieves one whose name has a slash", async () => {
    const { url } = await startApis();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key" });
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toContain("echo/echo");
    expect(await client.models.retrieve("echo/echo")).toMatchObject({ id: "echo/echo", object: "model" });
  });
});
