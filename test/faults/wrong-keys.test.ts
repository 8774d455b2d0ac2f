import { createHash } from "node:crypto";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";

const right = "the-right-key";
const chat = scriptEcho({ text: "hi" });

let service: ServiceProcess | undefined;
afterEach(() => service?.[Symbol.asyncDispose]());

const start = async (): Promise<ServiceProcess> => {
  const sha256 = createHash("sha256").update(right).digest("hex");
  service = await startConfigured(JSON.stringify({ authentication: { mode: "keys", keys: [{ id: "team", sha256 }] } }));
  return service;
};

/** Makes a call with a key. Resolves with `ok` or `rejected`. */
type CallWith = (key: string) => Promise<string>;

const overRpc =
  (transport: (service: ServiceProcess) => Transport) =>
  (running: ServiceProcess): CallWith => {
    const client = createClient(ChatService, transport(running));
    return async (key) => {
      try {
        await client.completeChat({ chat }, { headers: { "x-api-key": key } });
        return "ok";
      } catch (error) {
        return ConnectError.from(error).code === Code.Unauthenticated ? "rejected" : String(error);
      }
    };
  };

const overHttp =
  (path: string, body: object | undefined) =>
  ({ httpAddress }: ServiceProcess): CallWith =>
  async (key) => {
    const { status } = await fetch(`http://${httpAddress}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "x-api-key": key, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    return status === 401 ? "rejected" : status === 200 ? "ok" : String(status);
  };

const protocols: readonly (readonly [string, (running: ServiceProcess) => CallWith])[] = [
  ["gRPC", overRpc(({ grpcAddress }) => createGrpcTransport({ baseUrl: `http://${grpcAddress}` }))],
  [
    "Connect",
    overRpc(({ httpAddress }) => createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" })),
  ],
  [
    "gRPC-Web",
    overRpc(({ httpAddress }) => createGrpcWebTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" })),
  ],
  [
    "OpenAI chat",
    overHttp("/v1/chat/completions", { model: "echo/echo", messages: [{ role: "user", content: "hi" }] }),
  ],
  ["OpenAI models", overHttp("/v1/models", undefined)],
];

describe("the log has the address of the client, with a right and with a wrong key", () => {
  let shared: ServiceProcess;
  beforeAll(async () => {
    shared = await start();
    service = undefined;
  });
  afterAll(() => shared[Symbol.asyncDispose]());

  it.each(protocols)("over %s", async (_name, connect) => {
    const calls = () => shared.log.filter(({ msg }) => msg === "call");
    const before = calls().length;
    const call = connect(shared);
    expect([await call(right), await call("wrong")]).toEqual(["ok", "rejected"]);
    await expect
      .poll(() => calls().slice(before))
      .toMatchObject([
        { outcome: "ok", peer_address: "127.0.0.1" },
        { outcome: "refused", reason: "CREDENTIALS_INVALID", peer_address: "127.0.0.1" },
      ]);
  });
});

// The delays are those of the address, whatever the protocol: one of each listener is enough.
describe.each(protocols.filter(([name]) => name === "gRPC" || name === "OpenAI chat"))("over %s", (_name, connect) => {
  it("the last of 32 wrong keys is rejected after calls with the right key that began later", async () => {
    const call = connect(await start());
    for (let time = 0; time < 20; time++) expect(await call(`wrong-${time}`)).toBe("rejected");
    const order: string[] = [];
    const wrong = Array.from({ length: 12 }, (_, index) => call(`other-${index}`).then((end) => order.push(end)));
    for (let time = 0; time < 3; time++) order.push(await call(right));
    await Promise.all(wrong);
    expect(order.filter((end) => end === "rejected")).toHaveLength(12);
    expect(order.at(-1)).toBe("rejected");
    expect(order.filter((end) => end === "ok")).toHaveLength(3);
  }, 30_000);
});

it("SIGTERM does not wait for delayed rejections", async () => {
  const running = await start();
  const call = overHttp("/v1/models", undefined)(running);
  const wrong = Array.from({ length: 40 }, (_, index) => call(`wrong-${index}`).catch(() => "closed"));
  await Promise.race(wrong);
  running.child.kill("SIGTERM");
  expect(await running.exited).toEqual([0, null]);
  await Promise.all(wrong);
});
