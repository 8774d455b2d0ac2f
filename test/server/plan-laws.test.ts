import { type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seedOf, seedValue } from "../../src/chat/planning/seed.ts";
import type { ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type PlanChatResponse, PlanChatResponseSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import type { GenerationParameters, GenerationParametersSchema } from "../../src/gen/dragoman/v1/parameters_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import type { ChatStarted } from "../../src/gen/dragoman/v1/stream_pb.js";
import { profileValues } from "../../src/profiles/select-profile.ts";
import { answers, type BackendName, converseAnswer, failureOf, type Stage, startStage } from "../behaviours/support.ts";
import * as responses from "../contract/fixtures/openai-responses.ts";
import type { Script } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { functionTool } from "../support/tools.ts";

type Parameter = Exclude<keyof GenerationParameters, "$typeName" | "$unknown" | "seedValue"> | "seed";

/** Provider, models with different supported parameters, and the place of each parameter in the request body. */
interface Backend {
  readonly name: BackendName;
  readonly models: readonly string[];
  readonly places: Readonly<Partial<Record<Parameter, string>>>;
  /** `providers.<name>.options`. */
  readonly options?: { readonly api: "v1" | "chat_completions" | "responses" };
}

const openaiPlaces = {
  temperature: "temperature",
  topP: "top_p",
  maxOutputTokens: "max_completion_tokens",
  stopSequences: "stop",
  n: "n",
  seed: "seed",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
  logprobs: "logprobs",
  topLogprobs: "top_logprobs",
} as const satisfies Backend["places"];
const openModelPlaces = {
  ...openaiPlaces,
  topK: "top_k",
  minP: "min_p",
  repetitionPenalty: "repetition_penalty",
  maxOutputTokens: "max_tokens",
} as const satisfies Backend["places"];

const backends: readonly Backend[] = [
  {
    name: "openai",
    models: ["gpt-4o", "o3-mini", "openai/gpt-5.2"],
    options: { api: "chat_completions" },
    places: openaiPlaces,
  },
  {
    name: "openai",
    // Log probabilities are a word of a list there, and these models have none.
    models: ["gpt-5-pro", "gpt-5.2-pro", "gpt-5.3-codex"],
    options: { api: "responses" },
    places: { maxOutputTokens: "max_output_tokens" },
  },
  {
    name: "cerebras",
    models: ["llama3.1-8b", "cerebras/gpt-oss-120b"],
    places: { ...openaiPlaces, minOutputTokens: "min_completion_tokens" },
  },
  {
    name: "deepinfra",
    models: ["meta-llama/Llama-2-70b-chat-hf", "deepinfra/some/new-model"],
    places: openModelPlaces,
  },
  {
    name: "llm-engine",
    models: ["llama-3-8b-instruct", "llm-engine/some-endpoint"],
    places: { ...openModelPlaces, minOutputTokens: "min_tokens" },
  },
  {
    name: "llm-engine",
    models: ["llama-3-8b-instruct"],
    options: { api: "v1" },
    places: {
      temperature: "temperature",
      topP: "top_p",
      topK: "top_k",
      maxOutputTokens: "max_new_tokens",
      stopSequences: "stop_sequences",
      presencePenalty: "presence_penalty",
      frequencyPenalty: "frequency_penalty",
      logprobs: "return_token_log_probs",
    },
  },
  {
    name: "anthropic",
    models: ["claude-3-haiku-20240307", "anthropic/claude-opus-4-6", "anthropic/claude-next"],
    places: {
      temperature: "temperature",
      topP: "top_p",
      topK: "top_k",
      maxOutputTokens: "max_tokens",
      stopSequences: "stop_sequences",
    },
  },
  {
    name: "gemini",
    models: ["gemini-1.5-pro-002", "gemini/gemini-2.5-flash"],
    places: {
      temperature: "generationConfig.temperature",
      topP: "generationConfig.topP",
      topK: "generationConfig.topK",
      maxOutputTokens: "generationConfig.maxOutputTokens",
      stopSequences: "generationConfig.stopSequences",
      seed: "generationConfig.seed",
      presencePenalty: "generationConfig.presencePenalty",
      frequencyPenalty: "generationConfig.frequencyPenalty",
      logprobs: "generationConfig.responseLogprobs",
      topLogprobs: "generationConfig.logprobs",
    },
  },
  {
    name: "mistral",
    models: ["mistral-large-latest"],
    places: {
      temperature: "temperature",
      topP: "top_p",
      maxOutputTokens: "max_tokens",
      stopSequences: "stop",
      n: "n",
      seed: "random_seed",
      presencePenalty: "presence_penalty",
      frequencyPenalty: "frequency_penalty",
    },
  },
  {
    name: "bedrock",
    models: ["llama3-1-405b-instruct-v1", "bedrock/anthropic.claude-3-haiku-20240307-v1:0"],
    places: {
      temperature: "inferenceConfig.temperature",
      topP: "inferenceConfig.topP",
      topK: "additionalModelRequestFields.top_k",
      maxOutputTokens: "inferenceConfig.maxTokens",
      stopSequences: "inferenceConfig.stopSequences",
    },
  },
];

const profiles = ["plain", "egp-chat", "egp-deployment", "cerebras", "deepinfra"] as const;

/** Values equal to the provider's default behavior, which an adapter may omit from the request body. */
const neutral: Readonly<Partial<Record<Parameter, readonly unknown[]>>> = {
  temperature: [1],
  topP: [1],
  topK: [0, -1],
  minP: [0],
  minOutputTokens: [0],
  n: [1],
  presencePenalty: [0],
  frequencyPenalty: [0],
  repetitionPenalty: [1],
  logprobs: [false],
  topLogprobs: [0],
};

const parameters = [...Object.keys(neutral), "maxOutputTokens", "stopSequences", "seed"] as readonly Parameter[];

const tenths = (from: number, to: number) => fc.integer({ min: from * 10, max: to * 10 }).map((n) => n / 10);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

const someParameters = fc
  .record({
    temperature: maybe(fc.oneof(tenths(0, 1), tenths(0, 2))),
    topP: maybe(tenths(0.1, 1)),
    topK: maybe(fc.integer({ min: -1, max: 20 })),
    minP: maybe(tenths(0, 1)),
    maxOutputTokens: maybe(fc.integer({ min: 1, max: 5000 })),
    minOutputTokens: maybe(fc.constantFrom(0, 1)),
    stopSequences: maybe(fc.array(fc.constantFrom("a", "b", "END"), { maxLength: 4 })),
    n: fc.constantFrom(undefined, undefined, 1, 1, 3),
    seedValue: maybe(fc.constantFrom(0n, 7n, -3n, 2n ** 64n - 1n).map(seedValue)),
    presencePenalty: maybe(tenths(-2, 2)),
    frequencyPenalty: maybe(tenths(-2, 2)),
    repetitionPenalty: maybe(fc.constantFrom(1, 1.2)),
    logprobs: fc.constantFrom(undefined, false, true),
    topLogprobs: maybe(fc.integer({ min: 0, max: 5 })),
  })
  .map(({ topLogprobs, ...rest }): MessageInitShape<typeof GenerationParametersSchema> => {
    const probable = rest.logprobs === true && topLogprobs !== undefined ? { topLogprobs } : {};
    return Object.fromEntries(Object.entries({ ...rest, ...probable }).filter(([, value]) => value !== undefined));
  });

// Parsing and serializing this text would change its digits and the order of its keys.
const exactSchema = '{"type":"object","properties":{"b":{"maximum":12345678901234567890.0},"2":{},"1":{}}}';
const schemaFormat = { format: { case: "jsonSchema", value: { name: "a", schemaJson: exactSchema } } } as const;

const requests = fc.record(
  {
    parameters: someParameters,
    outputFormat: fc.constantFrom(schemaFormat, schemaFormat, schemaFormat, {
      format: { case: "regex", value: { pattern: "a+" } },
    } as const),
    tools: fc.constant([functionTool({ name: "look_up", parametersJsonSchema: exactSchema })]),
    instructions: fc.constantFrom("", "be terse"),
    reasoning: fc.record(
      {
        control: fc.constantFrom(
          { case: "effort", value: ReasoningEffort.LOW } as const,
          { case: "effort", value: ReasoningEffort.NONE } as const,
          { case: "budgetTokens", value: 2000 } as const,
        ),
        format: fc.constantFrom(ReasoningFormat.PARSED, ReasoningFormat.HIDDEN, ReasoningFormat.RAW),
      },
      { requiredKeys: [] },
    ),
    user: fc.constant("u1"),
    serviceTier: fc.constantFrom("auto", "flex"),
    memoryStrategy: fc.constant({ strategy: { case: "lastK", value: { k: 1 } } } as const),
    strictParameters: fc.constantFrom(false, false, false, false, true),
  },
  { requiredKeys: ["parameters"] },
) satisfies fc.Arbitrary<Partial<MessageInitShape<typeof ChatRequestSchema>>>;

/** Streamed response of LLM Engine's v1 API. */
const promptStream: Script = {
  steps: [
    { write: 'data: {"request_id":"r1","output":{"text":"Hello","finished":true,"num_completion_tokens":2}}\n\n' },
  ],
};

const say = (role: Role, text: string) => ({ role, parts: [{ kind: { case: "text", value: text } as const }] });
const messages = [say(Role.USER, "one"), say(Role.ASSISTANT, "two"), say(Role.USER, "three")];

function at(body: unknown, place: string): unknown {
  return place.split(".").reduce((value: unknown, key) => (value as Record<string, unknown> | undefined)?.[key], body);
}

/** Parses JSON and keeps the digits of seeds as text. */
function parseExact(json: string): unknown {
  return JSON.parse(json, (key, value, { source }: { source?: string } = {}) => (/seed/.test(key) ? source : value));
}

/** Expects the effective parameters to equal those of the request body. `calls`: number of upstream requests. */
function expectOnWire(
  effective: GenerationParameters | undefined,
  body: string,
  { places, calls }: { readonly places: Backend["places"]; readonly calls: number },
): void {
  const wire = parseExact(body);
  for (const parameter of parameters) {
    const value = parameter === "seed" ? seedOf(effective)?.toString() : effective?.[parameter];
    const asked = Array.isArray(value) && value.length === 0 ? undefined : value;
    const place = places[parameter];
    const sent = place === undefined ? undefined : at(wire, place);
    if (parameter === "n" && calls > 1) expect([parameter, sent, calls]).toEqual([parameter, undefined, asked]);
    else if (parameter === "topK" && isOff(sent) && isOff(asked)) continue;
    else if (sent !== undefined || !neutral[parameter]?.includes(asked))
      expect([parameter, sent]).toEqual([parameter, asked]);
  }
}

const isOff = (topK: unknown) => topK === undefined || topK === 0 || topK === -1;

async function outcomeOf<T>(call: Promise<T>): Promise<{ readonly value: T } | { readonly failure: unknown }> {
  try {
    return { value: await call };
  } catch {
    const { code, reason, message, fields } = await failureOf(call);
    return { failure: { code, reason, message, fields } };
  }
}

/** Changes the text of a scripted stream to JSON, because the request may have a JSON format. */
function answeringJson({ steps = [], ...script }: Script): Script {
  const written = steps.map((step) =>
    "write" in step && typeof step.write === "string" ? { write: step.write.replace("Hello", "{}") } : step,
  );
  return { ...script, steps: written };
}

/** Returns the `started` event of a stream. */
async function startOf(stage: Stage, chat: ChatRequest): Promise<ChatStarted> {
  const starts: ChatStarted[] = [];
  for await (const { event } of stage.service.chatClient("grpc").streamChat({ chat })) {
    if (event.case === "started") starts.push(event.value);
  }
  const [start] = starts;
  if (start === undefined) throw new Error("the stream did not start");
  return start;
}

/** Returns the fields that a plan and a stream share. A warning that only streams have is not in the plan. */
function commonFields({ model, provider, profile, effectiveParameters, warnings }: PlanChatResponse | ChatStarted) {
  const ofPlan = warnings.filter(({ message }) => !message.endsWith("the stream delivers the whole response at once"));
  return { model, provider, profile, effectiveParameters, warnings: ofPlan };
}

/** Returns the streamed response of an API that an option selects. */
function streamOf(name: BackendName, api: NonNullable<Backend["options"]>["api"]): Script {
  if (api === "chat_completions") return answers[name].streamed;
  return api === "v1" ? promptStream : { steps: [{ write: responses.answer([responses.message(["{}"])]) }] };
}

describe.each(
  backends.map((backend) => ({ title: [backend.name, backend.options?.api ?? ""].join(" ").trim(), backend })),
)("PlanChat and StreamChat with $title", ({ backend }) => {
  const { name, models, options } = backend;

  it("plans the same parameters, warnings, request body and errors as the call has", async () => {
    const deployments = Object.fromEntries(
      models.flatMap((model, index) => profiles.map((profile) => [`${profile}-${index}`, { model, profile }])),
    );
    const streamed = options === undefined ? answers[name].streamed : streamOf(name, options.api);
    const script = name === "bedrock" ? converseAnswer("{}") : answeringJson(streamed);
    const stage = await startStage(
      { [name]: [script] },
      { deployments, ...(options && { providers: { [name]: { options } } }) },
    );
    /** Each model under each profile, once by a deployment with that profile and once by the field of the request. */
    const named = models.flatMap((model, index) =>
      profiles.flatMap((profile) => [
        { profile, fields: { model: `deployments/${profile}-${index}` } },
        { profile, fields: { model, profile: profileValues[profile] } },
      ]),
    );
    const { planChat } = stage.service.chatClient("grpc");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...named), requests, async ({ profile, fields }, asked) => {
        const chat = ask(fields.model, "", { ...asked, ...fields, messages });
        const before = stage.asked();
        const planned = await outcomeOf(planChat({ chat }));
        expect(stage.asked()).toBe(before);
        const answered = await outcomeOf(startOf(stage, chat));
        const bodies = stage
          .backend(name)
          .requests.slice(before)
          .map(({ body }) => body);
        if ("failure" in planned) {
          expect(answered).toEqual(planned);
          expect(bodies).toEqual([]);
          return;
        }
        const { value: plan } = planned;
        expect(toJsonString(PlanChatResponseSchema, plan)).not.toContain("secret");
        expect(plan.profile).toBe(profileValues[profile]);
        const start = "value" in answered ? { value: commonFields(answered.value) } : answered;
        expect(start).toEqual({ value: commonFields(plan) });
        expect(bodies).toContain(plan.providerRequestJson);
        expectOnWire(plan.effectiveParameters, plan.providerRequestJson, { ...backend, calls: bodies.length });
      }),
      { numRuns: 60 },
    );
  });
});
