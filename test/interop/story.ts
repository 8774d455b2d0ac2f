import { expect } from "vitest";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { CallRecord } from "../../src/ledger/record.ts";
import type { TestService } from "../support/service.ts";
import type { Details } from "./details.ts";

/** What a client tells of a call, one line of JSON each. */
export interface Story {
  readonly story: string;
  /** The cases of the events, in order. */
  readonly events?: readonly string[];
  /** The text, or its first 80 characters. */
  readonly text?: string;
  /** Characters of the text. */
  readonly length?: number;
  readonly output_tokens?: number;
  /** The number of the gRPC status. */
  readonly code?: number;
  readonly message?: string;
  readonly details?: Details;
}

/** The record of the call that was made with this x-request-id, as soon as it is written. */
export async function recordOf(service: TestService, requestId: string): Promise<CallRecord> {
  for (;;) {
    const record = service.records.find((candidate) => candidate.requestId === requestId);
    if (record !== undefined) return record;
    await service.nextRecord();
  }
}

/** The details of a call that echo failed with PROVIDER_RATE_LIMITED. */
export function expectRateLimit(details: Details | undefined, requestId: string, outputStarted = false): void {
  expect(details).toEqual({
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

/** A call that ended early is on record with what had been used by then. */
export async function expectPartialRecord(
  service: TestService,
  requestId: string,
  outcome: "cancelled" | "deadline",
): Promise<void> {
  const record = await recordOf(service, requestId);
  expect(record).toMatchObject({ outcome, usage: { quality: UsageQuality.PARTIAL } });
  expect(record.usage?.outputTokens).toBeGreaterThan(0);
}
