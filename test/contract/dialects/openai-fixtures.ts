import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Secret } from "../../../src/config/secret.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChoiceSchema } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { MessageSchema, type PartSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { UsageQuality, type UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { declarations } from "../../../src/providers/registry.ts";
import type { AnswerCase, Dialect } from "../dialect.ts";

type Part = Exclude<MessageInitShape<typeof PartSchema>, { $typeName: string }>;
export type UsageInit = Exclude<MessageInitShape<typeof UsageSchema>, { $typeName: string }>;
type Choice = Exclude<MessageInitShape<typeof ChoiceSchema>, { $typeName: string }>;

/** How the answers of one server of OpenAI's dialect look. */
export interface Wire {
  /** Comes before the first chunk. */
  readonly prefix?: string;
  /** Fields of every chunk, beside the usual ones. */
  readonly envelope?: object;
  /** Fields of every choice, beside the usual ones. */
  readonly choice?: object;
  /** Where the usage is. */
  readonly usagePlace: "last chunk" | "finish chunk" | "x_groq" | "every chunk" | "nowhere";
  /** The usage on the wire. */
  readonly usage?: object;
  /** Fields of the last chunk. */
  readonly last?: object;
}

export const plainUsage = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 };

/** One chunk, as an event. */
export function event(fields: object): string {
  return `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_790_000_000, model: "m", ...fields })}\n\n`;
}

export const done = "data: [DONE]\n\n";

/** A chunk of the first choice. */
export function deltaEvent(wire: Wire, delta: object, more: object = {}): string {
  const choice = { index: 0, delta, finish_reason: null, ...wire.choice };
  const usage = wire.usagePlace === "every chunk" ? { usage: wire.usage ?? plainUsage } : {};
  return event({ ...wire.envelope, ...usage, ...more, choices: [choice] });
}

/** A whole streamed answer of one choice. */
export function answer(wire: Wire, deltas: readonly object[], finish: string, finishFields: object = {}): string {
  const usage = wire.usage ?? plainUsage;
  const places = {
    "last chunk": { own: { choices: [], usage } },
    "finish chunk": { finish: { usage } },
    x_groq: { finish: { x_groq: { id: "req_1", usage } } },
    "every chunk": { finish: { usage } },
    nowhere: {},
  } as const satisfies Record<Wire["usagePlace"], { own?: object; finish?: object }>;
  const place: { own?: object; finish?: object } = places[wire.usagePlace];
  const last = place.own ? {} : wire.last;
  return [
    wire.prefix ?? "",
    ...deltas.map((delta) => deltaEvent(wire, delta)),
    event({
      ...wire.envelope,
      choices: [{ index: 0, delta: {}, finish_reason: finish, ...wire.choice, ...finishFields }],
      ...place.finish,
      ...last,
    }),
    place.own ? event({ ...wire.envelope, ...place.own, ...wire.last }) : "",
    done,
  ].join("");
}

export const text = (value: string): Part => ({ kind: { case: "text", value } });
export const thought = (value: string): Part => ({ kind: { case: "reasoning", value: { text: value } } });
export const toolCall = (id: string, name: string, argumentsJson: string): Part => ({
  kind: { case: "toolCall", value: { id, name, argumentsJson } },
});

/** What an answer of one choice means. */
export function means(
  parts: readonly Part[],
  finish: readonly [FinishReason, string] = [FinishReason.STOP, "stop"],
  more: { readonly usage?: UsageInit; readonly choice?: Choice } = {},
): AnswerCase["completion"] {
  const [finishReason, providerFinishReason] = finish;
  const message = { role: Role.ASSISTANT, parts: [...parts] };
  return {
    choices: [{ index: 0, message, finishReason, providerFinishReason, ...more.choice }],
    ...(more.usage && { usage: more.usage }),
  };
}

/** Usage as it is given, with what the fixtures have in common. */
export function usageOf(inputTokens: number, outputTokens: number, more: UsageInit = {}): UsageInit {
  const totalTokens = inputTokens + outputTokens;
  return { inputTokens, outputTokens, totalTokens, quality: UsageQuality.EXACT, ...more };
}

/** Two calls whose fragments come by turns. */
export const interleavedCalls = [
  { role: "assistant", content: null, tool_calls: [call(0, { name: "weather", arguments: "" }, "call_a")] },
  { tool_calls: [call(0, { arguments: '{"city":' })] },
  { tool_calls: [call(1, { name: "time", arguments: '{"zone"' }, "call_b")] },
  { tool_calls: [call(0, { arguments: '"Oslo"}' }), call(1, { arguments: ':"CET"}' })] },
];

export const callsMean = [
  toolCall("call_a", "weather", '{"city":"Oslo"}'),
  toolCall("call_b", "time", '{"zone":"CET"}'),
];

/** A fragment of a call. */
export function call(index: number, called: { name?: string; arguments?: string }, id?: string): object {
  return { index, ...(id && { id, type: "function" }), function: called };
}

export const bad = {
  error: { message: "The server had an error", type: "server_error", param: null, code: null },
};

/** How an answer fails after it began, at any server of the dialect. */
export function failures(wire: Wire): Dialect["failures"] {
  const begun = (wire.prefix ?? "") + deltaEvent(wire, { role: "assistant", content: "Hel" });
  const reason = "PROVIDER_STREAM_INTERRUPTED";
  return [
    { name: "an error in place of a chunk", wire: begun + event(bad), reason },
    { name: "an error before [DONE]", wire: begun + event(bad) + done, reason },
    { name: "an event named error", wire: `${begun}event: error\ndata: {"message":"no"}\n\n`, reason },
    { name: "a chunk that is no JSON", wire: `${begun}data: {"choices":\n\n`, reason },
    { name: "an end without a finish reason", wire: begun, reason },
    { name: "[DONE] without a finish reason", wire: begun + done, reason },
  ];
}

export function modelOf(
  provider: string,
  providerModel: string,
  more: MessageInitShape<typeof ModelSchema> = {},
): Model {
  return create(ModelSchema, {
    id: `${provider}/${providerModel}`,
    provider,
    providerModel,
    profile: "plain",
    ...more,
  });
}

/** Makes the adapter that the registry declares under a name. */
export function declared(name: string, options: Record<string, unknown> = {}): (baseUrl: string) => Adapter {
  const declaration = declarations.find((candidate) => candidate.name === name);
  if (declaration === undefined) throw new Error(`no provider ${name}`);
  return (baseUrl) =>
    declaration.create({
      name,
      baseUrl,
      apiKey: new Secret("sk-test-key"),
      headers: {},
      timeouts: { connectMs: 10_000, firstEventMs: 20_000, idleMs: 20_000 },
      maxConnections: 8,
      options,
    });
}

/** A request that sets every field that some server of the dialect takes. */
export function everyField(model: Model, more: Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest> = {}) {
  return create(ChatRequestSchema, {
    model: model.id,
    messages: [
      create(MessageSchema, { role: Role.SYSTEM, parts: [text("Be brief.")] }),
      create(MessageSchema, { role: Role.DEVELOPER, parts: [text("Be kind.")] }),
      create(MessageSchema, { role: Role.USER, name: "ann", parts: [text("Look")] }),
    ],
    parameters: {
      temperature: 0.7,
      topP: 0.9,
      topK: 40,
      minP: 0.1,
      maxOutputTokens: 100,
      minOutputTokens: 2,
      stopSequences: ["END"],
      n: 2,
      seed: "18446744073709551615",
      presencePenalty: 0.1,
      frequencyPenalty: -0.2,
      repetitionPenalty: 1.1,
      logprobs: true,
      topLogprobs: 3,
      logitBias: { 50256: -100 },
    },
    reasoning: { control: { case: "effort", value: ReasoningEffort.HIGH } },
    tools: [{ name: "weather", description: "Tells it", parametersJsonSchema: '{"type":"object"}', strict: true }],
    toolChoice: { choice: { case: "toolName", value: "weather" } },
    parallelToolCalls: false,
    user: "user-1",
    promptCacheKey: "key-1",
    serviceTier: "flex",
    prediction: { content: "Rain." },
    chatTemplateKwargs: { enable_thinking: false },
    providerOptions: { [model.provider]: { own: 1 }, elsewhere: { other: 2 } },
    ...more,
  });
}

/** What every server is sent of that, in the same form. */
export function sentAnyway(model: Model): object {
  return {
    model: model.providerModel,
    messages: [
      { role: "system", content: "Be brief." },
      { role: "system", content: "Be kind." },
      { role: "user", name: "ann", content: "Look" },
    ],
    tools: [
      {
        type: "function",
        function: { name: "weather", description: "Tells it", parameters: { type: "object" }, strict: true },
      },
    ],
    tool_choice: { type: "function", function: { name: "weather" } },
    stream: true,
    own: 1,
  };
}

/** What servers with OpenAI's names for the common fields are sent. */
export const sentByOpenAiNames = {
  temperature: 0.7,
  top_p: 0.9,
  stop: ["END"],
  seed: Number("18446744073709551615"),
  presence_penalty: 0.1,
  frequency_penalty: -0.2,
  logprobs: true,
  top_logprobs: 3,
};

/** Adaptations as they are compared: what is left out. */
export const leftOut = (...fields: readonly string[]) =>
  fields.map((field) => ({ kind: "UNSUPPORTED_PARAMETER", field }));
