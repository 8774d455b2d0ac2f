import { create } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { ConfigError } from "../../../src/config/config-error.ts";
import { formatPath } from "../../../src/field-path.ts";
import type { ChatRequest } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { runOnTarget } from "../../../src/routing/choices.ts";
import { createLlmEngine } from "../../contract/fixtures/llm-engine.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { ask } from "../../support/requests.ts";

const never = new Promise<never>(() => {});
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

async function start(
  options: Readonly<Record<string, unknown>>,
  ...scripts: readonly Script[]
): Promise<{ upstream: ReplayUpstream; adapter: Adapter }> {
  const upstream = await startReplayUpstream(...scripts);
  const adapter = createLlmEngine(upstream.baseUrl, options);
  open.push({ [Symbol.asyncDispose]: async () => adapter.close?.() }, upstream);
  return { upstream, adapter };
}

const modelOf = (endpoint: string): Model =>
  create(ModelSchema, { id: `llm-engine/${endpoint}`, provider: "llm-engine", providerModel: endpoint });

async function complete(adapter: Adapter, request: ChatRequest, asWhole: boolean, endpoint = "llama-3-8b-instruct") {
  const model = modelOf(endpoint);
  const limited = applyAdaptations(request, adapter.checkSupport(request, model)).request;
  const fold = createFold();
  const events: ChatEvent[] = [];
  const signal = new AbortController().signal;
  for await (const batch of runOnTarget({ model, adapter }, limited, { signal, holder: "account:a", whole: asWhole })
    .events)
    events.push(...batch);
  for (const event of events) fold.add(event);
  return fold.completion;
}

const json = (body: object): Script => ({
  headers: { "content-type": "application/json" },
  steps: [{ write: JSON.stringify(body) }],
});
const lines = (...events: readonly object[]): Script => ({
  steps: [{ write: events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join("") }],
});
const output = (more: object) => ({ request_id: "c4bf", output: { text: "Hi", num_completion_tokens: 1, ...more } });
const hello = ask("llm-engine/m", "hello");

describe("v1 of LLM Engine", () => {
  it("sends the escaped endpoint name in the query and a default max_new_tokens", async () => {
    const { upstream, adapter } = await start({ api: "v1" }, lines(output({ finished: true })));
    await complete(adapter, hello, false, "my llama&2");
    expect(upstream.requests[0]).toMatchObject({
      path: "/v1/llm/completions-stream?model_endpoint_name=my%20llama%262",
      headers: { authorization: "Bearer the-key" },
    });
    expect(JSON.parse(upstream.requests[0]?.body ?? "")).toMatchObject({ max_new_tokens: 100, temperature: 1 });
  });

  it("requests a complete response for a call without streaming", async () => {
    const tokens = [{ token: "Hi", log_prob: -0.1 }];
    const { upstream, adapter } = await start({ api: "v1" }, json(output({ num_prompt_tokens: 12, tokens })));
    expect(await complete(adapter, hello, true)).toMatchObject({
      choices: [
        {
          message: { parts: [{ kind: { case: "text", value: "Hi" } }] },
          finishReason: FinishReason.STOP,
          logprobs: { tokens: [{ token: "Hi", logprob: -0.1 }] },
        },
      ],
      usage: { inputTokens: 12, outputTokens: 1, totalTokens: 13, quality: UsageQuality.EXACT },
    });
    expect(upstream.requests[0]?.path).toBe("/v1/llm/completions-sync?model_endpoint_name=llama-3-8b-instruct");
  });

  it("warns that the finish reason is inferred", async () => {
    for (const asWhole of [true, false]) {
      const { adapter } = await start({ api: "v1" }, asWhole ? json(output({})) : lines(output({ finished: true })));
      const { choices, warnings } = await complete(adapter, hello, asWhole);
      expect(choices).toMatchObject([{ finishReason: FinishReason.STOP, providerFinishReason: "" }]);
      expect(warnings).toMatchObject([{ reason: "INFERRED" }]);
    }
  });

  it("reports an error in the first event with its status and message", async () => {
    const error = { status_code: 400, content: { error: "prompt is too long", timestamp: "2026-11-21" } };
    const { adapter } = await start({ api: "v1" }, lines({ request_id: "c4bf", output: null, error }));
    await expect(complete(adapter, hello, false)).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      message: expect.stringContaining("prompt is too long"),
    });
  });

  it("reports an error in a complete response", async () => {
    const error = { status_code: 500, content: { error: "upstream" } };
    const { adapter } = await start({ api: "v1" }, json({ request_id: "c4bf", output: null, error }));
    await expect(complete(adapter, hello, true)).rejects.toMatchObject({ reason: "PROVIDER_UNAVAILABLE" });
  });

  it("sends one request per choice", async () => {
    const { upstream, adapter } = await start(
      { api: "v1" },
      lines(output({ finished: true, num_prompt_tokens: 7 })),
      lines(output({ finished: true, num_prompt_tokens: 7 })),
    );
    const completion = await complete(adapter, ask("llm-engine/m", "hello", { parameters: { n: 2 } }), false);
    expect(completion.choices.map(({ index }) => index)).toEqual([0, 1]);
    expect(completion.usage).toMatchObject({ inputTokens: 14, outputTokens: 2 });
    expect(completion.warnings).toHaveLength(1);
    for (const { body } of upstream.requests) expect(JSON.parse(body)).not.toHaveProperty("n");
  });

  it("preserves key order and digits in a schema", async () => {
    const { upstream, adapter } = await start({ api: "v1" }, lines(output({ finished: true })));
    const schemaJson = '{"type":"object","2":1,"1":12345678901234567890}';
    const outputFormat = { format: { case: "jsonSchema" as const, value: { name: "n", schemaJson } } };
    await complete(adapter, ask("llm-engine/m", "hello", { outputFormat }), false);
    expect(upstream.requests[0]?.body).toContain(`"guided_json":${schemaJson}`);
  });

  it("clamps or rejects values outside the ranges of v1", () => {
    const adapter = createLlmEngine("http://127.0.0.1:9", { api: "v1" });
    const parameters = { temperature: 1.5, presencePenalty: 0.5, frequencyPenalty: 2, maxOutputTokens: 1 };
    const request = ask("llm-engine/m", "hello", { parameters });
    const limited = applyAdaptations(request, adapter.checkSupport(request, modelOf("llama"))).request;
    expect(limited.parameters).toMatchObject({ temperature: 1, presencePenalty: 0.5, frequencyPenalty: 2 });
  });

  it("sends a regex as guided_regex and JSON mode as guided_json", async () => {
    const { upstream, adapter } = await start({ api: "v1" }, lines(output({ finished: true })));
    const formats: readonly Parameters<typeof ask>[2][] = [
      { outputFormat: { format: { case: "regex", value: { pattern: "yes|no" } } } },
      { outputFormat: { format: { case: "jsonObject", value: {} } } },
      { outputFormat: { format: { case: "text", value: {} } } },
    ];
    for (const format of formats) await complete(adapter, ask("llm-engine/m", "hello", format), false);
    const guides = upstream.requests.map(({ body }) => {
      const { guided_regex, guided_json } = JSON.parse(body);
      return [guided_regex, guided_json];
    });
    expect(guides).toEqual([
      ["yes|no", undefined],
      [undefined, { type: "object" }],
      [undefined, undefined],
    ]);
  });

  it("infers LENGTH if the response has max_new_tokens tokens", async () => {
    for (const asWhole of [true, false]) {
      const full = { num_completion_tokens: 100 };
      const { adapter } = await start(
        { api: "v1" },
        asWhole ? json(output(full)) : lines(output({ ...full, finished: true })),
      );
      const { choices } = await complete(adapter, hello, asWhole);
      expect(choices).toMatchObject([{ finishReason: FinishReason.LENGTH }]);
    }
  });

  it("accepts null counts and tokens in a complete response", async () => {
    const nothing = { num_prompt_tokens: null, num_completion_tokens: null, tokens: null };
    const { adapter } = await start({ api: "v1" }, json(output(nothing)));
    const { choices, usage } = await complete(adapter, hello, true);
    expect(choices).toMatchObject([
      { message: { parts: [{ kind: { value: "Hi" } }] }, finishReason: FinishReason.STOP },
    ]);
    expect(choices[0]?.logprobs).toBeUndefined();
    expect(usage).toMatchObject({ quality: UsageQuality.ESTIMATED });
  });

  it("reports the default max_output_tokens and temperature as effective", () => {
    const adapter = createLlmEngine("http://127.0.0.1:9", { api: "v1" });
    const sent = (more: Parameters<typeof ask>[2]) =>
      adapter.effectiveParameters?.(ask("llm-engine/m", "hello", more), modelOf("llama"));
    expect(sent({})).toMatchObject({ maxOutputTokens: 100, temperature: 1 });
    expect(sent({ parameters: { maxOutputTokens: 5, temperature: 0 } })).toMatchObject({
      maxOutputTokens: 5,
      temperature: 0,
    });
  });

  it("sends provider options as additional fields", () => {
    const providerOptions = { "llm-engine": { skip_special_tokens: false, guided_choice: ["a", "b"] } };
    const adapter = createLlmEngine("http://127.0.0.1:9", { api: "v1" });
    const body = adapter.describe(ask("llm-engine/m", "hello", { providerOptions }), modelOf("llama"));
    expect(body).toMatchObject({ skip_special_tokens: false, guided_choice: ["a", "b"] });
  });

  it("rejects an endpoint of unknown family unless a template is configured", () => {
    const kinds = (options: object) =>
      createLlmEngine("http://127.0.0.1:9", { api: "v1", ...options })
        .checkSupport(hello, modelOf("falcon-40b"))
        .map(({ kind, field }) => `${kind} ${formatPath(field)}`);
    expect(kinds({})).toContain("REJECTED model");
    expect(kinds({ template: "chatml" })).not.toContain("REJECTED model");
  });
});

describe("v2 of LLM Engine", () => {
  it("sends v2 requests to their path, with the endpoint in the body", async () => {
    const message = { role: "assistant", content: "Yes", reasoning_content: null };
    const whole = {
      id: "chatcmpl-1",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      object: "chat.completion",
    };
    const { upstream, adapter } = await start({}, json(whole));
    const { choices } = await complete(adapter, hello, true, "my endpoint");
    expect(choices[0]?.message?.parts).toMatchObject([{ kind: { case: "text", value: "Yes" } }]);
    expect(upstream.requests[0]?.path).toBe("/v2/chat/completions");
    expect(JSON.parse(upstream.requests[0]?.body ?? "")).toMatchObject({ model: "my endpoint", stream: false });
  });

  it("reports an error in the first event with its status and message", async () => {
    const error = { status_code: 400, content: { error: "no such tool parser", timestamp: "2026-11-21" } };
    const { adapter } = await start({}, lines({ error }));
    await expect(complete(adapter, hello, false)).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      message: expect.stringContaining("no such tool parser"),
    });
  });
});

describe("LLM Engine", () => {
  it.each(["v1", "v2"])("sends the key of %s as a basic authentication user if configured", async (api) => {
    const { upstream, adapter } = await start({ api, auth: "basic" }, { status: 401 });
    await expect(complete(adapter, hello, false)).rejects.toMatchObject({ reason: "PROVIDER_CREDENTIALS_REJECTED" });
    expect(upstream.requests[0]?.headers.authorization).toBe(`Basic ${btoa("the-key:")}`);
  });

  it.each(["v1", "v2"])("applies cold_start_ms in %s, and pings do not extend it", async (api) => {
    const ping = { write: ": ping - 2026-11-21 00:00:15.000000+00:00\r\n\r\n" };
    const { adapter } = await start({ api, cold_start_ms: 20 }, { steps: [ping, { hold: never }] });
    await expect(complete(adapter, hello, false)).rejects.toMatchObject({ reason: "PROVIDER_TIMEOUT" });
  });

  it.each(["v1", "v2"])("waits for a cold start in %s beyond the first_event timeout", async (api) => {
    const { promise: warm, resolve } = Promise.withResolvers<void>();
    const whole: Readonly<Record<string, Script>> = {
      v1: json(output({})),
      v2: json({ choices: [{ index: 0, message: { content: "Hi" }, finish_reason: "stop" }] }),
    };
    const upstream = await startReplayUpstream({ ...whole[api], holdHeaders: warm }, { holdHeaders: never });
    const engine = (options: object) => createLlmEngine(upstream.baseUrl, { api, ...options }, { firstEventMs: 20 });
    const [patient, hasty] = [engine({}), engine({ cold_start_ms: 20 })];
    open.push(upstream, ...[patient, hasty].map((one) => ({ [Symbol.asyncDispose]: async () => one.close?.() })));
    const arrived = upstream.nextRequest();
    const waiting = complete(patient, hello, true);
    await arrived;
    // This timeout started later and has passed, so an equal timeout of the other call would have passed too.
    await expect(complete(hasty, hello, true)).rejects.toMatchObject({ reason: "PROVIDER_TIMEOUT" });
    resolve();
    expect((await waiting).choices).toMatchObject([{ message: { parts: [{ kind: { value: "Hi" } }] } }]);
  });

  it("rejects unknown options with their path", () => {
    expect(() => createLlmEngine("http://127.0.0.1:9", { api: "v3" })).toThrow(ConfigError);
    expect(() => createLlmEngine("http://127.0.0.1:9", { colour: "red" })).toThrow("providers.llm-engine.options");
  });
});
