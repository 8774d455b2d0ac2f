import { once } from "node:events";
import { connect } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { ask, scriptEcho } from "../support/requests.ts";

let service: ServiceProcess;
beforeAll(async () => {
  service = await startProcess();
});
afterAll(() => service[Symbol.asyncDispose]());

const grpc = () => createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));

/** Writes bytes to the HTTP listener and returns everything that it sends until it closes the connection. */
async function exchange(bytes: string): Promise<string> {
  const [host, port] = service.httpAddress.split(":");
  const socket = connect(Number(port), host);
  socket.write(bytes);
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  await once(socket, "close");
  return answer;
}

/** Runs `act` while a stream is in progress, then reads the stream to its end. */
async function whileStreaming(act: () => Promise<void>): Promise<void> {
  const chat = scriptEcho({ text: "word ", repeat: 3, first_delay_ms: 0, delay_ms: 50 });
  const events = grpc().streamChat({ chat })[Symbol.asyncIterator]();
  await events.next();
  await act();
  let last: string | undefined;
  for (let next = await events.next(); !next.done; next = await events.next()) last = next.value.event.case;
  expect(last).toBe("completed");
}

describe("an invalid request target or Host header", () => {
  it.each([
    ["two slashes", "GET // HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["two slashes in a POST", "POST // HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"],
    ["HTTP/1.0 without Host", "GET /nothing HTTP/1.0\r\n\r\n"],
    ["HTTP/1.1 without Host", "GET /nothing HTTP/1.1\r\n\r\n"],
    ["a malformed Host", "GET /nothing HTTP/1.1\r\nHost: a b\r\n\r\n"],
    ["a Host with a port out of range", "GET /nothing HTTP/1.1\r\nHost: localhost:99999\r\n\r\n"],
    ["an absolute URL with a malformed authority", "GET http://[::1/ HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["an absolute URL without a host", "GET http:/// HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["an HTTP API without Host", "POST /v1/chat/completions HTTP/1.0\r\nContent-Length: 0\r\n\r\n"],
  ])("responds with 400 and closes the connection: %s", async (_name, bytes) => {
    await whileStreaming(async () => {
      expect(await exchange(bytes)).toMatch(/^HTTP\/1\.1 400 /);
    });
    expect(service.child.exitCode).toBeNull();
  });
});

it("does not send 100 Continue inside a pipelined response", async () => {
  const first = JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "hi" }] });
  const answer = await exchange(
    [
      `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`,
      `Content-Length: ${first.length}\r\n\r\n${first}`,
      "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n",
      "Connection: close\r\nContent-Length: 2\r\n\r\n{}",
    ].join(""),
  );
  const [, last = ""] = answer.split("HTTP/1.1 404 Not Found");
  expect(last).toMatch(/\r\n\r\n\{.*\}$/);
  expect(last).not.toContain("100 Continue");
});

describe("health pages", () => {
  it.each([
    ["HTTP/1.0 without Host", "GET /healthz HTTP/1.0\r\n\r\n"],
    ["a malformed Host", "GET /readyz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"],
    ["an absolute URL", "GET http://elsewhere.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
  ])("responds to a health probe with 200: %s", async (_name, bytes) => {
    expect(await exchange(bytes)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("a lone surrogate in an error text", () => {
  const chat = ask("llm-engine/x", "hi", { chatTemplate: "{{ raise_exception('\u{1F600}'[0]) }}" });
  let engine: ServiceProcess;
  beforeAll(async () => {
    engine = await startProcess({ LLM_ENGINE_API_KEY: "key", LLM_ENGINE_BASE_URL: "http://127.0.0.1:9" });
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  it.each([
    ["gRPC", () => createGrpcTransport({ baseUrl: `http://${engine.grpcAddress}` })],
    ["Connect", () => createConnectTransport({ baseUrl: `http://${engine.httpAddress}`, httpVersion: "1.1" })],
    ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: `http://${engine.httpAddress}`, httpVersion: "1.1" })],
  ])("replaces a lone surrogate in an error and keeps running: %s, unary and stream", async (_name, transport) => {
    const client = createClient(ChatService, transport());
    const failures = [
      await client.completeChat({ chat }).catch(ConnectError.from),
      await (async () => {
        for await (const _ of client.streamChat({ chat }));
      })().catch(ConnectError.from),
    ];
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining("\uFFFD") });
    }
    expect(engine.child.exitCode).toBeNull();
  });

  it("replaces a lone surrogate in the error for an unknown model: Connect JSON", async () => {
    const response = await fetch(`http://${engine.httpAddress}/dragoman.v1.ChatService/CompleteChat`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ chat: { model: "nothing/\ud83d", messages: [] } }),
    });
    expect(response.status).toBe(400);
    expect((await response.text()).isWellFormed()).toBe(true);
  });
});

it("records calls in progress before an uncaught error ends the process", async () => {
  const fault = 'process.on("SIGUSR2", () => setImmediate(() => { throw new Error("a fault of the service"); }))';
  await using broken = await startProcess({}, ["--import", `data:text/javascript,${encodeURIComponent(fault)}`]);
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${broken.grpcAddress}` }));
  const events = client.streamChat({ chat: scriptEcho({ text: "a b", stall: { after: 1 } }) })[Symbol.asyncIterator]();
  await events.next();
  broken.child.kill("SIGUSR2");
  expect(await broken.exited).toEqual([1, null]);
  const calls = broken.log.filter(({ msg }) => msg === "call");
  expect(calls).toMatchObject([{ method: "StreamChat", reason: "SHUTTING_DOWN" }]);
  expect(broken.log.slice(-2)).toMatchObject([
    { level: "error", err: { message: "a fault of the service" } },
    { msg: "stopped", reason: "uncaught error" },
  ]);
  await events.next().catch(() => {});
});

it("keeps idle connections open for longer than load balancers do, which else send requests on closed ones", async () => {
  const response = await fetch(`http://${service.httpAddress}/healthz`);
  const [, seconds] = /timeout=(\d+)/.exec(response.headers.get("keep-alive") ?? "") ?? [];
  expect(Number(seconds)).toBeGreaterThan(600);
});
