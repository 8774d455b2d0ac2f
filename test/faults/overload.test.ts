import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { credentials, makeClientConstructor } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ChatService, type StreamChatResponse } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";
import { ask, scriptEcho } from "../support/requests.ts";

const chat = scriptEcho({ text: "hi" });

const transports = {
  gRPC: ({ grpcAddress }) => createGrpcTransport({ baseUrl: `http://${grpcAddress}` }),
  Connect: ({ httpAddress }) => createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" }),
  "gRPC-Web": ({ httpAddress }) => createGrpcWebTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" }),
} satisfies Record<string, (service: ServiceProcess) => Transport>;

/** Resolves with the error of a call. */
async function errorOf(call: () => Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call().then(
      () => new Error("the call succeeded"),
      (error: unknown) => error,
    ),
  );
}

const openai = { error: { type: "service_unavailable_error", code: "overloaded", message: expect.any(String) } };
const egp = { detail: expect.stringContaining("overloaded") };

/** Path and error body of each HTTP API. */
const chatApis: readonly (readonly [path: string, body: object])[] = [
  ["/v1/chat/completions", openai],
  ["/v1/openai/chat/completions", openai],
  ["/cerebras/v1/chat/completions", { type: "service_unavailable_error", code: "overloaded" }],
  ["/v4/chat-completions", egp],
  ["/v4/models/a/chat-completions", egp],
];

/** A share of the heap that every process exceeds. */
const tinyShare = "limits: { heap_share: 0.001 }";

describe("a process above its share of the heap", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startConfigured(tinyShare);
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it.each(
    Object.entries(transports),
  )("rejects calls with OVERLOADED and a retry delay over %s", async (_, transport) => {
    const client = createClient(ChatService, transport(service));
    const read = async () => {
      for await (const _event of client.streamChat({ chat }));
    };
    const list = () => createClient(ModelService, transport(service)).listModels({});
    for (const call of [() => client.completeChat({ chat }), read, list]) {
      const error = await errorOf(call);
      expect(error.code).toBe(Code.Unavailable);
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
        { reason: "OVERLOADED", domain: "dragoman", metadata: { bound: "heap" } },
      ]);
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).toBe(1n);
    }
  });

  it.each(chatApis)("rejects requests to %s in the shape of its API", async (path, body) => {
    const response = await fetch(`http://${service.httpAddress}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "hi" }] }),
    });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject(body);
  });

  it("rejects a list of models", async () => {
    const response = await fetch(`http://${service.httpAddress}/v1/models`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject(openai);
  });

  it("rejects a request to each listener before the first byte of its body", async () => {
    const [host = "", port = ""] = service.httpAddress.split(":");
    for (const path of ["/v1/chat/completions", "/dragoman.v1.ChatService/CompleteChat"]) {
      const socket = connect(Number(port), host);
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n`,
      );
      const [head]: Buffer[] = await once(socket, "data");
      expect(String(head)).toMatch(/^HTTP\/1.1 503 /);
      socket.destroy();
    }
    const session = connectHttp2(`http://${service.grpcAddress}`);
    const stream = session.request({
      ":method": "POST",
      ":path": "/dragoman.v1.ChatService/CompleteChat",
      "content-type": "application/grpc+proto",
    });
    const [headers] = await once(stream, "response");
    expect(headers["grpc-status"]).toBe("14");
    session.destroy();
  });

  it("answers health checks on both listeners", async () => {
    for (const page of ["healthz", "readyz"]) {
      expect((await fetch(`http://${service.httpAddress}/${page}`)).status).toBe(200);
    }
    const client = new (makeClientConstructor(healthService, "Health"))(
      service.grpcAddress,
      credentials.createInsecure(),
    );
    const answer = await new Promise((resolve) =>
      client.check?.({ service: "" }, (_error: unknown, message: unknown) => resolve(message)),
    );
    client.close();
    expect(answer).toEqual({ status: "SERVING" });
  });

  it("counts the rejections in the log, without a record of a call", async () => {
    await errorOf(() => createClient(ChatService, transports.gRPC(service)).completeChat({ chat }));
    await service.logged("rejected because of overload");
    const rejected = service.log.filter(({ msg }) => msg === "rejected because of overload");
    expect(rejected[0]).toMatchObject({ reason: "OVERLOADED", bound: "heap", count: 1, level: "warn" });
    expect(service.log.filter(({ msg }) => msg === "call")).toEqual([]);
  });
});

describe("a process whose calls fill the heap", () => {
  it("rejects new calls before it runs out of memory, and recovers when calls end", async () => {
    await using service = await startConfigured("{}", {}, ["--max-old-space-size=128"]);
    const client = createClient(ChatService, transports.gRPC(service));
    // Each call keeps 2 MiB until it ends, and it ends only when the test cancels it. Longer texts are outside the
    // heap.
    const script = { deltas: ["begun"], stall: { after: 1 } };
    const [message] = ask("echo/echo", "x".repeat(2 ** 19)).messages;
    const messages = Array.from({ length: 4 }, () => message ?? {});
    const large = ask("echo/echo", "", { messages, providerOptions: { echo: script } });
    const cancel = new AbortController();
    const running: AsyncIterator<unknown>[] = [];
    const fill = async () => {
      for (;;) {
        const events = client.streamChat({ chat: large }, { signal: cancel.signal })[Symbol.asyncIterator]();
        await events.next();
        running.push(events);
      }
    };
    expect((await errorOf(fill)).findDetails(ErrorInfoSchema)[0]?.reason).toBe("OVERLOADED");
    expect(running.length).toBeGreaterThan(10);
    cancel.abort();
    await Promise.allSettled(running.map((events) => events.next()));
    await expect.poll(() => client.completeChat({ chat }).then(() => "ok", String), { timeout: 30_000 }).toBe("ok");
  }, 60_000);
});

describe("a call that a queue rejects after it began", () => {
  it.each(["QUEUE_FULL", "OVERLOADED"])("has a record and is counted as a rejection: %s", async (reason) => {
    await using service = await startConfigured("{}");
    const client = createClient(ChatService, transports.gRPC(service));
    const full = scriptEcho({ fail: { reason } });
    for (let time = 0; time < 3; time++) await errorOf(() => client.completeChat({ chat: full }));
    service.child.kill("SIGTERM");
    await service.exited;
    expect(service.log.filter(({ msg }) => msg === "call").map((line) => line.reason)).toEqual([
      reason,
      reason,
      reason,
    ]);
    const rejected = service.log.filter(({ msg }) => msg === "rejected because of overload");
    expect(rejected.map((line) => [line.reason, line.bound])).toEqual(rejected.map(() => [reason, "provider echo"]));
    expect(rejected.reduce((sum, { count }) => sum + Number(count), 0)).toBe(3);
  });
});

describe("a process whose event loop lags", () => {
  /** Blocks the event loop while Dragoman parses it. */
  const large = JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "x".repeat(6_000_000) }] });

  it("rejects new calls until the lag is over, and finishes the calls that it accepted", async () => {
    await using service = await startConfigured("limits: { max_event_loop_lag: 10ms }");
    const client = createClient(ChatService, transports.gRPC(service));
    /** Begins a call whose response is larger than the window of its client, so that it waits for the test to read. */
    const begin = async (): Promise<AsyncIterator<StreamChatResponse>> => {
      const long = scriptEcho({ text: "word ", repeat: 20_000 });
      const events = client.streamChat({ chat: long })[Symbol.asyncIterator]();
      expect((await events.next()).value?.event.case).toBe("started");
      return events;
    };
    // On a busy machine, even an idle process can be late.
    const accepted = await vi.waitFor(begin, { timeout: 30_000 });
    const url = `http://${service.httpAddress}/v1/chat/completions`;
    let rejected = "";
    /** Calls until one of the four callers is rejected. */
    const flood = async (): Promise<void> => {
      while (rejected === "") {
        const headers = { "content-type": "application/json" };
        const response = await fetch(url, { method: "POST", headers, body: large });
        if (response.status === 503) rejected = await response.text();
        else await response.body?.cancel();
      }
    };
    await Promise.all(Array.from({ length: 4 }, flood));
    expect(rejected).toContain("its event loop lags");
    await expect.poll(() => client.completeChat({ chat }).then(() => "ok", String), { timeout: 30_000 }).toBe("ok");
    let last: StreamChatResponse | undefined;
    for (let next = await accepted.next(); next.done !== true; next = await accepted.next()) last = next.value;
    expect(last?.event.case).toBe("completed");
  }, 90_000);
});
