import { describe, expect, it, onTestFinished } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { OnInvalid } from "../../src/gen/dragoman/v1/output_format_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { failureOf } from "../behaviours/support.ts";
import { delta, finish, streamed, whole } from "../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { pricesOf, protocols, startTestService } from "../support/service.ts";

const schemaJson = JSON.stringify({ type: "object", properties: { city: { type: "string" } } });
const jsonSchema = { case: "jsonSchema", value: { name: "answer", schemaJson } } as const;
const jsonObject = { case: "jsonObject", value: {} } as const;
const onInvalid = OnInvalid.RETURN;

async function start(name: string, ...scripts: readonly Script[]) {
  return startWith(undefined, name, ...scripts);
}

async function startWith(yaml: string | undefined, name: string, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const prefix = name.toUpperCase();
  const environment = { [`${prefix}_API_KEY`]: "k", [`${prefix}_BASE_URL`]: upstream.baseUrl };
  const service = await startTestService(environment, undefined, yaml);
  onTestFinished(() => service.stop());
  return service;
}

type Service = Awaited<ReturnType<typeof start>>;

/** Returns the choices of a call, unary and from its stream. */
async function choicesOf(service: Service, chat: ChatRequest, protocol: (typeof protocols)[number] = "grpc") {
  const client = service.chatClient(protocol);
  const { completion } = await client.completeChat({ chat });
  const fold = createFold();
  for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
  expect(fold.completion.choices).toEqual(completion?.choices);
  return { choices: completion?.choices, completion };
}

describe.each(protocols)("over %s, with on_invalid RETURN", (protocol) => {
  it("returns each choice with its own violation, unary and streamed", async () => {
    const service = await startTestService();
    onTestFinished(() => service.stop());
    const script = { choices: [{ text: "{}" }, { text: "Paris" }] };
    const chat = scriptEcho(script, { outputFormat: { format: jsonObject, onInvalid }, parameters: { n: 2 } });
    const { choices } = await choicesOf(service, chat, protocol);
    expect(choices).toMatchObject([
      { message: { parts: [{ kind: { value: "{}" } }] } },
      { message: { parts: [{ kind: { value: "Paris" } }] }, outputViolation: { message: "the output is not JSON" } },
    ]);
    expect(choices?.[0]?.outputViolation).toBeUndefined();
    expect(await service.nextRecord()).toMatchObject({ outcome: "ok" });
  });
});

describe("with on_invalid RETURN", () => {
  it("returns the violation of a schema that Dragoman validates", async () => {
    const text = '{"city":1}';
    const wrong = { whole: whole({ content: text }), stream: streamed(delta({ content: text }), finish()) };
    const service = await start("deepseek", wrong.whole, wrong.stream);
    const chat = ask("deepseek/deepseek-next", "Where?", { outputFormat: { format: jsonSchema, onInvalid } });
    const { choices } = await choicesOf(service, chat);
    const outputViolation = { instancePath: "/city", schemaPath: "/properties/city/type" };
    expect(choices).toMatchObject([{ finishReason: FinishReason.STOP, outputViolation }]);
  });

  it("returns a text that is not JSON for a schema that the provider enforces", async () => {
    const service = await start("openai", whole({ content: "no" }), streamed(delta({ content: "no" }), finish()));
    const chat = ask("openai/gpt-4o", "Where?", { outputFormat: { format: jsonSchema, onInvalid } });
    const { choices } = await choicesOf(service, chat);
    expect(choices).toMatchObject([{ outputViolation: { message: "the output is not JSON" } }]);
  });

  const rejected: Script = {
    status: 400,
    headers: { "content-type": "application/json" },
    steps: [{ write: '{"error":{"message":"No.","type":"x","code":"json_validate_failed","failed_generation":"{a"}}' }],
  };

  it("returns output that the provider rejected, with an estimated usage", async () => {
    const service = await start("groq", rejected);
    const chat = (more: object) =>
      ask("groq/openai/gpt-oss-120b", "JSON?", { outputFormat: { format: jsonObject, ...more } });
    const { choices, completion } = await choicesOf(service, chat({ onInvalid }));
    expect(choices).toMatchObject([
      {
        finishReason: FinishReason.OTHER,
        providerFinishReason: "json_validate_failed",
        message: { parts: [{ kind: { case: "text", value: "{a" } }] },
        outputViolation: { message: "the output is not JSON" },
      },
    ]);
    expect(completion?.usage).toMatchObject({ outputTokens: 1, quality: UsageQuality.ESTIMATED });
    expect(completion?.attempts).toMatchObject([{ failureReason: "JSON_GENERATION_FAILED", httpStatus: 400 }]);
    const failure = await failureOf(service.chatClient("grpc").completeChat({ chat: chat({}) }));
    expect(failure).toMatchObject({ reason: "JSON_GENERATION_FAILED" });
  });

  it("charges output once that the provider rejected inside a stream", async () => {
    const error = { message: "No.", type: "x", code: "json_validate_failed", failed_generation: "{a" };
    const steps = [{ write: `event: error\ndata: ${JSON.stringify({ error })}\n\n` }];
    const model = "groq/openai/gpt-oss-120b";
    const service = await startWith(pricesOf(model), "groq", { steps });
    const chat = ask(model, "JSON?", { outputFormat: { format: jsonObject, onInvalid } });
    const fold = createFold();
    for await (const { event } of service.chatClient("grpc").streamChat({ chat })) {
      if (event.case !== undefined) fold.add(event);
    }
    const { usage, attempts } = await service.nextRecord();
    expect(attempts).toMatchObject([{ usage: { cost: usage?.cost } }]);
    expect(usage?.cost?.totalNanos).toBe(1000n * BigInt(usage?.totalTokens ?? 0));
    expect(fold.completion.usage).toEqual(usage);
  });

  it("warns that it has no effect without a JSON format", async () => {
    const service = await startTestService();
    onTestFinished(() => service.stop());
    const outputFormat = { format: { case: "text", value: {} }, onInvalid } as const;
    const { completion } = await service
      .chatClient("grpc")
      .completeChat({ chat: scriptEcho({ text: "a" }, { outputFormat }) });
    expect(completion?.warnings).toMatchObject([{ reason: "ADVICE", field: "output_format.on_invalid" }]);
  });
});
