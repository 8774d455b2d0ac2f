import { readFileSync } from "node:fs";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import type { ProviderSettings, UpstreamTimeouts } from "../../../src/config/provider.ts";
import { Secret } from "../../../src/config/secret.ts";
import { GatewayError } from "../../../src/errors.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter, AdapterContext } from "../../../src/providers/adapter.ts";
import { openAiErrors } from "../../../src/providers/chat-completions/errors.ts";
import { type AnswerState, startAnswer } from "../../../src/providers/chat-completions/events.ts";
import { startCall } from "../../../src/upstream/upstream-call.ts";
import { configured } from "../../support/configured.ts";

export function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/openai/${name}`, import.meta.url), "utf8");
}

export function settings(baseUrl: string): ProviderSettings {
  return {
    name: "openai",
    dialect: "openai",
    baseUrl,
    apiKey: new Secret("sk-test-key"),
    keys: [],
    headers: {},
    timeouts: { connectMs: 5_000, firstEventMs: 10_000, idleMs: 10_000 },
    maxConnections: 4,
    maxQueue: 16,
    options: {},
    variables: {},
  };
}

export function adapter(baseUrl: string, timeouts: Partial<UpstreamTimeouts> = {}, name = "openai"): Adapter {
  return configured(name, baseUrl, { timeouts: { firstEventMs: 10_000, idleMs: 10_000, ...timeouts } });
}

export function model(providerModel = "gpt-4o"): Model {
  return create(ModelSchema, { id: `openai/${providerModel}`, provider: "openai", providerModel });
}

export function request(fields: MessageInitShape<typeof ChatRequestSchema> = {}): ChatRequest {
  return create(ChatRequestSchema, {
    model: "openai/gpt-4o",
    messages: [{ role: Role.USER, parts: [{ kind: { case: "text", value: "Hello" } }] }],
    ...fields,
  });
}

export function context(signal: AbortSignal = new AbortController().signal): AdapterContext {
  return {
    signal,
    holder: "account:a",
    attempt: create(AttemptSchema, { provider: "openai", providerModel: "gpt-4o" }),
    queue: { waitsFor: undefined },
  };
}

/** State of an OpenAI response before its first chunk. */
export function emptyAnswer(): AnswerState {
  return startAnswer(startCall(context()), {
    hideReasoning: false,
    keepDetails: false,
    isWhole: false,
    audioType: "audio/pcm",
    functionNames: [],
    errors: openAiErrors,
  });
}

/** Collects all events of a stream, and the error that ended it; undefined if none did. */
export async function collect(
  batches: AsyncIterable<readonly ChatEvent[]>,
): Promise<{ readonly events: readonly ChatEvent[]; readonly error: GatewayError | undefined }> {
  const events: ChatEvent[] = [];
  try {
    for await (const batch of batches) events.push(...batch);
  } catch (error) {
    if (error instanceof GatewayError) return { events, error };
    throw error;
  }
  return { events, error: undefined };
}

/** Formats events as short lines, such as `text 0.0 Hi`. */
export function brief(events: readonly ChatEvent[]): readonly string[] {
  return events.map((event) => {
    if (event.case === "finished") {
      const { choiceIndex, finishReason, providerFinishReason } = event.value;
      return `finished ${choiceIndex} ${finishReason} ${providerFinishReason}`;
    }
    if (event.case !== "delta") return event.case;
    const { choiceIndex, partIndex, delta } = event.value;
    const place = `${delta.case} ${choiceIndex}.${partIndex}`;
    switch (delta.case) {
      case "text":
      case "refusal":
        return `${place} ${delta.value}`;
      case "reasoning":
        return `${place} ${delta.value.text}`;
      case "toolCall":
        return `${place} ${[delta.value.id, delta.value.name, delta.value.argumentsJson].filter(Boolean).join(" ")}`;
      default:
        return place;
    }
  });
}
