import { Code, ConnectError } from "@connectrpc/connect";
import { onTestFinished } from "vitest";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { eventFrame } from "../support/event-stream.ts";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { type ConfigChange, startTestService, type TestService } from "../support/service.ts";

const json = (body: object): Script => ({
  headers: { "content-type": "application/json" },
  steps: [{ write: JSON.stringify(body) }],
});
const sse = (...events: readonly object[]): Script => ({
  steps: [{ write: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("") }],
});

const openaiWhole = json({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_790_000_000,
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
const openaiStream: Script = { steps: [{ write: textChunk("Hello") + streamEnd }] };

// Dragoman always requests a stream from Anthropic's Messages API, also for whole responses.
const anthropicStream = sse(
  {
    type: "message_start",
    message: { id: "msg_1", type: "message", role: "assistant", content: [], usage: { input_tokens: 3 } },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
  { type: "message_stop" },
);

const geminiAnswer = {
  candidates: [{ index: 0, content: { role: "model", parts: [{ text: "Hello" }] }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
};

/** A response of Bedrock's ConverseStream. */
export const converseAnswer = (text: string): Script => ({
  headers: { "content-type": "application/vnd.amazon.eventstream" },
  steps: [
    eventFrame("messageStart", { role: "assistant" }),
    eventFrame("contentBlockDelta", { contentBlockIndex: 0, delta: { text } }),
    eventFrame("contentBlockStop", { contentBlockIndex: 0 }),
    eventFrame("messageStop", { stopReason: "end_turn" }),
    eventFrame("metadata", { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } }),
  ].map((write) => ({ write })),
});

/** Upstream responses of "Hello" with 3 input and 2 output tokens, for whole and streamed responses to the caller. */
export const answers = {
  openai: { whole: openaiWhole, streamed: openaiStream },
  cerebras: { whole: openaiWhole, streamed: openaiStream },
  deepinfra: { whole: openaiWhole, streamed: openaiStream },
  mistral: { whole: openaiWhole, streamed: openaiStream },
  anthropic: { whole: anthropicStream, streamed: anthropicStream },
  bedrock: { whole: converseAnswer("Hello"), streamed: converseAnswer("Hello") },
  gemini: { whole: json(geminiAnswer), streamed: sse(geminiAnswer) },
  // LLM Engine's v2 API, the default.
  "llm-engine": { whole: openaiWhole, streamed: openaiStream },
} as const;
export type BackendName = keyof typeof answers;

/** A response of LLM Engine's v1 API, for `providers.llm-engine.options.api: v1`. */
export const promptAnswer = json({
  request_id: "r1",
  output: { text: "Hello", num_prompt_tokens: 3, num_completion_tokens: 2 },
});

/** Configuration file without the base URLs of the backends. */
export type File = Readonly<Record<string, unknown>> & {
  readonly providers?: Readonly<Partial<Record<BackendName, object>>>;
};

/** A running service and its provider backends, until the test ends. */
export interface Stage {
  readonly service: TestService;
  /** Returns the backend of a provider. */
  backend(name: BackendName): ReplayUpstream;
  /** Returns the JSON body of the last request that a provider received. */
  sent(name: BackendName): Record<string, unknown>;
  /** Returns the number of requests that all providers received. */
  asked(): number;
  /** Posts a JSON body. */
  send(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Posts a JSON body and parses the response. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
}

/** HTTP response with its parsed body. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** DeepInfra states the cost of each response, but most scripts of its backend do not. */
const prices = { "deepinfra/meta-llama/Llama-2-70b-chat-hf": { input: "1.00", output: "1.00" } };

/** Starts a service with a backend for each key of `scripts`. An empty list means the provider's whole response. */
export async function startStage(
  scripts: Readonly<Partial<Record<BackendName, readonly Script[]>>> = {},
  file: File = {},
  change?: ConfigChange,
): Promise<Stage> {
  const backends = new Map<string, ReplayUpstream>();
  const providers: Record<string, object> = {};
  for (const name of Object.keys(answers).filter(isBackend)) {
    const given = scripts[name];
    if (given === undefined) continue;
    const upstream = await startReplayUpstream(...(given.length > 0 ? given : [answers[name].whole]));
    onTestFinished(() => upstream[Symbol.asyncDispose]());
    backends.set(name, upstream);
    providers[name] = { enabled: true, base_url: upstream.baseUrl, api_key: "secret", ...file.providers?.[name] };
  }
  const service = await startTestService({}, change, JSON.stringify({ prices, ...file, providers }));
  onTestFinished(async () => {
    await service.stop();
  });
  const backend = (name: BackendName): ReplayUpstream => {
    const upstream = backends.get(name);
    if (upstream === undefined) throw new Error(`the test started no backend for the provider ${name}`);
    return upstream;
  };
  const send: Stage["send"] = (path, body, headers) =>
    fetch(`http://${service.httpAddress}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  return {
    service,
    backend,
    sent: (name) => JSON.parse(backend(name).requests.at(-1)?.body ?? "null"),
    asked: () => [...backends.values()].reduce((sum, { requests }) => sum + requests.length, 0),
    send,
    async post(path, body, headers) {
      const response = await send(path, body, headers);
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
  };
}

function isBackend(name: string): name is BackendName {
  return Object.hasOwn(answers, name);
}

/** Paths of the chat APIs. */
export const paths = {
  egpChat: "/v4/chat-completions",
  egpDeployment: (id: string) => `/v4/models/${id}/chat-completions`,
  cerebras: "/cerebras/v1/chat/completions",
  deepinfra: "/v1/openai/chat/completions",
  openai: "/v1/chat/completions",
} as const;

/** A failed gRPC call. */
export interface Failure {
  /** Name of the gRPC code, such as `InvalidArgument`. */
  readonly code: string;
  readonly reason: string | undefined;
  readonly message: string;
  /** Invalid fields. */
  readonly fields: readonly string[];
  readonly error: ConnectError;
}

/** Returns the failure of a gRPC call. Throws if the call succeeds. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => {
      throw new Error("the call did not fail");
    },
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return {
    code: Code[error.code],
    reason: error.findDetails(ErrorInfoSchema)[0]?.reason,
    message: error.rawMessage,
    fields: error.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field) ?? [],
    error,
  };
}

/** Returns the locations of the violations in EGP's or DeepInfra's 422 body, such as `body.messages.0.role`. */
export function wrongPlaces({ body }: Reply): readonly string[] {
  const { detail } = body as { detail: readonly { loc: readonly (string | number)[] }[] };
  return detail.map(({ loc }) => loc.join("."));
}

/** Makes a list of one user message. */
export const says = (content: unknown) => [{ role: "user", content }];

/** Fields of a gRPC request to which the rules of an API apply, as they do to requests over that API. */
export const asEgpChat = { profile: Profile.EGP_CHAT } as const;
export const asCerebras = { profile: Profile.CEREBRAS } as const;
export const asDeepinfra = { profile: Profile.DEEPINFRA } as const;
