import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { egpChatSurface } from "../../../src/surfaces/egp-chat/chat.ts";
import { chatRequest, placesOf, refusal } from "../egp-schemas.ts";
import { startSurface } from "../harness.ts";

type Request = z.input<typeof chatRequest>;

const echoed = { yaml: "models: {gpt-4o: {provider: echo, provider_model: echo}}" };

function ask(content: string, more: Partial<Request> = {}): Request {
  return chatRequest.parse({ model: "gpt-4o", messages: [{ role: "user", content }], ...more });
}

const script = (steps: object): string => JSON.stringify({ echo: steps });

describe("errors of EGP chat", () => {
  const message = (content: unknown) => ({ messages: [{ role: "user", content }] });
  const image = (fields: object) =>
    message([
      {
        type: "image_data",
        image_data: { type: "base64", media_type: "image/png", data: "AAAA", ...fields },
      },
    ]);

  it.each<[string, object, readonly string[]]>([
    ["a model outside the list", { model: "gpt-9" }, ["body.model"]],
    ["a provider's model", { model: "openai/gpt-4o" }, ["body.model"]],
    ["a deployment", { model: "deployments/d1" }, ["body.model"]],
    ["another name of a listed model", { model: "gemini-1.0-pro" }, ["body.model"]],
    ["no messages", { messages: [] }, ["body.messages"]],
    ["missing messages", { messages: undefined }, ["body.messages"]],
    ["the role agent", { messages: [{ role: "agent", content: "x" }] }, ["body.messages.0.role"]],
    ["the role tool", { messages: [{ role: "tool", content: "x", name: "t" }] }, ["body.messages.0.role"]],
    ["an assistant's parts", { messages: [{ role: "assistant", content: [] }] }, ["body.messages.0.content"]],
    ["a number as content", message(5), ["body.messages.0.content"]],
    ["no parts", message([]), ["body.messages.0.content"]],
    ["an unknown part type", message([{ type: "video" }]), ["body.messages.0.content.0.type"]],
    ["a part of no kind", message([{ video: "x" }]), ["body.messages.0.content.0.type"]],
    ["a text that is no text", message([{ text: 5 }]), ["body.messages.0.content.0.text"]],
    [
      "an unknown encoding without a part type",
      message([{ image_data: { type: "hex", media_type: "image/png", data: "AAAA" } }]),
      ["body.messages.0.content.0.image_data.type"],
    ],
    ["an unknown encoding", image({ type: "hex" }), ["body.messages.0.content.0.image_data.type"]],
    ["invalid base64", image({ data: "A*==" }), ["body.messages.0.content.0.image_data.data"]],
    ["no bytes", image({ data: "" }), ["body.messages.0.content.0.image_data.data"]],
    [
      "a media type other than an image",
      image({ media_type: "text/css" }),
      ["body.messages.0.content.0.image_data.media_type"],
    ],
    ["a temperature above 1", { model_parameters: { temperature: 1.2 } }, ["body.model_parameters.temperature"]],
    ["a topP of 0", { model_parameters: { topP: 0 } }, ["body.model_parameters.topP"]],
    ["a fractional topK", { model_parameters: { topK: 1.5 } }, ["body.model_parameters.topK"]],
    ["a topK beyond 32 bits", { model_parameters: { topK: 3e9 } }, ["body.model_parameters.topK"]],
    ["max_tokens of 0", { model_parameters: { max_tokens: 0 } }, ["body.model_parameters.max_tokens"]],
    [
      "five stop sequences",
      { model_parameters: { stop_sequences: [..."abcde"] } },
      ["body.model_parameters.stop_sequences"],
    ],
    [
      "an empty stop sequence",
      { model_parameters: { stop_sequences: ["a", ""] } },
      ["body.model_parameters.stop_sequences.1"],
    ],
    [
      "an effort of none",
      { model_parameters: { reasoning_effort: "none" } },
      ["body.model_parameters.reasoning_effort"],
    ],
    ["k of 0", { memory_strategy: { params: { k: 0 } } }, ["body.memory_strategy.params.k"]],
    ["no k", { memory_strategy: { params: {} } }, ["body.memory_strategy.params.k"]],
    [
      "an unknown memory strategy",
      { memory_strategy: { name: "summary", params: { k: 1 } } },
      ["body.memory_strategy.name"],
    ],
    [
      "instructions beside a system message",
      { instructions: "a", messages: [{ role: "system", content: "b" }] },
      ["body.instructions"],
    ],
    ["an unknown property", { foo: 1 }, ["body.foo"]],
    ["an unknown nested property", { model_parameters: { top_p: 1 } }, ["body.model_parameters.top_p"]],
    [
      "two violations",
      { model_parameters: { temperature: 3, presence_penalty: 9 } },
      ["body.model_parameters.presence_penalty", "body.model_parameters.temperature"],
    ],
  ])("responds with 422 and the location for %s", async (_name, change, places) => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await surface.post({ ...ask("hi"), ...change });
    expect(response.status).toBe(422);
    expect([...new Set(await placesOf(response))].sort()).toEqual(places);
    expect(surface.records).toMatchObject([{ outcome: "refused", reason: "INVALID_REQUEST" }]);
  });

  it("sends pydantic 1's error type for each violation", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await surface.post({ messages: [{ role: "user", content: "hi" }], stream: "yes", foo: 1 });
    expect(await response.json()).toEqual({
      detail: [
        { loc: ["body", "model"], msg: "is required", type: "value_error.missing" },
        { loc: ["body", "stream"], msg: "must be true or false", type: "type_error" },
        { loc: ["body", "foo"], msg: "is not a property of this API", type: "value_error.extra" },
      ],
    });
  });

  it("responds with 400 to a field that the model does not support", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await surface.post(ask("hi", { chat_template: "{{ messages }}" }));
    expect(response.status).toBe(400);
    expect(await placesOf(response)).toEqual(["body.chat_template"]);
  });

  it("responds with 400 to a prompt that is too long, with both lengths", async () => {
    const surface = await startSurface(egpChatSurface, {
      yaml: "models: {gpt-4o: {provider: echo, provider_model: echo, context_window: 60}}",
    });
    const response = await surface.post(ask("word ".repeat(100)));
    expect(response.status).toBe(400);
    expect(refusal.parse(await response.json()).detail).toMatch(/\d+ tokens.* 60\b/);
  });

  it("responds with 404 if the model's provider is not configured", async () => {
    const surface = await startSurface(egpChatSurface);
    const response = await surface.post(ask("hi"));
    expect(response.status).toBe(404);
    expect(refusal.parse(await response.json()).detail).toContain("OPENAI_API_KEY");
  });

  it("responds with 401 without an API key, before it parses the body", async () => {
    const sha256 = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    const yaml = `authentication: {keys: [{id: k1, sha256: ${sha256}, accounts: [a1, a2]}]}\n${echoed.yaml}`;
    const surface = await startSurface(egpChatSurface, { yaml });
    const response = await surface.post("not JSON");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    refusal.parse(await response.json());
    const headers = { "x-api-key": "password" };
    const unnamed = await surface.post(ask("hi"), { headers });
    expect([unnamed.status, await placesOf(unnamed)]).toEqual([422, ["body.account_id"]]);
    expect((await surface.post(ask("hi", { account_id: "a9" }), { headers })).status).toBe(403);
    expect((await surface.post(ask("hi", { account_id: "a2" }), { headers })).status).toBe(200);
    expect(surface.records.map(({ outcome, reason, accountId }) => reason ?? `${outcome} ${accountId}`)).toEqual([
      "CREDENTIALS_MISSING",
      "INVALID_REQUEST",
      "ACCOUNT_NOT_ALLOWED",
      "ok a2",
    ]);
  });

  it("responds with 500 if the provider rejects Dragoman's credentials", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const fail = { reason: "PROVIDER_CREDENTIALS_REJECTED" };
    const response = await surface.post(ask(script({ fail })));
    expect(response.status).toBe(500);
    expect(response.headers.get("x-should-retry")).toBe("false");
  });

  it("sends only the request ID for an internal error", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await surface.post(ask(script({ fail: { reason: "INTERNAL" } })), {
      headers: { "x-request-id": "abc-1" },
    });
    expect(response.status).toBe(500);
    expect(refusal.parse(await response.json()).detail).toContain("abc-1");
    expect(surface.faults).toHaveLength(1);
  });
});
