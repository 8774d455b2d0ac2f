import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { egpDeploymentSurface } from "../../../src/surfaces/egp-deployment/chat.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { deploymentAnswer, deploymentRequest, placesOf, refusal, streamFailure } from "../egp-schemas.ts";
import { noModels, readEvents, startSurface } from "../harness.ts";

type Request = z.input<typeof deploymentRequest>;

const yaml = `
deployments:
  d1:
    model: echo/echo
    family: llm-engine
    parameters:
      - {name: tone, type: string, description: how it sounds, required: false}
  strict:
    model: echo/echo
    parameters: [{name: tone, type: string, description: how it sounds, required: true}]
  foreign: {model: echo/echo, account: a2}
  claude: {model: echo/echo, family: anthropic}
`;
const path = (id: string) => `/v4/models/${id}/chat-completions`;

function ask(prompt: string, more: Partial<Request> = {}): Request {
  return deploymentRequest.parse({ prompt, chat_history: [], ...more });
}

const script = (steps: object): string => JSON.stringify({ echo: steps });
const translate = (body: unknown) =>
  egpDeploymentSurface.translate(body, {
    parameters: { model_deployment_id: "d1" },
    headers: new Headers(),
    catalog: noModels,
  });

describe("a response", () => {
  it("sends the prompt with its completions, and token counts", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const response = await surface.post(ask("hello world"), { path: path("d1") });
    expect(response.status).toBe(200);
    const answer = deploymentAnswer.parse(await response.json());
    expect(answer).toEqual({
      completions: [["hello world", ["hello world"]]],
      ...{ finish_reason: "stop", prompt_tokens: 2, response_tokens: 2 },
    });
    expect(surface.records).toMatchObject([{ method: "egp-deployment", outcome: "ok", model: "deployments/d1" }]);
  });

  it("sends requested log probabilities", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const response = await surface.post(ask("one two", { logprobs: true, top_logprobs: 2 }), { path: path("d1") });
    const { choices } = deploymentAnswer.parse(await response.json());
    expect(choices).toHaveLength(1);
    expect(choices?.[0]?.logprobs.content.map(({ token }) => token)).toEqual(["one ", "two"]);
    expect(choices?.[0]?.logprobs.content[0]?.top_logprobs).toHaveLength(2);
  });

  it("warns about parameters that the model's family does not support", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const more = { logprobs: true, top_k: 5, frequency_penalty: 1 };
    const response = await surface.post(ask("one", more), { path: path("claude") });
    expect(deploymentAnswer.parse(await response.json()).choices).toBeUndefined();
    const warnings: { field: string }[] = JSON.parse(response.headers.get("x-dragoman-warnings") ?? "[]");
    expect(warnings.map(({ field }) => field).sort()).toEqual(["frequency_penalty", "logprobs", "top_k"]);
  });
});

describe("a stream", () => {
  it("streams events in the response shape; only the last has counts", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const response = await surface.post(ask("a b c", { stream: true, logprobs: true }), { path: path("d1") });
    const { data } = await readEvents(response);
    const events = data.map((text) => deploymentAnswer.parse(JSON.parse(text)));
    expect(events.map(({ completions: [pair] }) => pair?.[1].join("")).join("")).toBe("a b c");
    expect(events.map(({ completions: [pair] }) => pair?.[0])).toEqual(["a b c", "", "", ""]);
    expect(events.map((event) => event.response_tokens)).toEqual([0, 0, 0, 3]);
    expect(events.map((event) => event.finish_reason)).toEqual([null, null, null, "stop"]);
    expect(events.flatMap(({ choices = [] }) => choices.map(({ logprobs: { content } }) => content[0]?.token))).toEqual(
      ["a ", "b ", "c"],
    );
  });

  it("responds with 404 to a stream of an unknown deployment", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const response = await surface.post(ask("hi", { stream: true }), { path: path("nope") });
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/json");
  });

  it.each([
    ["PROVIDER_UNAVAILABLE", 500],
    ["CONTEXT_LENGTH_EXCEEDED", 400],
  ])("ends a stream that fails with %s with an event of status %i", async (reason, status) => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const prompt = script({ text: "a b c d", fail: { after: 3, reason } });
    const { data } = await readEvents(await surface.post(ask(prompt, { stream: true }), { path: path("d1") }));
    expect(data).toHaveLength(4);
    expect(streamFailure.parse(JSON.parse(data[3] ?? "")).error.status_code).toBe(status);
  });

  it("sends warnings known only at the end in a comment before the last event", async () => {
    const events = [
      { request_id: "r1", output: { text: "hi", finished: false, num_completion_tokens: 1 } },
      { request_id: "r1", output: { text: "", finished: true, num_completion_tokens: 1, num_prompt_tokens: 2 } },
    ];
    await using upstream = await startReplayUpstream({
      steps: events.map((event) => ({ write: `data: ${JSON.stringify(event)}\n\n` })),
    });
    const environment = { LLM_ENGINE_API_KEY: "k", LLM_ENGINE_BASE_URL: upstream.baseUrl };
    const surface = await startSurface(egpDeploymentSurface, {
      environment,
      yaml: "{providers: {llm-engine: {options: {api: v1}}}, deployments: {d2: {model: llama-3-8b-instruct}}}",
    });
    const { data, comments } = await readEvents(await surface.post(ask("hi", { stream: true }), { path: path("d2") }));
    expect(data.map((text) => deploymentAnswer.parse(JSON.parse(text)).prompt_tokens)).toEqual([0, 2]);
    expect(comments).toEqual([expect.stringMatching(/^x-dragoman-warnings: \[\{"reason":"INFERRED"/)]);
  });
});

describe("the translation", () => {
  it("translates the prompt to the last user message", () => {
    const { chat } = translate(
      ask("c", {
        chat_history: [
          { role: "user", content: "a" },
          { role: "assistant", content: "b" },
        ],
      }),
    );
    expect(chat.model).toBe("deployments/d1");
    expect(chat.messages.map(({ role, parts }) => [role, parts[0]?.kind.value])).toEqual([
      [Role.USER, "a"],
      [Role.ASSISTANT, "b"],
      [Role.USER, "c"],
    ]);
  });

  it("translates every field", () => {
    const { chat, streamed } = translate(
      ask("hi", {
        ...{ temperature: 2, stop_sequences: ["x"], max_tokens: 5, top_p: 0.3, top_k: 0, stream: true },
        ...{ frequency_penalty: 1, presence_penalty: -1, logprobs: true, top_logprobs: 2, chat_template: "{{ x }}" },
        reasoning_effort: "high",
        model_request_parameters: { bindings: { tone: "dry", n: 2, on: true } },
        chat_template_kwargs: { deep: { list: [1, null] } },
      }),
    );
    expect(streamed).toBe(true);
    expect(chat).toMatchObject({
      parameters: {
        ...{ temperature: 2, stopSequences: ["x"], maxOutputTokens: 5, topP: 0.3, topK: 0 },
        ...{ frequencyPenalty: 1, presencePenalty: -1, logprobs: true, topLogprobs: 2 },
      },
      reasoning: { control: { case: "effort", value: ReasoningEffort.HIGH } },
      deploymentParameters: { tone: "dry", n: 2, on: true },
      chatTemplate: "{{ x }}",
      chatTemplateKwargs: { deep: { list: [1, null] } },
    });
  });

  it("takes parts of the history without a type, as Scale's clients send them", () => {
    const image = { media_type: "image/png", data: "AAAA" };
    const sent = (content: object[]) => translate({ prompt: "c", chat_history: [{ content }] }).chat;
    expect(sent([{ text: "a" }, { image_data: image }])).toEqual(
      sent([
        { type: "text", text: "a" },
        { type: "image_data", image_data: { type: "base64", ...image } },
      ]),
    );
  });

  it("treats null like absent", () => {
    const nothing = Object.fromEntries(
      Object.keys(deploymentRequest.shape)
        .filter((name) => name !== "prompt" && name !== "chat_history")
        .map((name) => [name, null]),
    );
    expect(translate(ask("hi", nothing)).chat).toEqual(translate(ask("hi")).chat);
  });
});

describe("errors", () => {
  it.each<[string, object, readonly string[]]>([
    ["no prompt", { prompt: undefined }, ["body.prompt"]],
    ["no history", { chat_history: undefined }, ["body.chat_history"]],
    ["the role tool", { chat_history: [{ role: "tool", content: "x" }] }, ["body.chat_history.0.role"]],
    ["a temperature above 2", { temperature: 2.1 }, ["body.temperature"]],
    ["a temperature below 0", { temperature: -0.1 }, ["body.temperature"]],
    ["an unknown effort", { reasoning_effort: "most" }, ["body.reasoning_effort"]],
    ["a fractional top_k", { top_k: 1.5 }, ["body.top_k"]],
    ["five stop sequences", { stop_sequences: [..."abcde"] }, ["body.stop_sequences"]],
    ["top_logprobs without logprobs", { top_logprobs: 2 }, ["body.top_logprobs"]],
    ["an object as a binding", { model_request_parameters: { bindings: { tone: {} } } }, bindings("tone")],
    ["a binding of another type", { model_request_parameters: { bindings: { tone: 1 } } }, bindings("tone")],
    ["an unknown binding", { model_request_parameters: { bindings: { foo: 1 } } }, bindings("foo")],
    [
      "an integer beyond 64 bits in a template variable",
      { chat_template_kwargs: { n: 2n ** 64n } },
      ["body.chat_template_kwargs.n"],
    ],
    ["an unknown property", { topP: 1 }, ["body.topP"]],
    ["an unknown nested property", { model_request_parameters: { x: 1 } }, ["body.model_request_parameters.x"]],
    ["two violations", { temperature: 3, top_p: 0 }, ["body.temperature", "body.top_p"]],
  ])("responds with 422 and the location for %s", async (_name, change, places) => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const response = await surface.post(written({ ...ask("hi"), ...change }), { path: path("d1") });
    expect(response.status).toBe(422);
    expect([...new Set(await placesOf(response))].sort()).toEqual(places);
  });

  it("reports a missing required binding", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const response = await surface.post(ask("hi"), { path: path("strict") });
    expect([response.status, await placesOf(response)]).toEqual([422, bindings("tone")]);
  });

  it("reports the path for a long ID and the header for a missing account", async () => {
    const surface = await startSurface(egpDeploymentSurface, {
      yaml: `authentication: {require_account: true}\n${yaml}`,
    });
    const headers = { "x-selected-account-id": "a1" };
    const long = await surface.post(ask("hi"), { path: path("x".repeat(300)), headers });
    expect([long.status, await placesOf(long)]).toEqual([422, ["path.model_deployment_id"]]);
    const unnamed = await surface.post(ask("hi"), { path: path("d1") });
    expect([unnamed.status, await placesOf(unnamed)]).toEqual([422, ["header.x-selected-account-id"]]);
  });

  it("sends the same error for another account's and an unknown deployment", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const texts = await Promise.all(
      ["foreign", "foreigm"].map(async (id) => {
        const response = await surface.post(ask("hi"), { path: path(id), headers: { "x-selected-account-id": "a1" } });
        expect(response.status).toBe(404);
        return String(refusal.parse(await response.json()).detail).replace(id, "…");
      }),
    );
    expect(texts[0]).toBe(texts[1]);
    const own = await surface.post(ask("hi"), { path: path("foreign"), headers: { "x-selected-account-id": "a2" } });
    expect(own.status).toBe(200);
  });

  it("responds with 410 to a deployment that the provider has removed", async () => {
    const surface = await startSurface(egpDeploymentSurface, { yaml });
    const prompt = script({ fail: { reason: "MODEL_NOT_FOUND", http_status: 410 } });
    expect((await surface.post(ask(prompt), { path: path("d1") })).status).toBe(410);
  });
});

function bindings(name: string): readonly string[] {
  return [`body.model_request_parameters.bindings.${name}`];
}

/** Formats JSON; a bigint becomes a number literal. */
function written(value: object): string {
  return JSON.stringify(value, (_key, entry) => (typeof entry === "bigint" ? JSON.rawJSON(String(entry)) : entry));
}
