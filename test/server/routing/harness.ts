import { randomUUID } from "node:crypto";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createParser } from "eventsource-parser";
import { onTestFinished } from "vitest";
import type { LimitStore } from "../../../src/accounts/limits/limit-store.ts";
import { type AttemptRules, plainRules } from "../../../src/config/route.ts";
import { type Attempt, AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { CallInfoSchema } from "../../../src/gen/dragoman/v1/error_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import type { CallRecord } from "../../../src/ledger/record.ts";
import { answers, type ChatUpstream, startChatUpstream } from "../../support/chat-upstream.ts";
import { ask } from "../../support/requests.ts";
import { startTestService, type TestService } from "../../support/service.ts";

/** How a caller makes a call. */
export const forms = ["gRPC stream", "gRPC unary", "OpenAI stream", "OpenAI unary"] as const;
export type Form = (typeof forms)[number];
export const streamForms = ["gRPC stream", "OpenAI stream"] as const;
export const unaryForms = ["gRPC unary", "OpenAI unary"] as const;
/** Forms with a deadline of the caller's. */
export const deadlineForms = ["gRPC stream", "gRPC unary"] as const;

interface Setting<Name extends string> {
  /** Names of the providers: each is a scripted server, which answers with its name unless a test says otherwise. */
  readonly providers: readonly Name[];
  /** Further lines of a provider's section, in YAML's flow form without braces: `keys: [...]`. */
  readonly sections?: Partial<Record<Name, string>>;
  /** Dialects of providers. Default: vllm. */
  readonly dialects?: Partial<Record<Name, string>>;
  /** Further sections of the file: `routes`, `breaker` and others. */
  readonly yaml?: string;
  readonly plainRules?: AttemptRules;
  readonly limitStore?: LimitStore;
}

export interface Routed<Name extends string> {
  readonly service: TestService;
  readonly at: Readonly<Record<Name, ChatUpstream>>;
  call(form: Form, request: Parameters<typeof callAs>[2]): Promise<Got>;
  /** Ends the service before the test ends. */
  close(): Promise<void>;
}

/** Starts the service in front of one scripted server for each provider, until the test ends. */
export async function startRouted<const Name extends string>(setting: Setting<Name>): Promise<Routed<Name>> {
  const { providers, sections = {}, dialects = {}, yaml = "" } = setting;
  const servers = await Promise.all(providers.map((name) => startChatUpstream(answers(name))));
  const lines = providers.map((name, index) => {
    const more = (sections as Partial<Record<string, string>>)[name];
    const dialect = (dialects as Partial<Record<string, string>>)[name] ?? "vllm";
    return `  ${name}: { dialect: ${dialect}, base_url: "${servers[index]?.baseUrl}"${more ? `, ${more}` : ""} }`;
  });
  const file = ["shutdown: { grace: 1s }", "providers:", ...lines, yaml].join("\n");
  const { limitStore, plainRules: rules = plainRules } = setting;
  const service = await startTestService({}, undefined, file, [], {
    plainRules: rules,
    ...(limitStore && { limitStore }),
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= service.stop().then(async () => {
      for (const server of servers) await server[Symbol.asyncDispose]();
    });
    return closed;
  };
  onTestFinished(close);
  const at = Object.fromEntries(providers.map((name, index) => [name, servers[index]]));
  return {
    service,
    at: at as Record<Name, ChatUpstream>,
    call: (form, request) => callAs(form, service, request),
    close,
  };
}

/** What a caller gets. */
export interface Got {
  /** Text that arrived, also that of a stream which failed later. */
  readonly text: string;
  /** Empty: the call succeeded. */
  readonly reason: string;
  readonly message: string;
  readonly partial: boolean;
  /** Delay that the error requests, in ms. */
  readonly retryMs: number | undefined;
  /** Paths of the fields that the error names. */
  readonly fields: readonly string[];
  /** Reasons of the warnings. */
  readonly warnings: readonly string[];
  /** Sentences of the warnings with the reason FELL_BACK. */
  readonly fellBack: readonly string[];
  /** Attempts as the caller sees them: target, `#` and the key, and the reason of the failure. */
  readonly attempts: readonly string[];
  /** The attempts of the record. */
  readonly recorded: readonly string[];
  readonly record: CallRecord;
  readonly completion: ChatCompletion | undefined;
  /** Headers of an HTTP API. */
  readonly headers: Headers;
}

type Ask = Partial<Omit<ChatRequest, "$typeName" | "$unknown" | "model">> & {
  readonly model: string;
  readonly text?: string;
  /** Time for a call over gRPC. Default: none. HTTP APIs have none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
  /** Further fields of the body of an HTTP API. */
  readonly body?: object;
  /** Called with the first text. */
  readonly onText?: () => void;
};

type Seen = Partial<Omit<Got, "record" | "recorded">>;

/** Makes a call and returns what its caller sees, and its record. */
export async function callAs(form: Form, service: TestService, request: Ask): Promise<Got> {
  const id = randomUUID();
  const headers = { ...request.headers, "x-request-id": id };
  const asked = { ...request, headers };
  const isStream = form.endsWith("stream");
  const seen = form.startsWith("gRPC")
    ? await callGrpc(service, asked, isStream)
    : await callOpenAi(service, asked, isStream);
  const record = await recordOf(service, id);
  return {
    ...{ text: "", reason: "", message: "", partial: false, retryMs: undefined, fields: [], warnings: [] },
    ...{ fellBack: [], attempts: [], headers: new Headers(), completion: undefined },
    ...seen,
    // OpenAI's error codes are not Dragoman's reasons.
    ...(seen.reason && form.startsWith("OpenAI") && record.reason && { reason: record.reason }),
    recorded: record.attempts.map(describeAttempt),
    record,
  };
}

/** Returns the record of a call. Its caller may see the end of the call before. */
export async function recordOf(service: TestService, requestId: string): Promise<CallRecord> {
  const find = () => service.records.find((record) => record.requestId === requestId);
  await until(() => find() !== undefined);
  return find() as CallRecord;
}

export function describeAttempt({ target, credential, failureReason, outcome }: Attempt): string {
  const end = outcome === AttemptOutcome.ABANDONED ? `abandoned:${failureReason}` : failureReason;
  return [target, credential && `#${credential}`, end && ` ${end}`].join("");
}

function toChat({ model, text = "hi", timeoutMs: _, signal: _s, headers: _h, body: _b, onText: _t, ...more }: Ask) {
  return ask(model, text, more);
}

async function callGrpc(service: TestService, request: Ask, isStream: boolean): Promise<Seen> {
  const client = service.chatClient("grpc");
  const { headers = {}, timeoutMs, signal, onText = () => {} } = request;
  const options = { headers, ...(timeoutMs && { timeoutMs }), ...(signal && { signal }) };
  const chat = toChat(request);
  let text = "";
  try {
    if (!isStream) {
      const { completion } = await client.completeChat({ chat }, options);
      for (const part of completion?.choices[0]?.message?.parts ?? [])
        if (part.kind.case === "text") text += part.kind.value;
      const { warnings = [], attempts = [] } = completion ?? {};
      return { text, completion, ...warned(warnings), attempts: attempts.map(describeAttempt) };
    }
    const warnings: { reason: string; message: string }[] = [];
    let attempts: readonly string[] = [];
    for await (const { event } of client.streamChat({ chat }, options)) {
      if (event.case === "started" || event.case === "completed") warnings.push(...event.value.warnings);
      if (event.case === "completed") attempts = event.value.attempts.map(describeAttempt);
      if (event.case !== "delta" || event.value.delta.case !== "text") continue;
      text += event.value.delta.value;
      onText();
    }
    return { text, ...warned(warnings), attempts };
  } catch (thrown) {
    return { text, ...failureOf(ConnectError.from(thrown)) };
  }
}

function warned(warnings: readonly { readonly reason: string; readonly message: string }[]): Seen {
  const fellBack = warnings.filter(({ reason }) => reason === "FELL_BACK").map(({ message }) => message);
  return { warnings: warnings.map(({ reason }) => reason), fellBack };
}

function failureOf(error: ConnectError): Seen {
  const [info] = error.findDetails(ErrorInfoSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  const [bad] = error.findDetails(BadRequestSchema);
  const [call] = error.findDetails(CallInfoSchema);
  return {
    // A client ends its own call without details.
    reason: info?.reason ?? Code[error.code],
    message: error.rawMessage,
    partial: info?.metadata.partial === "true",
    retryMs: retry?.retryDelay && durationMs(retry.retryDelay as Duration),
    fields: bad?.fieldViolations.map(({ field }) => field) ?? [],
    attempts: call?.attempts.map(describeAttempt) ?? [],
  };
}

async function callOpenAi(service: TestService, request: Ask, isStream: boolean): Promise<Seen> {
  const { model, headers = {}, signal, text: prompt = "hi", body = {}, onText = () => {} } = request;
  let text = "";
  let seenHeaders = new Headers();
  try {
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model, stream: isStream, messages: [{ role: "user", content: prompt }], ...body }),
      ...(signal && { signal }),
    });
    seenHeaders = response.headers;
    const seen = { headers: seenHeaders, attempts: attemptsIn(seenHeaders), ...warned(warningsIn(seenHeaders)) };
    const delay = seenHeaders.get("retry-after-ms") ?? undefined;
    const retryMs = delay === undefined ? undefined : Number(delay);
    if (!response.ok || !isStream) {
      const answer = JSON.parse(await response.text());
      if (answer.error === undefined) return { ...seen, text: answer.choices[0].message.content };
      return {
        ...seen,
        reason: reasonOf(answer.error),
        message: answer.error.message,
        fields: [answer.error.param ?? ""],
        retryMs,
      };
    }
    let failure: Seen = { reason: "no [DONE]" };
    const parser = createParser({
      onEvent({ data }) {
        if (data === "[DONE]") {
          if (failure.reason === "no [DONE]") failure = {};
          return;
        }
        const chunk = JSON.parse(data);
        if (chunk.error !== undefined) failure = { reason: reasonOf(chunk.error), message: chunk.error.message };
        text += chunk.choices?.[0]?.delta?.content ?? "";
        if (text !== "") onText();
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
    return { ...seen, text, ...failure };
  } catch (thrown) {
    if (signal?.aborted) return { text, headers: seenHeaders, reason: "Canceled" };
    throw thrown;
  }
}

function reasonOf(error: { readonly code?: string | null; readonly type?: string }): string {
  return error.code ?? error.type ?? "";
}

function warningsIn(headers: Headers): readonly { readonly reason: string; readonly message: string }[] {
  return JSON.parse(headers.get("x-dragoman-warnings") ?? "[]");
}

/** Returns the attempts of the header, without their times. */
function attemptsIn(headers: Headers): readonly string[] {
  const items = headers.get("x-dragoman-attempts")?.split(", ") ?? [];
  return items.map((item) => {
    const [target = "", ...facts] = item.split(";");
    const values = new Map(facts.map((fact) => fact.split("=") as [string, string]));
    const [key, reason] = [values.get("key"), values.get("reason")];
    return [target, key && `#${key}`, reason && ` ${reason}`].join("");
  });
}

/** Resolves when a condition holds, which it checks in each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
