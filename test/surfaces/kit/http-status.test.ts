import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError, type Reason, reasons } from "../../../src/errors.ts";
import { httpHeadersOf, httpStatusOf } from "../../../src/surfaces/kit/http-status.ts";

describe("the HTTP status of an error", () => {
  it.each<[number, readonly Reason[]]>([
    [
      400,
      [
        "INVALID_REQUEST",
        "UNSUPPORTED_PARAMETER",
        "CONTEXT_LENGTH_EXCEEDED",
        "JSON_GENERATION_FAILED",
        "TOOL_CALL_INVALID",
        "MALFORMED_FRAME",
      ],
    ],
    [401, ["CREDENTIALS_MISSING", "CREDENTIALS_INVALID"]],
    [402, ["PROVIDER_QUOTA_EXHAUSTED", "BUDGET_EXHAUSTED"]],
    [403, ["ACCOUNT_NOT_ALLOWED", "MODEL_NOT_ALLOWED", "ROLE_NOT_ALLOWED", "PROVIDER_PERMISSION_DENIED"]],
    [404, ["MODEL_NOT_FOUND", "PROVIDER_NOT_CONFIGURED", "RESOURCE_NOT_FOUND"]],
    [408, ["DEADLINE_EXCEEDED"]],
    [409, ["RESOURCE_ALREADY_EXISTS"]],
    [413, ["REQUEST_TOO_LARGE", "ANSWER_TOO_LARGE"]],
    [415, ["UNSUPPORTED_ENCODING"]],
    [429, ["PROVIDER_RATE_LIMITED", "QUEUE_FULL", "REQUESTS_LIMITED", "TOKENS_LIMITED", "CONCURRENCY_LIMITED"]],
    [500, ["INTERNAL", "PROVIDER_FAULT", "PROVIDER_CREDENTIALS_REJECTED"]],
    [503, ["PROVIDER_UNAVAILABLE", "PROVIDER_TIMEOUT", "PROVIDER_STREAM_INTERRUPTED", "OVERLOADED", "SHUTTING_DOWN"]],
  ])("returns status %i for %j", (status, expected) => {
    for (const reason of expected) expect(httpStatusOf(new GatewayError(reason, "x")), reason).toBe(status);
  });

  it("returns 401 or 403 only for the caller's key or permission", () => {
    const blamed = (Object.keys(reasons) as Reason[]).filter((reason) =>
      [401, 403].includes(httpStatusOf(new GatewayError(reason, "x"))),
    );
    expect(blamed.sort()).toEqual([
      "ACCOUNT_NOT_ALLOWED",
      "CREDENTIALS_INVALID",
      "CREDENTIALS_MISSING",
      "MODEL_NOT_ALLOWED",
      "PROVIDER_PERMISSION_DENIED",
      "ROLE_NOT_ALLOWED",
    ]);
  });

  it("returns 410 if the provider reports 410 for a model", () => {
    const provider = {
      ...({ $typeName: "dragoman.v1.ProviderError", provider: "p", providerModel: "m", code: "" } as const),
      ...{ requestId: "", outputStarted: false, httpStatus: 410 },
    };
    expect(httpStatusOf(new GatewayError("MODEL_NOT_FOUND", "x", { provider }))).toBe(410);
    expect(httpStatusOf(new GatewayError("MODEL_NOT_FOUND", "x", { provider: { ...provider, httpStatus: 404 } }))).toBe(
      404,
    );
  });
});

describe("the headers of an error", () => {
  it("returns retry headers that are never shorter than the error's delay", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 86_400_000, noNaN: true }), (retryAfterMs) => {
        const headers = httpHeadersOf(new GatewayError("PROVIDER_RATE_LIMITED", "x", { retryAfterMs }));
        expect(Number(headers["retry-after"]) * 1000).toBeGreaterThanOrEqual(retryAfterMs);
        expect(Number(headers["retry-after-ms"])).toBeGreaterThanOrEqual(retryAfterMs);
        expect(Number(headers["retry-after-ms"])).toBeLessThan(retryAfterMs + 1);
      }),
    );
  });

  it.each([
    ["BUDGET_EXHAUSTED", undefined, "false"],
    ["REQUESTS_LIMITED", undefined, "false"],
    ["TOKENS_LIMITED", 60_001, "false"],
    ["TOKENS_LIMITED", 60_000, undefined],
    ["CONCURRENCY_LIMITED", 1000, undefined],
    ["PROVIDER_RATE_LIMITED", undefined, undefined],
  ] as const)("with %s after %s ms, returns x-should-retry: %s", (reason, retryAfterMs, expected) => {
    const error = new GatewayError(reason, "x", retryAfterMs === undefined ? {} : { retryAfterMs });
    expect(httpHeadersOf(error)["x-should-retry"]).toBe(expected);
  });

  it("returns no headers for an INVALID_REQUEST error", () => {
    expect(httpHeadersOf(new GatewayError("INVALID_REQUEST", "x"))).toEqual({});
  });

  it("returns a Bearer challenge if the API key is missing", () => {
    expect(httpHeadersOf(new GatewayError("CREDENTIALS_MISSING", "x"))).toEqual({ "www-authenticate": "Bearer" });
  });
});
