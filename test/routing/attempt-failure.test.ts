import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { attemptFailure } from "../../src/routing/attempt-failure.ts";

const attempt = create(AttemptSchema, {
  provider: "acme",
  providerModel: "m",
  httpStatus: 200,
  providerRequestId: "req_1",
});
const provider = create(ProviderErrorSchema, { provider: "acme", providerModel: "m", httpStatus: 200, code: "slow" });
const facts = { provider, metadata: { provider: "acme", parameter: "n" }, retryAfterMs: 2_000 };
const embedded = new GatewayError("PROVIDER_RATE_LIMITED", "too many", { ...facts, interruption: "failed in between" });

describe("attemptFailure", () => {
  it("keeps the reason of a failure before output", () => {
    const failure = attemptFailure(embedded, attempt, false);
    expect(failure).toMatchObject({ reason: "PROVIDER_RATE_LIMITED", message: "too many", facts });
    expect(failure.facts.metadata).not.toHaveProperty("partial");
  });

  it("reports a failure inside the response after output as an interrupted stream", () => {
    const { reason, message, facts } = attemptFailure(embedded, attempt, true);
    expect([reason, message]).toEqual(["PROVIDER_STREAM_INTERRUPTED", "failed in between"]);
    expect(facts.metadata).toEqual({ provider: "acme", partial: "true" });
    expect(facts.provider).toMatchObject({ code: "slow", outputStarted: true });
    expect(facts).not.toHaveProperty("retryAfterMs");
    // Routing goes by what the provider reported.
    expect(facts.brokenBy).toEqual({ reason: "PROVIDER_RATE_LIMITED", retryAfterMs: 2_000 });
  });

  it("keeps the reason of a timeout or other failure outside the response after output", () => {
    const failure = attemptFailure(new GatewayError("PROVIDER_TIMEOUT", "silent", facts), attempt, true);
    expect(failure).toMatchObject({
      reason: "PROVIDER_TIMEOUT",
      message: "silent",
      facts: { metadata: { provider: "acme", parameter: "n", partial: "true" }, provider: { outputStarted: true } },
    });
  });

  it("takes the provider details from the attempt if the error has none", () => {
    const { facts } = attemptFailure(new GatewayError("PROVIDER_FAULT", "malformed"), attempt, false);
    expect(facts.provider).toMatchObject({ provider: "acme", providerModel: "m", httpStatus: 200, requestId: "req_1" });
  });

  it("keeps a failure that the provider did not cause", () => {
    const cancelled = new GatewayError("CANCELLED", "the caller cancelled the call");
    expect(attemptFailure(cancelled, attempt, true)).toBe(cancelled);
    const fault = new TypeError("x is undefined");
    expect(attemptFailure(fault, attempt, true)).toMatchObject({ reason: "INTERNAL", cause: fault });
  });
});
