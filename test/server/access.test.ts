import { createHash } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

let service: TestService;
let upstreamRequests: () => number;
beforeAll(async () => {
  const upstream = await startReplayUpstream();
  upstreamRequests = () => upstream.requests.length;
  service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl }, (config) => ({
    ...config,
    authentication: {
      mode: "keys",
      keys: [
        {
          id: "team-a",
          sha256: createHash("sha256").update("right").digest(),
          accounts: ["a1", "a2"],
          defaultAccount: "a1",
          role: "caller",
        },
      ],
      requireAccount: false,
    },
    limits: { ...config.limits, maxRequestBytes: 100_000 },
  }));
});
beforeEach(() => service.forgetRecords());
afterAll(() => service.stop());

const reasonOf = (error: unknown): string | undefined =>
  ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;

describe.each(protocols)("with API keys, over %s", (protocol) => {
  it.each([
    ["x-api-key", "right"],
    ["X-API-Key", "right"],
    ["authorization", "Bearer right"],
  ])("accepts a key in %s and records the key and its default account", async (name, value) => {
    const chat = scriptEcho({ text: "hi" }, { user: "u1" });
    await service.chatClient(protocol).completeChat({ chat }, { headers: { [name]: value } });
    expect(await service.nextRecord()).toMatchObject({ keyId: "team-a", accountId: "a1", user: "u1", outcome: "ok" });
  });

  it.each([
    ["no key", {}, "CREDENTIALS_MISSING"],
    ["an unknown key", { "x-api-key": "wrong" }, "CREDENTIALS_INVALID"],
    ["a wrong scheme", { authorization: "Basic right" }, "CREDENTIALS_MISSING"],
  ])("rejects and records a call with %s before validating its request", async (_, headers, reason) => {
    // The request is invalid, and its model exists: neither matters.
    const chat = ask("vllm/m", "hi", { parameters: { temperature: 99 } });
    const client = service.chatClient(protocol);
    const error = await client.completeChat({ chat }, { headers }).catch((thrown: unknown) => thrown);
    expect(ConnectError.from(error).code).toBe(Code.Unauthenticated);
    expect(reasonOf(error)).toBe(reason);
    expect(upstreamRequests()).toBe(0);
    expect(await service.nextRecord()).toMatchObject({ outcome: "refused", reason, method: "CompleteChat" });
    const models = await service
      .modelClient(protocol)
      .listModels({}, { headers })
      .catch((thrown: unknown) => thrown);
    expect(reasonOf(models)).toBe(reason);
  });

  it("accepts only accounts of the key", async () => {
    const client = service.chatClient(protocol);
    const call = (account: string, accountId = "") =>
      client.completeChat(
        { chat: scriptEcho({ text: "hi" }, { accountId }) },
        { headers: { "x-api-key": "right", "x-selected-account-id": account } },
      );
    await call("a2");
    expect(await service.nextRecord()).toMatchObject({ accountId: "a2" });
    expect(reasonOf(await call("a9").catch((error: unknown) => error))).toBe("ACCOUNT_NOT_ALLOWED");
    expect(reasonOf(await call("a1", "a2").catch((error: unknown) => error))).toBe("INVALID_REQUEST");
  });

  it("returns and records the caller's request id", async () => {
    const client = service.chatClient(protocol);
    let returned: string | null = null;
    await client.completeChat(
      { chat: scriptEcho({ text: "hi" }) },
      {
        headers: { "x-api-key": "right", "x-request-id": "trace-42" },
        onHeader: (headers) => {
          returned = headers.get("x-request-id");
        },
      },
    );
    expect(returned).toBe("trace-42");
    expect(await service.nextRecord()).toMatchObject({ requestId: "trace-42" });
  });

  it("rejects a request above the size limit", async () => {
    const chat = ask("echo/echo", "x".repeat(200_000));
    const error = await service
      .chatClient(protocol)
      .completeChat({ chat }, { headers: { "x-api-key": "right" } })
      .catch((thrown: unknown) => thrown);
    expect(ConnectError.from(error).code).toBe(Code.ResourceExhausted);
    expect(reasonOf(error)).toBe("REQUEST_TOO_LARGE");
  });
});
