import { Code, ConnectError } from "@connectrpc/connect";
import { onTestFinished } from "vitest";
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
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
const openaiStream: Script = { steps: [{ write: textChunk("Hello") + streamEnd }] };

// Messages is asked for a stream whoever the caller is.
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

/** An answer of Bedrock. */
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

/** An answer of "Hello" with 3 and 2 tokens, to a caller who takes it as a whole and to one who has it streamed. */
export const answers = {
  openai: { whole: openaiWhole, streamed: openaiStream },
  cerebras: { whole: openaiWhole, streamed: openaiStream },
  deepinfra: { whole: openaiWhole, streamed: openaiStream },
  mistral: { whole: openaiWhole, streamed: openaiStream },
  anthropic: { whole: anthropicStream, streamed: anthropicStream },
  bedrock: { whole: converseAnswer("Hello"), streamed: converseAnswer("Hello") },
  gemini: { whole: json(geminiAnswer), streamed: sse(geminiAnswer) },
  // The engine's v2, which is the default.
  "llm-engine": { whole: openaiWhole, streamed: openaiStream },
} as const;
export type BackendName = keyof typeof answers;

/** An answer of LLM Engine's v1, for `providers.llm-engine.options.api`. */
export const promptAnswer = json({
  request_id: "r1",
  output: { text: "Hello", num_prompt_tokens: 3, num_completion_tokens: 2 },
});

/** The configuration file, beside the addresses of the backends. */
export type File = Readonly<Record<string, unknown>> & {
  readonly providers?: Readonly<Partial<Record<BackendName, object>>>;
};

/** A service and the providers behind it, until the test ends. */
export interface Stage {
  readonly service: TestService;
  /** The backend of a provider. */
  backend(name: BackendName): ReplayUpstream;
  /** The JSON of the last request that a provider got. */
  sent(name: BackendName): Record<string, unknown>;
  /** The requests that any provider got. */
  asked(): number;
  /** A POST of JSON. */
  send(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The same, with the answer's JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
}

/** An answer over HTTP. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Starts a service with these backends and the scripts of each; without scripts, an answer to callers of the whole. */
export async function startStage(
  scripts: Readonly<Partial<Record<BackendName, readonly Script[]>>> = {},
  file: File = {},
  change?: ConfigChange,
): Promise<Stage> {
  const backends = new Map<string, ReplayUpstream>();
  const providers: Record<string, object> = {};
  for (const name of Object.keys(answers).filter(isBackend)) {
    const own = scripts[name];
    if (own === undefined) continue;
    const upstream = await startReplayUpstream(...(own.length > 0 ? own : [answers[name].whole]));
    onTestFinished(() => upstream[Symbol.asyncDispose]());
    backends.set(name, upstream);
    providers[name] = { enabled: true, base_url: upstream.baseUrl, api_key: "secret", ...file.providers?.[name] };
  }
  const service = await startTestService({}, change, JSON.stringify({ ...file, providers }));
  onTestFinished(async () => {
    await service.stop();
  });
  const backend = (name: BackendName): ReplayUpstream => {
    const upstream = backends.get(name);
    if (upstream === undefined) throw new Error(`the provider ${name} has no backend here`);
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

/** Where each API is served. */
export const paths = {
  egpChat: "/v4/chat-completions",
  egpDeployment: (id: string) => `/v4/models/${id}/chat-completions`,
  cerebras: "/cerebras/v1/chat/completions",
  deepinfra: "/v1/openai/chat/completions",
  openai: "/v1/chat/completions",
} as const;

/** A failed gRPC call. */
export interface Failure {
  /** The name of the code: `InvalidArgument`. */
  readonly code: string;
  readonly reason: string | undefined;
  readonly message: string;
  /** The fields that are wrong. */
  readonly fields: readonly string[];
  readonly error: ConnectError;
}

/** How a gRPC call fails; throws when it does not. */
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

/** A body of EGP's 422: the place of each field that is wrong, such as `body.messages.0.role`. */
export function wrongPlaces({ body }: Reply): readonly string[] {
  const { detail } = body as { detail: readonly { loc: readonly (string | number)[] }[] };
  return detail.map(({ loc }) => loc.join("."));
}

/** `[{ role: "user", content }]`. */
export const says = (content: unknown) => [{ role: "user", content }];
