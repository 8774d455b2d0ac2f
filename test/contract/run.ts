import { create, toJson } from "@bufbuild/protobuf";
import { expect } from "vitest";
import type { Adaptation } from "../../src/chat/planning/adaptations.ts";
import { createFold } from "../../src/chat/stream/fold.ts";
import { GatewayError } from "../../src/errors.ts";
import { formatPath } from "../../src/field-path.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type ChatCompletion, ChatCompletionSchema, ChoiceSchema } from "../../src/gen/dragoman/v1/completion_pb.js";
import { UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import { startAttempt } from "../../src/routing/attempt.ts";
import { applyAdaptations } from "../support/planning.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import type { AnswerCase, Dialect, Form } from "./dialect.ts";

/** What an adapter made of a provider response: the completion so far, and the error if the response failed. */
export interface Outcome {
  readonly completion: ChatCompletion;
  readonly events: readonly string[];
  readonly error: GatewayError | undefined;
}

export interface Stage extends AsyncDisposable {
  readonly upstream: ReplayUpstream;
  readonly adapter: Adapter;
}

/** Starts an upstream that responds by scripts, in one form, and an adapter that calls it. */
export async function startStage(dialect: Dialect, form: Form, ...scripts: readonly Script[]): Promise<Stage> {
  const usual = form === "whole" ? { "content-type": "application/json" } : dialect.headers;
  const upstream = await startReplayUpstream(
    ...scripts.map((script) => ({ ...script, headers: { ...usual, ...script.headers } })),
  );
  const adapter = dialect.create(upstream.baseUrl);
  return {
    upstream,
    adapter,
    async [Symbol.asyncDispose]() {
      await adapter.close?.();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Sends a request as the service does: applies the adaptations and validates the order of the events. */
export async function run(
  { adapter }: Pick<Stage, "adapter">,
  { model }: Dialect,
  form: Form,
  request: ChatRequest,
  signal = new AbortController().signal,
): Promise<Outcome> {
  const applied = applyAdaptations(request, adapter.checkSupport(request, model)).request;
  const { events } = startAttempt({ model, adapter }, applied, {
    signal,
    holder: "account:a",
    whole: form === "whole",
  });
  const fold = createFold();
  const seen: string[] = [];
  try {
    for await (const batch of events) {
      for (const event of batch) {
        fold.add(event);
        seen.push(event.case);
      }
    }
    return { completion: fold.completion, events: seen, error: undefined };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { completion: fold.completion, events: seen, error };
  }
}

/** Returns the field path of an adaptation in the text form that the contract cases use. */
export const fieldOf = ({ field }: Adaptation): string => formatPath(field);

/** Compares an outcome with the completion of its case: all of the choices; other fields only if the case sets them. */
export function expectCompletion(outcome: Outcome, { completion }: AnswerCase): void {
  expect(outcome.error).toBeUndefined();
  const expected = create(ChatCompletionSchema, completion);
  const choices = (of: ChatCompletion) => of.choices.map((choice) => toJson(ChoiceSchema, choice));
  expect(choices(outcome.completion)).toEqual(choices(expected));
  if (expected.usage) {
    expect(outcome.completion.usage && toJson(UsageSchema, outcome.completion.usage)).toEqual(
      toJson(UsageSchema, expected.usage),
    );
  } else if (completion.usage === undefined && "usage" in completion) {
    // The provider reports none, so that Dragoman estimates it.
    expect(outcome.completion.usage?.quality).toBe(UsageQuality.ESTIMATED);
  }
  if (expected.warnings.length > 0) {
    const reasons = (of: ChatCompletion) => of.warnings.map(({ reason }) => reason);
    expect(reasons(outcome.completion)).toEqual(reasons(expected));
  }
  if (expected.providerMetadataJson !== "") {
    expect(outcome.completion.providerMetadataJson).toBe(expected.providerMetadataJson);
  }
  if (expected.serviceTier !== "") expect(outcome.completion.serviceTier).toBe(expected.serviceTier);
  if (expected.systemFingerprint !== "") {
    expect(outcome.completion.systemFingerprint).toBe(expected.systemFingerprint);
  }
}

/** Makes a script that splits the bytes at the given offsets and sends each non-empty part in its own write. */
export function cutInto(wire: string | Uint8Array, places: readonly number[]): Script {
  const bytes = Buffer.from(wire);
  const sorted = [...new Set([0, ...places, bytes.length])].sort((a, b) => a - b);
  return { steps: sorted.slice(1).map((end, index) => ({ write: bytes.subarray(sorted[index], end) })) };
}
