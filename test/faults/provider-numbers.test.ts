import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { ask } from "../support/requests.ts";

const day = 24 * 60 * 60;
const body = JSON.stringify({ error: { message: "slow down", type: "rate_limit_error" } });

/** Headers of the provider's next responses. The last ones stay. */
let next: Readonly<Record<string, string>>[] = [];
const upstream = createServer((request, response) => {
  request.resume().on("end", () => {
    const headers = next.length > 1 ? next.shift() : next[0];
    response.writeHead(429, { "content-type": "application/json", ...headers }).end(body);
  });
});
let service: ServiceProcess;
beforeAll(async () => {
  await once(upstream.listen(0, "127.0.0.1"), "listening");
  const { port } = upstream.address() as AddressInfo;
  service = await startProcess({ VLLM_BASE_URL: `http://127.0.0.1:${port}` });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
});

/** Returns the service, whose provider responds to each request with the next headers and status 429. */
async function start(headers: readonly Readonly<Record<string, string>>[]): Promise<ServiceProcess> {
  next = [...headers];
  return service;
}

function transports({ grpcAddress, httpAddress }: ServiceProcess) {
  const options = { baseUrl: `http://${httpAddress}`, httpVersion: "1.1" } as const;
  return [
    createGrpcTransport({ baseUrl: `http://${grpcAddress}` }),
    createConnectTransport(options),
    createConnectTransport({ ...options, useBinaryFormat: true }),
    createGrpcWebTransport(options),
  ];
}

const chat = ask("vllm/m", "hi");
const openaiBody = JSON.stringify({ model: "vllm/m", messages: [{ role: "user", content: "hi" }] });

const postOpenai = ({ httpAddress }: ServiceProcess) =>
  fetch(`http://${httpAddress}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: openaiBody,
  });

/** Calls each method over each protocol. Returns the errors, which must say that the provider limits the rate. */
async function rateLimitErrors(running: Parameters<typeof transports>[0]): Promise<readonly ConnectError[]> {
  const errors: ConnectError[] = [];
  for (const transport of transports(running)) {
    const client = createClient(ChatService, transport);
    for (const thrown of [
      await client.completeChat({ chat }).catch(ConnectError.from),
      await client.streamChat({ chat })[Symbol.asyncIterator]().next().catch(ConnectError.from),
    ]) {
      const error = ConnectError.from(thrown);
      expect(error.code).toBe(Code.ResourceExhausted);
      expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("PROVIDER_RATE_LIMITED");
      errors.push(error);
    }
  }
  return errors;
}

const digits = "9".repeat(400);

describe("a retry delay that a provider sends", () => {
  it.each([
    ["retry-after: 20 digits", { "retry-after": "99999999999999999999" }, day],
    ["retry-after: 400 digits", { "retry-after": digits }, day],
    ["retry-after-ms: 400 digits", { "retry-after-ms": digits }, day],
    ["retry-after: two days", { "retry-after": String(2 * day) }, day],
    ["retry-after: the last date", { "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" }, day],
    ["retry-after: a date beyond the calendar", { "retry-after": "Sat, 13 Sep 275760 00:00:00 GMT" }, day],
    ["retry-after: a date in the past", { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, 0],
    ["retry-after-ms: half a millisecond", { "retry-after-ms": "0.5" }, 0],
    ["retry-after: a negative number", { "retry-after": "-3" }, undefined],
    ["retry-after: no number", { "retry-after": "Infinity" }, undefined],
  ])("stays between 0 and a day, with RESOURCE_EXHAUSTED and 429: %s", async (_name, headers, seconds) => {
    const running = await start([headers]);
    for (const error of await rateLimitErrors(running)) {
      const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds;
      expect(delay).toBe(seconds === undefined ? undefined : BigInt(seconds));
    }
    const response = await postOpenai(running);
    expect(response.status).toBe(429);
    const expected = seconds === undefined ? null : expect.stringMatching(seconds === 0 ? /^[01]$/ : `^${seconds}$`);
    expect(response.headers.get("retry-after")).toEqual(expected);
    expect(response.headers.get("retry-after-ms") ?? "0").toMatch(/^\d{1,8}$/);
  });
});

describe("rate limit headers that a provider sends", () => {
  it.each([
    ["a name that gRPC does not allow", { "x-ratelimit-a!": "1" }, "x-ratelimit-a!", null],
    ["a name for bytes", { "x-ratelimit-a-bin": "1" }, "x-ratelimit-a-bin", null],
    ["a value beyond ASCII", { "x-ratelimit-a": "caf\u00e9" }, "x-ratelimit-a", null],
    ["a value of 6,000 characters", { "x-ratelimit-a": "a".repeat(6_000) }, "x-ratelimit-a", null],
    [
      "30 digits",
      { "x-ratelimit-remaining-tokens": "9".repeat(30) },
      "x-ratelimit-remaining-tokens",
      "9007199254740991",
    ],
    ["a negative number", { "x-ratelimit-remaining-tokens": "-1" }, "x-ratelimit-remaining-tokens", "0"],
    ["Infinity", { "x-ratelimit-remaining-tokens": "Infinity" }, "x-ratelimit-remaining-tokens", "9007199254740991"],
    ["a duration", { "x-ratelimit-reset-tokens": "6m0s" }, "x-ratelimit-reset-tokens", "6m0s"],
    ["a request id of 6,000 characters", { "x-request-id": "a".repeat(6_000) }, "x-ratelimit-a", null],
    [
      "1,000 headers",
      Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x-ratelimit-${index}`, "1"])),
      "x-ratelimit-999",
      null,
    ],
  ])("leave the status and the details of the error intact: %s", async (_name, headers, name, value) => {
    const running = await start([headers]);
    await rateLimitErrors(running);
    const response = await postOpenai(running);
    expect(response.status).toBe(429);
    expect(response.headers.get(name)).toBe(value);
  });
});
