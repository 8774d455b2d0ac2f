import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Script } from "../../support/replay-upstream.ts";
import { startApis, startScripted } from "./apis.ts";
import { limited, streamed, whole } from "./scripts.ts";

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

  it("retries after the delay in retry-after-ms", async () => {
    const { client, requests, records } = await start(limited, whole({ content: "now" }));
    const answer = await client.chat.completions.create(ask, { maxRetries: 1 });
    expect(answer.choices[0]?.message.content).toBe("now");
    expect(requests).toHaveLength(2);
    expect(records.map(({ outcome }) => outcome)).toEqual(["failed", "ok"]);
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
