import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AttemptOutcome } from "../../src/gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { CallInfoSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import type { Warning } from "../../src/gen/dragoman/v1/warning_pb.js";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";

type Fields = NonNullable<Parameters<typeof ask>[2]>;

const json = { "content-type": "application/json" };
const streamed: Script = { steps: [{ write: textChunk("yes") }, { write: streamEnd }] };
const choice = { index: 0, message: { role: "assistant", content: "yes" }, finish_reason: "stop" };
const whole: Script = { headers: json, steps: [{ write: JSON.stringify({ id: "1", choices: [choice] }) }] };

function reject(param: unknown, more: object = {}, status = 400): Script {
  const error = { message: "It is wrong.", type: "invalid_request_error", param, code: null, ...more };
  return { status, headers: json, steps: [{ write: JSON.stringify({ error }) }] };
}

interface Stage extends AsyncDisposable {
  readonly upstream: ReplayUpstream;
  readonly service: TestService;
  /** Bodies that the provider received. */
  bodies(): readonly Readonly<Record<string, unknown>>[];
}

async function stageOf(provider: string, ...scripts: readonly Script[]): Promise<Stage> {
  const upstream = await startReplayUpstream(...scripts);
  // The fields are those of Chat Completions.
  const options = provider === "openai" ? { api: "chat_completions" } : {};
  const section = { [provider]: { enabled: true, api_key: "k", base_url: upstream.baseUrl, options } };
  const service = await startTestService({}, undefined, JSON.stringify({ providers: section }));
  return {
    upstream,
    service,
    bodies: () => upstream.requests.map(({ body }) => JSON.parse(body)),
    async [Symbol.asyncDispose]() {
      await service.stop();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Defaults temperature 1 and top_p 1, which the caller does not write. */
const withDefaults: Fields = { profile: Profile.CEREBRAS };

const ways = {
  async unary({ service }: Stage, chat: ChatRequest) {
    const { completion } = await service.chatClient("grpc").completeChat({ chat });
    return { warnings: completion?.warnings ?? [], attempts: completion?.attempts ?? [] };
  },
  async streamed({ service }: Stage, chat: ChatRequest) {
    const warnings: Warning[] = [];
    for await (const { event } of service.chatClient("grpc").streamChat({ chat })) {
      if (event.case === "started") warnings.push(...event.value.warnings);
      if (event.case === "completed") return { warnings, attempts: event.value.attempts };
    }
    return expect.fail("the stream has no end");
  },
} as const;

const forms = [
  { form: "unary", call: ways.unary, answer: whole },
  { form: "streamed", call: ways.streamed, answer: streamed },
] as const;

const learnedOf = (warnings: readonly Warning[]) =>
  warnings.filter(({ reason }) => reason === "LEARNED").map(({ field, message }) => ({ field, message }));

async function failureOf(pending: Promise<unknown>): Promise<ConnectError> {
  return pending.then(
    () => expect.fail("the call succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}

const twoAttempts = [
  { outcome: AttemptOutcome.FAILED, failureReason: "INVALID_REQUEST", httpStatus: 400 },
  { outcome: AttemptOutcome.ANSWERED, failureReason: "", httpStatus: 200 },
];

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(forms)("a default that the provider rejects, $form", ({ call, answer }) => {
  it("is left out in a second attempt, and by later calls at once", async () => {
    const refused = reject("temperature", { code: "unsupported_value" });
    await using stage = await stageOf("openai", refused, answer);
    const chat = ask("openai/gpt-4o", "hi", withDefaults);
    const first = await call(stage, chat);
    expect(first.attempts).toMatchObject(twoAttempts);
    const message = expect.stringMatching(
      /^openai rejected parameters.temperature \(HTTP 400, unsupported_value\); Dragoman leaves out parameters.temperature until \d{4}-.*Z$/,
    );
    expect(learnedOf(first.warnings)).toEqual([{ field: "parameters.temperature", message }]);
    const second = await call(stage, chat);
    expect(second.attempts).toMatchObject([twoAttempts[1]]);
    expect(learnedOf(second.warnings)).toEqual([{ field: "parameters.temperature", message }]);
    expect(stage.bodies().map(({ temperature, top_p }) => [temperature, top_p])).toEqual([
      [1, 1],
      [undefined, 1],
      [undefined, 1],
    ]);
    expect(stage.service.records.map(({ attempts }) => attempts.length)).toEqual([2, 1]);
  });

  it("is still sent if the caller writes it", async () => {
    await using stage = await stageOf("openai", reject("temperature"), answer);
    await call(stage, ask("openai/gpt-4o", "hi", withDefaults));
    const own = await call(stage, ask("openai/gpt-4o", "hi", { ...withDefaults, parameters: { temperature: 0.5 } }));
    expect(learnedOf(own.warnings)).toEqual([]);
    expect(stage.bodies()[2]).toMatchObject({ temperature: 0.5 });
  });

  it("fails after exactly two attempts if the provider rejects the second one too, and is not remembered", async () => {
    await using stage = await stageOf("openai", reject("temperature"), reject("top_p"), answer);
    const chat = ask("openai/gpt-4o", "hi", withDefaults);
    const failure = await failureOf(call(stage, chat));
    expect(failure.code).toBe(Code.InvalidArgument);
    const [info] = failure.findDetails(CallInfoSchema);
    expect(info?.attempts).toMatchObject([twoAttempts[0], twoAttempts[0]]);
    expect(stage.bodies()).toHaveLength(2);
    const { warnings } = await stage.service.chatClient("grpc").planChat({ chat });
    expect(learnedOf(warnings)).toEqual([]);
  });

  it("is no error with strict_parameters", async () => {
    await using stage = await stageOf("openai", reject("temperature"), answer);
    const chat = ask("openai/gpt-4o", "hi", { ...withDefaults, strictParameters: true });
    expect((await call(stage, chat)).attempts).toHaveLength(2);
    expect((await call(stage, chat)).attempts).toHaveLength(1);
  });

  it("is left out together with another default that the same error names", async () => {
    const detail = ["temperature", "top_p"].map((name) => ({
      loc: ["body", name],
      msg: "No.",
      type: "extra_forbidden",
    }));
    const refused = { status: 422, headers: json, steps: [{ write: JSON.stringify({ detail }) }] };
    await using stage = await stageOf("openai", refused, answer);
    const { warnings } = await call(stage, ask("openai/gpt-4o", "hi", withDefaults));
    expect(learnedOf(warnings).map(({ field }) => field)).toEqual(["parameters.temperature", "parameters.top_p"]);
    expect(stage.bodies()).toHaveLength(2);
  });

  it("is not left out if the error also names a field that the caller wrote", async () => {
    const detail = ["temperature", "seed"].map((name) => ({
      loc: ["body", name],
      msg: "No.",
      type: "extra_forbidden",
    }));
    const refused = { status: 422, headers: json, steps: [{ write: JSON.stringify({ detail }) }] };
    await using stage = await stageOf("openai", refused, answer);
    const chat = ask("openai/gpt-4o", "hi", {
      ...withDefaults,
      parameters: { seedValue: { case: "seed", value: 7n } },
    });
    const failure = await failureOf(call(stage, chat));
    expect(failure.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([
      { field: "chat.parameters.seed" },
    ]);
    expect(stage.bodies()).toHaveLength(1);
  });

  it("is not left out without time for another attempt", async () => {
    const arrived = Promise.withResolvers<void>();
    await using stage = await stageOf("openai", { ...reject("temperature"), holdHeaders: arrived.promise }, answer);
    const real = performance.now.bind(performance);
    let passedMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => real() + passedMs);
    const request = stage.upstream.nextRequest();
    // Dragoman's limit for a call is ten minutes. Six of them pass until the provider rejects the request.
    const failure = failureOf(call(stage, ask("openai/gpt-4o", "hi", withDefaults)));
    await request;
    passedMs = 6 * 60_000;
    arrived.resolve();
    expect((await failure).code).toBe(Code.InvalidArgument);
    expect(stage.bodies()).toHaveLength(1);
  });

  it("is left out for each choice if Dragoman sends one request per choice", async () => {
    const arrived = Promise.withResolvers<void>();
    const fieldViolations = [{ field: "generation_config.temperature", description: "No." }];
    const error = { code: 400, status: "INVALID_ARGUMENT", message: "No.", details: [{ fieldViolations }] };
    const refused: Script = {
      status: 400,
      headers: json,
      holdHeaders: arrived.promise,
      steps: [{ write: JSON.stringify({ error }) }],
    };
    const part = { candidates: [{ content: { parts: [{ text: "yes" }] }, finishReason: "STOP" }] };
    const isWhole = answer === whole;
    const text = isWhole ? JSON.stringify(part) : `data: ${JSON.stringify(part)}\n\n`;
    const said: Script = { ...(isWhole && { headers: json }), steps: [{ write: text }] };
    await using stage = await stageOf("gemini", refused, refused, refused, said);
    const chat = ask("gemini/gemini-2.0-flash", "hi", { ...withDefaults, parameters: { n: 3 } });
    const first = call(stage, chat);
    while (stage.upstream.requests.length < 3) await stage.upstream.nextRequest();
    arrived.resolve();
    const { attempts, warnings } = await first;
    expect(attempts.map(({ choiceIndex }) => choiceIndex)).toEqual([0, 1, 2, 0, 1, 2]);
    const { FAILED, ABANDONED, ANSWERED } = AttemptOutcome;
    const outcomes = attempts.map(({ outcome }) => outcome);
    expect(outcomes.slice(0, 3)).toContain(FAILED);
    expect([FAILED, ABANDONED]).toEqual(expect.arrayContaining(outcomes.slice(0, 3)));
    expect(outcomes.slice(3)).toEqual([ANSWERED, ANSWERED, ANSWERED]);
    expect(learnedOf(warnings).map(({ field }) => field)).toEqual(["parameters.temperature"]);
    expect((await call(stage, chat)).attempts).toHaveLength(3);
  });
});

describe.each(forms)("a field that the caller wrote, $form", ({ call, answer }) => {
  const tool = functionTool({ name: "f", strict: true });
  const jsonSchema = { format: { case: "jsonSchema", value: { name: "a", schemaJson: '{"type":"object"}' } } } as const;

  it.each<[string, string, Fields]>([
    ["temperature", "chat.parameters.temperature", { parameters: { temperature: 0.5 } }],
    ["messages[0].cache_control", "chat.messages", {}],
    ["$.messages[0].content", "chat.messages", {}],
    ["body.user", "chat.user", { user: "ann" }],
    ["messages.[0].content", "chat.messages", {}],
    ["tools.0.function.strict", "chat.tools", { tools: [tool] }],
    ["tools[0].function.parameters.properties.a", "chat.tools", { tools: [tool] }],
    ["response_format", "chat.output_format", { outputFormat: jsonSchema }],
    ["response_format.json_schema.schema", "chat.output_format", { outputFormat: jsonSchema }],
    ["user", "chat.user", { user: "ann" }],
    ["max_tokens", "chat.parameters.max_output_tokens", { parameters: { maxOutputTokens: 5 } }],
    ["verbosity", "chat.provider_options.openai.verbosity", { providerOptions: { openai: { verbosity: "low" } } }],
  ])("fails after one attempt and names the field if the provider rejects %s", async (param, field, fields) => {
    await using stage = await stageOf("openai", reject(param), answer);
    const failure = await failureOf(call(stage, ask("openai/gpt-4o", "hi", { ...withDefaults, ...fields })));
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.rawMessage).toContain("It is wrong.");
    expect(failure.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([{ field }]);
    expect(stage.bodies()).toHaveLength(1);
  });

  it.each(
    [
      ["", "a".repeat(5_000), "__proto__", "constructor", "toString.call", "stream_options.__proto__.a", "[[[", "...."],
      [null, 7, ["temperature"], { name: "temperature" }, "model", "stream", "unknown", "temperatures", "TOOLS"],
    ].flat(),
  )("fails after one attempt if the provider rejects %s", async (param) => {
    await using stage = await stageOf("openai", reject(param), answer);
    const failure = await failureOf(ways.unary(stage, ask("openai/gpt-4o", "hi", withDefaults)));
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(stage.bodies()).toHaveLength(1);
  });
});

describe("a field that the adapter adds", () => {
  it("is left out in a second attempt, only where the body would have it", async () => {
    await using stage = await stageOf("openai", reject("stream_options.include_usage"), streamed, streamed, whole);
    const chat = ask("openai/gpt-4o", "hi");
    const field = "provider_options.openai.stream_options";
    expect(learnedOf((await ways.streamed(stage, chat)).warnings)).toMatchObject([{ field }]);
    expect(learnedOf((await ways.streamed(stage, chat)).warnings)).toMatchObject([{ field }]);
    expect(learnedOf((await ways.unary(stage, chat)).warnings)).toEqual([]);
    expect(stage.bodies().map((body) => "stream_options" in body)).toEqual([true, false, false, false]);
    const plan = await stage.service.chatClient("grpc").planChat({ chat });
    expect(learnedOf(plan.warnings)).toMatchObject([{ field }]);
    expect(JSON.parse(plan.providerRequestJson)).not.toHaveProperty("stream_options");
  });

  it.each([
    "$.stream_options",
    "body.stream_options.include_usage",
    "$['stream_options']",
  ])("is found at the path %s", async (param) => {
    await using stage = await stageOf("openai", reject(param), streamed);
    const field = "provider_options.openai.stream_options";
    expect(learnedOf((await ways.streamed(stage, ask("openai/gpt-4o", "hi"))).warnings)).toMatchObject([{ field }]);
  });

  it("is the caller's if a provider option sets it", async () => {
    const name = "context_length_exceeded_behavior";
    await using stage = await stageOf("together", reject(name), whole, whole, reject(name));
    const learned = await ways.unary(stage, ask("together/m", "hi"));
    expect(learnedOf(learned.warnings).map(({ field }) => field)).toEqual([`provider_options.together.${name}`]);
    const chat = ask("together/m", "hi", { providerOptions: { together: { [name]: "truncate" } } });
    expect(learnedOf((await ways.unary(stage, chat)).warnings)).toEqual([]);
    await failureOf(ways.unary(stage, chat));
    expect(stage.bodies().map((body) => body[name])).toEqual(["error", undefined, "truncate", "truncate"]);
  });

  it("is not reported as emulated where it is left out", async () => {
    await using stage = await stageOf("openai", reject("reasoning_effort"), whole);
    const { warnings } = await ways.unary(stage, ask("openai/gpt-5.6", "hi", { tools: [functionTool({ name: "f" })] }));
    expect(warnings.map(({ reason, field }) => `${reason} ${field}`)).toEqual(["LEARNED reasoning.effort"]);
    expect(stage.bodies().map(({ reasoning_effort }) => reasoning_effort)).toEqual(["none", undefined]);
  });

  it("is found in the spelling of the provider", async () => {
    const field = "generation_config.thinking_config.include_thoughts";
    const error = {
      code: 400,
      status: "INVALID_ARGUMENT",
      message: "No.",
      details: [{ fieldViolations: [{ field }] }],
    };
    const part = { candidates: [{ content: { parts: [{ text: "yes" }] }, finishReason: "STOP" }] };
    await using stage = await stageOf(
      "gemini",
      { status: 400, headers: json, steps: [{ write: JSON.stringify({ error }) }] },
      { headers: json, steps: [{ write: JSON.stringify(part) }] },
    );
    const reasoning = { control: { case: "budgetTokens", value: 2048 } } as const;
    const { warnings } = await ways.unary(stage, ask("gemini/gemini-2.5-flash", "hi", { reasoning }));
    expect(learnedOf(warnings)).toMatchObject([{ field: "reasoning.format" }]);
    expect(stage.bodies()[1]).toMatchObject({ generationConfig: { thinkingConfig: { thinkingBudget: 2048 } } });
    expect(stage.bodies()[1]).not.toHaveProperty("generationConfig.thinkingConfig.includeThoughts");
  });

  it("is not left out if the caller requested it with strict_parameters", async () => {
    await using stage = await stageOf("openrouter", reject("provider.require_parameters"), whole);
    await failureOf(ways.unary(stage, ask("openrouter/m", "hi", { strictParameters: true })));
    expect(stage.bodies()).toHaveLength(1);
  });

  it("is read from the error of the provider behind OpenRouter", async () => {
    const raw = JSON.stringify({ error: { message: "No.", param: "top_p", code: "unsupported_parameter" } });
    const error = { message: "Provider returned error", code: 400, metadata: { provider_name: "Azure", raw } };
    const refused = { status: 400, headers: json, steps: [{ write: JSON.stringify({ error }) }] };
    await using stage = await stageOf("openrouter", refused, whole);
    const { warnings } = await ways.unary(stage, ask("openrouter/m", "hi", withDefaults));
    expect(learnedOf(warnings).map(({ field }) => field)).toEqual(["parameters.top_p"]);
  });
});

describe("a field with two names", () => {
  const unknown = (name: string) => reject(name, { code: "unsupported_parameter" });
  const limited = (provider: string) => ask(`${provider}/m`, "hi", { parameters: { maxOutputTokens: 9 } });

  it("gets its other name, also if the caller wrote it", async () => {
    await using stage = await stageOf("together", unknown("max_tokens"), whole);
    const first = await ways.unary(stage, limited("together"));
    expect(first.attempts).toHaveLength(2);
    const message = expect.stringContaining("Dragoman sends max_completion_tokens and not max_tokens until ");
    expect(learnedOf(first.warnings)).toEqual([{ field: "parameters.max_output_tokens", message }]);
    const second = await ways.unary(stage, limited("together"));
    expect(second.attempts).toHaveLength(1);
    const plain = await ways.unary(stage, ask("together/m", "hi"));
    expect(learnedOf(plain.warnings)).toEqual([]);
    expect(stage.bodies().map(({ max_tokens, max_completion_tokens }) => [max_tokens, max_completion_tokens])).toEqual([
      [9, undefined],
      [undefined, 9],
      [undefined, 9],
      [undefined, undefined],
    ]);
  });

  it("is left out if it is a default whose value the provider rejects", async () => {
    const fields = { profile: Profile.EGP_CHAT, instructions: "" };
    await using stage = await stageOf("openai", reject("max_completion_tokens"), whole);
    const { warnings } = await ways.unary(stage, ask("openai/gpt-4o", "hi", fields));
    expect(learnedOf(warnings).map(({ field }) => field)).toEqual(["parameters.max_output_tokens"]);
    const sent = stage.bodies().map((body) => ["max_tokens" in body, "max_completion_tokens" in body]);
    expect(sent).toEqual([
      [false, true],
      [false, false],
    ]);
  });

  it("keeps its name if the provider rejects the value", async () => {
    await using stage = await stageOf("together", reject("max_tokens", { code: "invalid_value" }), whole);
    await failureOf(ways.unary(stage, limited("together")));
    expect(stage.bodies()).toHaveLength(1);
  });

  it("gets its first name again if the provider rejects the other one later", async () => {
    const scripts = [unknown("max_tokens"), whole, unknown("max_completion_tokens"), whole];
    await using stage = await stageOf("together", ...scripts);
    await ways.unary(stage, limited("together"));
    const flipped = await ways.unary(stage, limited("together"));
    expect(flipped.attempts).toHaveLength(2);
    const last = await ways.unary(stage, limited("together"));
    expect(last.attempts).toHaveLength(1);
    expect(stage.bodies().map((body) => "max_tokens" in body)).toEqual([true, false, false, true, true]);
  });
});

it("aborts the second attempt if the caller cancels, and records both", async () => {
  await using stage = await stageOf("openai", reject("temperature"), { holdHeaders: new Promise(() => {}) });
  const controller = new AbortController();
  const { upstream, service } = stage;
  const chat = ask("openai/gpt-4o", "hi", withDefaults);
  const failure = failureOf(service.chatClient("grpc").completeChat({ chat }, { signal: controller.signal }));
  await upstream.nextRequest();
  const { aborted } = await upstream.nextRequest();
  controller.abort();
  await aborted;
  expect((await failure).code).toBe(Code.Canceled);
  const { FAILED, ABANDONED } = AttemptOutcome;
  const { attempts } = await service.nextRecord();
  expect(attempts).toMatchObject([{ outcome: FAILED }, { outcome: ABANDONED, failureReason: "CANCELLED" }]);
});

it("makes a second attempt if the provider reports the error in a response with status 200", async () => {
  const error = { message: "No.", type: "invalid_request_error", param: "temperature", code: null };
  const first: Script = { steps: [{ write: `: ping\n\ndata: ${JSON.stringify({ error })}\n\n` }] };
  await using stage = await stageOf("openai", first, streamed);
  const { attempts } = await ways.streamed(stage, ask("openai/gpt-4o", "hi", withDefaults));
  expect(attempts.map(({ outcome }) => outcome)).toEqual([AttemptOutcome.FAILED, AttemptOutcome.ANSWERED]);
});

it("fails after output without a second attempt", async () => {
  const error = { message: "No.", type: "invalid_request_error", param: "temperature" };
  const late: Script = { steps: [{ write: textChunk("so") }, { write: `data: ${JSON.stringify({ error })}\n\n` }] };
  await using stage = await stageOf("openai", late, streamed);
  await failureOf(ways.streamed(stage, ask("openai/gpt-4o", "hi", withDefaults)));
  expect(stage.bodies()).toHaveLength(1);
});

it("names the field of an HTTP API that the provider rejects, with the provider's words", async () => {
  await using stage = await stageOf("together", reject("max_tokens", { code: "invalid_value" }), whole);
  const messages = [{ role: "user", content: "hi" }];
  const response = await fetch(`http://${stage.service.httpAddress}/v1/chat/completions`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ model: "together/m", messages, max_completion_tokens: 9 }),
  });
  expect(response.status).toBe(400);
  const error = { param: "max_completion_tokens", message: expect.stringContaining("It is wrong.") };
  expect(await response.json()).toMatchObject({ error });
});

it("keeps what the provider wrote about one call's prompt from later calls", async () => {
  const secret = "the prompt was: open sesame";
  await using stage = await stageOf("openai", reject("temperature", { message: secret, code: secret }), whole);
  await ways.unary(stage, ask("openai/gpt-4o", "open sesame", withDefaults));
  const later = await ways.unary(stage, ask("openai/gpt-4o", "hi", withDefaults));
  expect(learnedOf(later.warnings)).toHaveLength(1);
  expect(JSON.stringify(later.warnings)).not.toContain("sesame");
});
