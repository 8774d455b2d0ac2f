import { expect } from "vitest";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { TokenService } from "../../src/gen/dragoman/v1/token_service_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { CallRecord } from "../../src/ledger/record.ts";
import type { TestService } from "../support/service.ts";
import type { Details } from "./details.ts";
import { countedChat, embeddedRequest } from "./requests.ts";

/** Result of one scenario, which a client prints as one line of JSON. */
export interface Story {
  readonly story: string;
  /** Event cases in order. */
  readonly events?: readonly string[];
  /** Text, or its first 80 characters. */
  readonly text?: string;
  /** Length of the text in characters. */
  readonly length?: number;
  readonly output_tokens?: number;
  readonly input_tokens?: number;
  readonly vectors?: readonly (readonly number[])[];
  /** gRPC status code. */
  readonly code?: number;
  readonly message?: string;
  readonly details?: Details;
}

/** Waits for the record of the call with this `x-request-id`. */
export async function recordOf(service: TestService, requestId: string): Promise<CallRecord> {
  for (;;) {
    const record = service.records.find((candidate) => candidate.requestId === requestId);
    if (record !== undefined) return record;
    await service.nextRecord();
  }
}

/** Expects the details of a call that echo failed with PROVIDER_RATE_LIMITED. */
export function expectRateLimit(details: Details | undefined, requestId: string, outputStarted = false): void {
  // Only some clients decode the facts of the call.
  const { "dragoman.v1.CallInfo": callInfo, ...others } = details ?? {};
  if (callInfo !== undefined) {
    expect(callInfo).toMatchObject({ attempts: [{ target: "echo/echo", failureReason: "PROVIDER_RATE_LIMITED" }] });
  }
  expect(others).toEqual({
    "google.rpc.ErrorInfo": {
      reason: "PROVIDER_RATE_LIMITED",
      domain: "dragoman",
      metadata: { request_id: requestId, ...(outputStarted && { partial: "true" }) },
    },
    "google.rpc.RetryInfo": { retryDelay: "1.500s" },
    "dragoman.v1.ProviderError": {
      provider: "echo",
      providerModel: "echo",
      httpStatus: 429,
      ...(outputStarted && { outputStarted }),
    },
  });
}

/** Expects a record with partial usage for a call that ended early. */
export async function expectPartialRecord(
  service: TestService,
  requestId: string,
  outcome: "cancelled" | "deadline_exceeded",
): Promise<void> {
  const record = await recordOf(service, requestId);
  expect(record).toMatchObject({ outcome, usage: { quality: UsageQuality.PARTIAL } });
  expect(record.usage?.outputTokens).toBeGreaterThan(0);
}

/** Expects the responses, in JSON, to `bodies.embedded` and `bodies.counted`. */
export async function expectVectorsAndCount(service: TestService, embedded: string, counted: string): Promise<void> {
  const { embeddings, ...facts } = JSON.parse(embedded);
  const expected = await service.client(EmbeddingService, "connect").embed(embeddedRequest);
  const vectors = (embeddings as { values: number[] }[]).map(({ values }) => values.map(Math.fround));
  expect(vectors).toEqual(expected.embeddings.map(({ values }) => values));
  expect(facts).toMatchObject({ model: "echo/embed", usage: { inputTokens: 4 } });
  const { inputTokens } = await service.client(TokenService, "connect").countTokens({ chat: countedChat });
  expect(inputTokens).toBeGreaterThan(0);
  expect(JSON.parse(counted)).toMatchObject({ model: "echo/echo", inputTokens });
}
