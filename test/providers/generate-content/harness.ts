import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import type { ProviderSettings } from "../../../src/config/provider.ts";
import { Secret } from "../../../src/config/secret.ts";
import { GatewayError } from "../../../src/errors.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import type { ChatCompletion } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import type { AdapterContext } from "../../../src/providers/adapter.ts";

export function settings(baseUrl: string): ProviderSettings {
  return {
    name: "gemini",
    dialect: "gemini",
    baseUrl,
    apiKey: new Secret("AIza-test"),
    keys: [],
    headers: {},
    timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000 },
    maxConnections: 4,
    maxQueue: 16,
    options: {},
    variables: {},
  };
}

export function model(providerModel = "gemini-3.8-flash", provider = "gemini"): Model {
  return create(ModelSchema, { id: `${provider}/${providerModel}`, provider, providerModel });
}

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

export function request(fields: Init = {}): ChatRequest {
  return create(ChatRequestSchema, {
    model: "gemini/gemini-3.8-flash",
    messages: [{ role: Role.USER, parts: [text("hello")] }],
    ...fields,
  });
}

export const text = (value: string) => ({ kind: { case: "text" as const, value } });

export const toolCall = (id: string, name: string, argumentsJson: string) => ({
  kind: { case: "toolCall" as const, value: { id, name, argumentsJson } },
});

export const toolResult = (toolCallId: string, value: string) => ({
  kind: { case: "toolResult" as const, value: { toolCallId, parts: [text(value)] } },
});

export function context(signal: AbortSignal = new AbortController().signal): AdapterContext {
  return {
    signal,
    holder: "account:a",
    attempt: create(AttemptSchema, { provider: "gemini", providerModel: "gemini-3.8-flash" }),
    queue: { waitsFor: undefined },
  };
}

export function sse(...chunks: readonly unknown[]): string {
  return chunks.map((chunk) => `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\r\n\r\n`).join("");
}

/** Folds the events of a stream into a completion. Returns also the error that ended the stream, if any. */
export async function fold(
  batches: AsyncIterable<readonly ChatEvent[]>,
): Promise<{ readonly completion: ChatCompletion; readonly error: GatewayError | undefined }> {
  const { add, completion } = createFold();
  try {
    for await (const batch of batches) for (const event of batch) add(event);
  } catch (error) {
    if (error instanceof GatewayError) return { completion, error };
    throw error;
  }
  return { completion, error: undefined };
}
