import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Reason, reasons } from "../../src/errors.ts";
import { JsonGenerationFailureSchema, ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { ask, scriptEcho } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
beforeEach(() => service.forgetRecords());
afterAll(() => service.stop());

/** Returns the error of a failed call. */
async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => expect.fail("the call must fail"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw error;
  return error;
}

async function drain(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of stream) count++;
  return count;
}

/** Connect codes by status name, which have the numbers of gRPC codes. */
const numbers: Record<(typeof reasons)[Reason]["status"], Code> = {
  CANCELLED: Code.Canceled,
  INVALID_ARGUMENT: Code.InvalidArgument,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  ABORTED: Code.Aborted,
  PERMISSION_DENIED: Code.PermissionDenied,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  UNIMPLEMENTED: Code.Unimplemented,
  INTERNAL: Code.Internal,
  UNAVAILABLE: Code.Unavailable,
  UNAUTHENTICATED: Code.Unauthenticated,
};

const allReasons = Object.keys(reasons).filter((name): name is Reason => name in reasons);

describe.each(protocols)("over %s", (protocol) => {
  it.each(allReasons)("returns and records %s with its status code", async (reason) => {
    const chat = scriptEcho({ fail: { after: 0, reason } });
    const error = await failure(service.chatClient(protocol).completeChat({ chat }));
    expect(error.code).toBe(numbers[reasons[reason].status]);
    const [info] = error.findDetails(ErrorInfoSchema);
    expect(info).toMatchObject({ reason, domain: "dragoman" });
    const record = await service.nextRecord();
    expect(record).toMatchObject({ reason, model: "echo/echo", provider: "echo", method: "CompleteChat" });
    expect(info?.metadata.request_id).toBe(record.requestId);
  });

  it("returns RetryInfo and ProviderError for a rate limit", async () => {
    const chat = scriptEcho({
      fail: { after: 0, reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 1500, http_status: 429 },
    });
    const error = await failure(drain(service.chatClient(protocol).streamChat({ chat })));
    const [retry] = error.findDetails(RetryInfoSchema);
    expect(retry?.retryDelay && durationMs(retry.retryDelay)).toBe(1500);
    const [provider] = error.findDetails(ProviderErrorSchema);
    expect(provider).toMatchObject({ provider: "echo", httpStatus: 429, outputStarted: false });
  });

  it("ends a stream that fails after output with a status marked as partial", async () => {
    const chat = scriptEcho({
      deltas: ["a", "b", "c", "d"],
      fail: { after: 3, reason: "PROVIDER_STREAM_INTERRUPTED" },
    });
    const events: string[] = [];
    const read = async () => {
      for await (const { event } of service.chatClient(protocol).streamChat({ chat })) {
        events.push(event.case === "delta" ? String(event.value.delta.value) : String(event.case));
      }
    };
    const error = await failure(read());
    expect(events).toEqual(["started", "a", "b", "c"]);
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorInfoSchema)[0]?.metadata.partial).toBe("true");
    expect(error.findDetails(ProviderErrorSchema)[0]?.outputStarted).toBe(true);
    expect(await service.nextRecord()).toMatchObject({ outcome: "failed", reason: "PROVIDER_STREAM_INTERRUPTED" });
  });

  it("reports a malformed or truncated response after output as an interrupted stream", async () => {
    for (const fault of ["malformed", "end"]) {
      const chat = scriptEcho({ deltas: ["a", "b"], [fault]: { after: 1 } });
      const error = await failure(drain(service.chatClient(protocol).streamChat({ chat })));
      expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
    }
  });

  it("names every invalid field and sends no upstream request", async () => {
    const chat = ask("echo/echo", "secret words", {
      parameters: { temperature: 3, n: 0 },
      toolChoice: { choice: { case: "toolName", value: "missing" } },
    });
    const error = await failure(service.chatClient(protocol).completeChat({ chat }));
    expect(error.code).toBe(Code.InvalidArgument);
    const [bad] = error.findDetails(BadRequestSchema);
    expect(bad?.fieldViolations.map(({ field }) => field)).toEqual([
      "chat.parameters.temperature",
      "chat.parameters.n",
      "chat.tool_choice.tool_name",
    ]);
    expect(JSON.stringify(error)).not.toContain("secret words");
    const record = await service.nextRecord();
    expect(record).toMatchObject({ outcome: "refused", reason: "INVALID_REQUEST", attempts: [] });
    expect(record.usage).toBeUndefined();
  });

  it("reports an unknown model as NOT_FOUND", async () => {
    const error = await failure(service.chatClient(protocol).completeChat({ chat: ask("no-such-model", "hi") }));
    expect(error.code).toBe(Code.NotFound);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("MODEL_NOT_FOUND");
  });

  it("returns the model's text if it is not the requested JSON", async () => {
    const chat = scriptEcho({ text: "{a" }, { outputFormat: { format: { case: "jsonObject", value: {} } } });
    const error = await failure(service.chatClient(protocol).completeChat({ chat }));
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("JSON_GENERATION_FAILED");
    expect(error.findDetails(JsonGenerationFailureSchema)[0]?.failedGeneration).toBe("{a");
  });

  it("rejects an unsupported parameter only with strict_parameters", async () => {
    const chat = (strictParameters: boolean) =>
      ask("echo/echo", "hi", { parameters: { logitBias: { 1: 1 } }, strictParameters });
    const { completion } = await service.chatClient(protocol).completeChat({ chat: chat(false) });
    expect(completion?.warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "parameters.logit_bias" }]);
    const error = await failure(service.chatClient(protocol).completeChat({ chat: chat(true) }));
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: "UNSUPPORTED_PARAMETER",
      metadata: { fields: "parameters.logit_bias" },
    });
  });
});
