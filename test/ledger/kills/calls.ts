import { type Client, ConnectError } from "@connectrpc/connect";
import type { ChatService } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import type { Usage } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { ErrorInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import { ask } from "../../support/requests.ts";

/** What a client saw of a call. */
export interface SeenCall {
  readonly requestId: string;
  readonly account: string;
  /** Time in ms from the request to what the client saw last. */
  tookMs: number;
  /** ChatCompletion.id. Undefined: the client saw none. */
  id?: string;
  /** What the end of the response said: the trailers, or the end of the HTTP body. Undefined: the client did not see it. */
  end?: SeenEnd;
}

/** The usage of a call that succeeded; over the HTTP API only its counts. Or the reason of the error, if it has one. */
export type SeenEnd =
  | { readonly usage: Usage | Pick<Usage, "inputTokens" | "outputTokens"> | undefined }
  | { readonly reason: string | undefined };

/** Client of one process. */
export interface Caller {
  readonly chats: Client<typeof ChatService>;
  readonly httpAddress: string;
  /** Aborts all calls, when the process has ended. */
  readonly ended: AbortSignal;
  /** Called when the client sees the beginning of a response. */
  readonly began: () => void;
}

/** A kind of call. Sets what the client sees. Rejects if the client cancelled, or if the connection ended. */
type Kind = (seen: SeenCall, caller: Caller) => Promise<void>;

const random = (below: number) => Math.floor(Math.random() * below);

const text = () => "word ".repeat(1 + random(7)).trim();

/** Prompt that is a script of the echo provider. */
const prompt = (script: object) => JSON.stringify({ echo: { text: text(), delay_ms: random(4), ...script } });

const requestOf = ({ account }: SeenCall, script: object, { model = "echo/echo", parameters }: Options) =>
  ask(model, prompt(script), { accountId: account, labels: { kind: "kill" }, ...(parameters && { parameters }) });

interface Options {
  readonly model?: string;
  readonly signal?: AbortSignal;
  /** The deadline is the server's, so that its trailers arrive. */
  readonly deadlineMs?: number;
  readonly parameters?: { readonly temperature: number };
}

const optionsOf = ({ requestId }: SeenCall, caller: Caller, { deadlineMs, ...options }: Options) => ({
  headers: { "x-request-id": requestId, ...(deadlineMs !== undefined && { "grpc-timeout": `${deadlineMs}m` }) },
  signal: signalOf(caller, options),
});

const signalOf = ({ ended }: Caller, { signal }: Options) => AbortSignal.any(signal ? [signal, ended] : [ended]);

/** Notes the error of trailers. Other errors are those of the client or of the connection. */
function noteError(seen: SeenCall, error: unknown): void {
  const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
  if (info === undefined) throw error;
  seen.end = { reason: info.reason };
}

async function complete(seen: SeenCall, caller: Caller, script: object, options: Options = {}) {
  try {
    const { completion } = await caller.chats.completeChat(
      { chat: requestOf(seen, script, options) },
      optionsOf(seen, caller, options),
    );
    caller.began();
    if (completion === undefined) throw new Error("the response has a completion");
    seen.id = completion.id;
    seen.end = { usage: completion.usage };
  } catch (error) {
    noteError(seen, error);
  }
}

async function stream(seen: SeenCall, caller: Caller, script: object, options: Options = {}, started = () => {}) {
  let usage: Usage | undefined;
  try {
    const chat = requestOf(seen, script, options);
    for await (const { event } of caller.chats.streamChat({ chat }, optionsOf(seen, caller, options))) {
      if (event.case === "completed") ({ usage } = event.value);
      if (event.case !== "started") continue;
      seen.id = event.value.id;
      caller.began();
      started();
    }
    seen.end = { usage };
  } catch (error) {
    noteError(seen, error);
  }
}

const idForm = /"id":\s*"(chatcmpl-[0-9a-f]{32})"/;

/** Calls the HTTP API. `isStream`: for server-sent events. */
async function post(
  seen: SeenCall,
  caller: Caller,
  script: object,
  isStream: boolean,
  options: Options = {},
  started = () => {},
) {
  const { model = "echo/echo" } = options;
  const response = await fetch(`http://${caller.httpAddress}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-request-id": seen.requestId,
      "x-selected-account-id": seen.account,
    },
    body: JSON.stringify({
      model,
      messages: [{ role: "user", content: prompt(script) }],
      ...(isStream && { stream: true, stream_options: { include_usage: true } }),
    }),
    signal: signalOf(caller, options),
  });
  let body = "";
  for await (const chunk of (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
    body += chunk;
    const id = seen.id ?? idForm.exec(body)?.[1];
    if (id === undefined || seen.id !== undefined) continue;
    seen.id = id;
    caller.began();
    started();
  }
  const [, input] = /"prompt_tokens":\s*(\d+)/.exec(body) ?? [];
  const [, output] = /"completion_tokens":\s*(\d+)/.exec(body) ?? [];
  const hasUsage = response.ok && !body.includes('"error":') && input !== undefined && output !== undefined;
  seen.end = hasUsage ? { usage: { inputTokens: Number(input), outputTokens: Number(output) } } : { reason: undefined };
}

/** Passes a signal to a call, which is cancelled when it has begun. */
function cancelled(call: (signal: AbortSignal, started: () => void) => Promise<void>): Promise<void> {
  const gone = new AbortController();
  return call(gone.signal, () => gone.abort());
}

const slow = { repeat: 20, delay_ms: 5 };
const failing = { model: "echo/failing" };
const fail = (after: number | "started") => ({ fail: { after, reason: "PROVIDER_UNAVAILABLE" } });

const usual: readonly Kind[] = [
  (seen, caller) => complete(seen, caller, {}),
  (seen, caller) => stream(seen, caller, {}),
  (seen, caller) => post(seen, caller, {}, false),
  (seen, caller) => post(seen, caller, {}, true),
];

/** Kinds of calls: half of them succeed; the others are cancelled, reach their deadline, fail or are refused. */
export const kinds: readonly Kind[] = [
  ...usual,
  ...usual,
  (seen, caller) => cancelled((signal, started) => stream(seen, caller, slow, { signal }, started)),
  (seen, caller) => complete(seen, caller, slow, { signal: AbortSignal.timeout(1 + random(20)) }),
  (seen, caller) => cancelled((signal, started) => post(seen, caller, slow, true, { signal }, started)),
  (seen, caller) => complete(seen, caller, slow, { deadlineMs: 5 + random(30) }),
  (seen, caller) => stream(seen, caller, slow, { deadlineMs: 5 + random(30) }),
  (seen, caller) => stream(seen, caller, fail(2), failing),
  (seen, caller) => post(seen, caller, fail(0), false, failing),
  (seen, caller) => complete(seen, caller, {}, { parameters: { temperature: 99 } }),
];
