import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { MediaDetail } from "../../../src/gen/dragoman/v1/media_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { egpModels } from "../../../src/models/egp-models.ts";
import { egpChatSurface } from "../../../src/surfaces/egp-chat/chat.ts";
import { streamEnd, textChunk } from "../../support/openai-wire.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { chatAnswer, chatEvent, chatRequest, refusal, streamFailure } from "../egp-schemas.ts";
import { noModels, readEvents, startSurface } from "../harness.ts";

type Request = z.input<typeof chatRequest>;

/** Serves gpt-4o by the echo provider, which echoes the prompt or runs a script. */
const echoed = { yaml: "models: {gpt-4o: {provider: echo, provider_model: echo}}" };

/** Makes a request that is valid against the documented schema. */
function ask(content: string, more: Partial<Request> = {}): Request {
  return chatRequest.parse({ model: "gpt-4o", messages: [{ role: "user", content }], ...more });
}

const script = (steps: object): string => JSON.stringify({ echo: steps });
const translate = (body: unknown) =>
  egpChatSurface.translate(body, { parameters: {}, headers: new Headers(), catalog: noModels });

async function answered(response: Response): Promise<z.output<typeof chatAnswer>> {
  expect(response.status).toBe(200);
  return chatAnswer.parse(await response.json());
}

describe("a response", () => {
  it("sends the message, the finish reason and the usage", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const answer = await answered(await surface.post(ask("hello big world")));
    expect(answer.chat_completion).toEqual({
      message: { role: "assistant", content: "hello big world" },
      finish_reason: "stop",
    });
    expect(answer.token_usage?.completion).toBe(3);
    expect(surface.records).toMatchObject([{ method: "egp-chat", protocol: "http", outcome: "ok", model: "gpt-4o" }]);
  });

  it("sends a refusal as text and omits reasoning", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const said = script({ reasoning: "they want something", refusal: "I cannot" });
    expect((await answered(await surface.post(ask(said)))).chat_completion.message.content).toBe("I cannot");
    const { data } = await readEvents(await surface.post(ask(said, { stream: true })));
    const pieces = data.map((text) => chatEvent.parse(JSON.parse(text)).chat_completion.message.content);
    expect(pieces.join("")).toBe("I cannot");
  });

  it.each([
    ["LENGTH", "length"],
    ["CONTENT_FILTER", "content_filter"],
  ])("translates the finish reason %s to %s", async (reason, word) => {
    const surface = await startSurface(egpChatSurface, echoed);
    const answer = await answered(await surface.post(ask(script({ text: "a", finish_reason: reason }))));
    expect(answer.chat_completion.finish_reason).toBe(word);
  });
});

describe("a stream", () => {
  it("streams events in the response shape, with usage only in the last", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await surface.post(ask("hello big world", { stream: true }));
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const { data } = await readEvents(response);
    const events = data.map((text) => chatEvent.parse(JSON.parse(text)));
    expect(events.map(({ chat_completion: { message } }) => message.content).join("")).toBe("hello big world");
    expect(events.map(({ token_usage: usage }) => usage !== null)).toEqual([false, false, false, true]);
    expect(events.map(({ chat_completion: said }) => said.finish_reason)).toEqual([null, null, null, "stop"]);
  });

  it("has the fields of the deployments API in each event, as Scale's clients read them", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const { data } = await readEvents(await surface.post(ask("hello big world", { stream: true })));
    const events = data.map((text) => chatEvent.parse(JSON.parse(text)));
    for (const { chat_completion: said, token_usage: usage, ...event } of events) {
      expect(event).toEqual({
        completions: [["", [said.message.content]]],
        finish_reason: said.finish_reason,
        prompt_tokens: usage?.prompt ?? 0,
        response_tokens: usage?.completion ?? 0,
      });
    }
    expect(events.at(-1)?.response_tokens).toBe(3);
  });

  it("responds with an HTTP status if a stream fails before its first text", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const fail = { after: "started", reason: "PROVIDER_UNAVAILABLE", retry_after_ms: 1500 };
    const response = await surface.post(ask(script({ text: "a b", fail }), { stream: true }));
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("2");
    expect(response.headers.get("retry-after-ms")).toBe("1500");
    expect(refusal.parse(await response.json()).detail).toContain("PROVIDER_UNAVAILABLE");
  });

  it("ends a stream with an error event if it fails after its first text", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const fail = { after: 1, reason: "PROVIDER_UNAVAILABLE" };
    const response = await surface.post(ask(script({ text: "a b", fail }), { stream: true }));
    expect(response.status).toBe(200);
    const { data } = await readEvents(response);
    expect(data).toHaveLength(2);
    const failure = streamFailure.parse(JSON.parse(data[1] ?? ""));
    expect(failure.error.status_code).toBe(500);
    expect(failure.request_id).toBe(response.headers.get("x-request-id"));
    expect(surface.records).toMatchObject([{ outcome: "failed", reason: "PROVIDER_UNAVAILABLE" }]);
  });

  it("aborts the upstream request and records cancellation on disconnect", async () => {
    await using upstream = await startReplayUpstream({
      steps: [{ write: textChunk("one") }, { hold: new Promise(() => {}) }],
    });
    const environment = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: upstream.baseUrl };
    const surface = await startSurface(egpChatSurface, { environment });
    const client = new AbortController();
    const response = await surface.post(ask("count", { stream: true }), { signal: client.signal });
    await response.body?.getReader().read();
    const record = surface.nextRecord();
    client.abort();
    await upstream.requests[0]?.aborted;
    expect(await record).toMatchObject({ outcome: "cancelled", provider: "openai" });
  });
});

describe("what reaches the model", () => {
  async function sent(more: Partial<Request>): Promise<{ messages: { role: string; content: string }[] }> {
    await using upstream = await startReplayUpstream({ steps: [{ write: textChunk("ok") }, { write: streamEnd }] });
    const environment = { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: upstream.baseUrl };
    const surface = await startSurface(egpChatSurface, { environment });
    const response = await surface.post(ask("hi", { stream: true, ...more }));
    await response.text();
    expect(response.status).toBe(200);
    return JSON.parse(upstream.requests[0]?.body ?? "");
  }
  const system = { role: "system", content: "be brief" } as const;

  it.each<[string, Partial<Request>, string | RegExp | undefined]>([
    ["no instructions", {}, /^You are an AI assistant that helps users/],
    ["null instructions", { instructions: null }, undefined],
    ["empty instructions", { instructions: "" }, undefined],
    ["instructions", { instructions: "be terse" }, "be terse"],
    ["a system message", { messages: [system, { role: "user", content: "hi" }] }, "be brief"],
    [
      "a system message and null instructions",
      { instructions: null, messages: [system, { role: "user", content: "hi" }] },
      "be brief",
    ],
  ])("sends the right system prompt for %s", async (_name, more, expected) => {
    const { messages } = await sent(more);
    const texts = messages
      .filter(({ role }) => role === "system" || role === "developer")
      .map(({ content }) => content);
    if (expected === undefined) expect(texts).toEqual([]);
    else expect(texts).toEqual([expect.stringMatching(expected)]);
  });

  it("sends only the last k messages", async () => {
    const messages = ["a", "b", "c"].map((content) => ({ role: "user" as const, content }));
    const body = await sent({ instructions: null, messages, memory_strategy: { params: { k: 2 } } });
    expect(body.messages.map(({ content }) => content)).toEqual(["b", "c"]);
  });

  it("sends the default temperature, and parameters by the provider's names", async () => {
    expect(await sent({})).toMatchObject({ temperature: 0.2 });
    const sampling = { temperature: 0, max_tokens: 7, stop_sequences: ["END"], topP: 0.5, presence_penalty: 1 };
    expect(await sent({ model_parameters: sampling })).toMatchObject({
      ...{ temperature: 0, max_completion_tokens: 7, stop: ["END"], top_p: 0.5, presence_penalty: 1 },
    });
  });
});

describe("the translation", () => {
  it("translates every field", () => {
    const { chat, streamed } = translate(
      ask("hi", {
        account_id: "a1",
        memory_strategy: { name: "last_k", params: { k: 3 } },
        instructions: "be terse",
        chat_template: "{{ messages }}",
        stream: true,
        model_parameters: {
          ...{ temperature: 0.5, max_tokens: 9, stop_sequences: ["x"], topP: 0.9, topK: 4 },
          ...{ frequency_penalty: -1, presence_penalty: 1, reasoning_effort: "medium" },
        },
      }),
    );
    expect(streamed).toBe(true);
    expect(chat).toMatchObject({
      ...{ model: "gpt-4o", accountId: "a1", instructions: "be terse", chatTemplate: "{{ messages }}" },
      memoryStrategy: { strategy: { case: "lastK", value: { k: 3 } } },
      reasoning: { control: { case: "effort", value: ReasoningEffort.MEDIUM } },
      parameters: {
        ...{ temperature: 0.5, maxOutputTokens: 9, stopSequences: ["x"], topP: 0.9, topK: 4 },
        ...{ frequencyPenalty: -1, presencePenalty: 1 },
      },
    });
  });

  it("treats null like absent, except in instructions", () => {
    const nothing = {
      account_id: null,
      memory_strategy: null,
      model_parameters: null,
      chat_template: null,
      stream: null,
    };
    expect(translate(ask("hi", nothing))).toMatchObject(JSON.parse(JSON.stringify(translate(ask("hi")))));
    expect(translate(ask("hi")).chat.instructions).toBeUndefined();
    expect(translate(ask("hi", { instructions: null })).chat.instructions).toBe("");
  });

  it("treats a message without a role as a user message, as SDKs may send it", () => {
    expect(translate(ask("", { messages: [{ content: "hi" }] })).chat.messages[0]?.role).toBe(Role.USER);
  });

  it("translates text and image parts", () => {
    const data = Buffer.from("png").toString("base64");
    const { chat } = translate(
      ask("", {
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "look" },
              { type: "image_url", image_url: { url: "https://images.example/a.png", detail: "low" } },
              { type: "image_url", image_url: { url: `data:image/gif;base64,${data}` } },
              { type: "image_data", image_data: { type: "base64", media_type: "image/png", data, detail: "auto" } },
            ],
          },
        ],
      }),
    );
    const bytes = { case: "data", value: Buffer.from("png") };
    expect(chat.messages[0]?.parts.map(({ kind }) => kind)).toMatchObject([
      { case: "text", value: "look" },
      { value: { source: { case: "url", value: "https://images.example/a.png" }, detail: MediaDetail.LOW } },
      { value: { source: bytes, mediaType: "image/gif", detail: MediaDetail.UNSPECIFIED } },
      { value: { source: bytes, mediaType: "image/png", detail: MediaDetail.AUTO } },
    ]);
  });

  it("takes parts and images without a type, as Scale's clients send them", () => {
    const data = Buffer.from("png").toString("base64");
    const parts = [
      { type: "text" as const, text: "look" },
      { type: "image_url" as const, image_url: { url: "https://images.example/a.png" } },
      { type: "image_data" as const, image_data: { type: "base64" as const, media_type: "image/png", data } },
    ];
    const bare = [
      { text: "look" },
      { image_url: { url: "https://images.example/a.png" } },
      { image_data: { media_type: "image/png", data } },
    ];
    const sent = (content: object[]) => translate({ model: "gpt-4o", messages: [{ content }] }).chat;
    expect(sent(bare)).toEqual(sent(parts));
  });

  it("accepts all 51 listed models", () => {
    expect(egpModels).toHaveLength(51);
    for (const { id } of egpModels) expect(translate(ask("hi", { model: id })).chat.model).toBe(id);
  });
});
