import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, it } from "vitest";
import { RoutingService } from "../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

const answer = `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta: { content: "done" }, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`;
const never = new Promise<void>(() => {});

/** Starts a service with one connection to the provider vllm, which plays these scripts. */
async function start(scripts: readonly Script[], limits: object = {}, timeouts: object = {}) {
  const upstream = await startReplayUpstream(...scripts);
  const vllm = { base_url: upstream.baseUrl, max_connections: 1, timeouts };
  const providers = { vllm, sglang: { base_url: upstream.baseUrl, timeouts } };
  // One attempt for each call, so that a script plays as it is written.
  const once = (model: string) => ({ tiers: [{ targets: [{ model }] }], attempts: { max: 1 } });
  const routes = Object.fromEntries(["vllm/m", "sglang/m"].map((model) => [model, once(model)]));
  const service = await startConfigured(JSON.stringify({ limits, providers, routes }));
  open.push(upstream, service);
  const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
  const client = createClient(ChatService, transport);
  const routing = createClient(RoutingService, transport);
  /** Sends a call of an account, which is the first letter of the text. */
  const send = (text: string, signal?: AbortSignal) =>
    client.completeChat({ chat: ask("vllm/m", text, { accountId: text.slice(0, 1) }) }, { ...(signal && { signal }) });
  /** Resolves when this many calls wait for a connection. */
  const queued = (count: number) =>
    expect.poll(async () => (await routing.listTargets({ route: "vllm/m" })).targets[0]?.queueLength).toBe(count);
  const texts = () => upstream.requests.map(({ body }) => JSON.parse(body).messages[0].content);
  const record = (reason: string) =>
    expect.poll(() => service.log.find((line) => line.msg === "call" && line.reason === reason));
  return { upstream, service, send, queued, texts, record };
}

/** A provider that answers nothing until `release` is called, and then everything. */
function startHanging() {
  const released = Promise.withResolvers<void>();
  const script: Script = { holdHeaders: released.promise, steps: [{ write: answer }] };
  return { script, release: () => released.resolve() };
}

const errorOf = (call: Promise<unknown>): Promise<ConnectError> =>
  call.then(() => Promise.reject(new Error("the call succeeded")), ConnectError.from);

describe("calls that wait for a connection to the provider", () => {
  it("get connections in turns of their accounts, whichever sends more calls", async () => {
    const { script, release } = startHanging();
    const { upstream, send, queued, texts } = await start([script]);
    const first = upstream.nextRequest();
    const calls = [send("a0")];
    await first;
    for (const text of ["a1", "a2", "a3", "a4", "b0", "b1", "c0"]) {
      calls.push(send(text));
      await queued(calls.length - 1);
    }
    release();
    await Promise.all(calls);
    expect(texts()).toEqual(["a0", "a1", "b0", "c0", "a2", "b1", "a3", "a4"]);
  });

  it("fail with QUEUE_FULL beyond the limit, and leave a place for another account", async () => {
    const { script, release } = startHanging();
    const { upstream, service, send, queued, texts } = await start([script], { max_queue_per_provider: 2 });
    const first = upstream.nextRequest();
    const running = send("a0");
    await first;
    const one = send("a1");
    await queued(1);
    const two = send("a2");
    await queued(2);
    const error = await errorOf(send("a3"));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toBe("the queue for a connection to vllm is full; retry later");
    expect(error.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: "QUEUE_FULL",
      metadata: { provider: "vllm", waiting: "2", bound: "queue for a connection to vllm" },
    });
    expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toMatchObject({ seconds: 1n });
    await service.logged("rejected because of overload");
    expect(service.log.find(({ msg }) => msg === "rejected because of overload")).toMatchObject({
      reason: "QUEUE_FULL",
      bound: "queue for a connection to vllm",
    });
    const other = send("b0");
    const replaced = await errorOf(two);
    expect(replaced.findDetails(ErrorInfoSchema)[0]).toMatchObject({ reason: "QUEUE_FULL" });
    release();
    await Promise.all([running, one, other]);
    expect(texts()).toEqual(["a0", "a1", "b0"]);
  });

  it("report that they waited when their deadline passes, and cost nothing", async () => {
    const { upstream, service, send, texts, record } = await start([{ holdHeaders: never }]);
    const first = upstream.nextRequest();
    void send("a0").catch(() => {});
    await first;
    const response = await fetch(`http://${service.httpAddress}/dragoman.v1.ChatService/CompleteChat`, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-timeout-ms": "100" },
      body: JSON.stringify({ chat: { model: "vllm/m", messages: [{ role: "ROLE_USER", parts: [{ text: "b0" }] }] } }),
    });
    expect(await response.json()).toMatchObject({
      code: "deadline_exceeded",
      message: "the deadline of the call passed while it waited for a connection to vllm",
    });
    await record("DEADLINE_EXCEEDED").toMatchObject({ attempts: [{ provider: "vllm", queue_ms: expect.any(Number) }] });
    expect(service.log.find(({ reason }) => reason === "DEADLINE_EXCEEDED")).not.toHaveProperty("input_tokens");
    expect(texts()).toEqual(["a0"]);
  });

  it("free their place when they are cancelled, and never reach the provider", async () => {
    const { script, release } = startHanging();
    const { upstream, send, queued, texts, record } = await start([script], { max_queue_per_provider: 1 });
    const first = upstream.nextRequest();
    const running = send("a0");
    await first;
    const controller = new AbortController();
    const cancelled = errorOf(send("b0", controller.signal));
    await queued(1);
    controller.abort();
    expect((await cancelled).code).toBe(Code.Canceled);
    await record("CANCELLED").toMatchObject({ attempts: [{ queue_ms: expect.any(Number) }] });
    const next = send("c0");
    await queued(1);
    release();
    await Promise.all([running, next]);
    expect(texts()).toEqual(["a0", "c0"]);
  });

  it("report the time that they waited, which no timeout of the provider includes", async () => {
    const { script, release } = startHanging();
    const hold = script.holdHeaders ?? never;
    const begun: Script = {
      steps: [{ write: answer.replace('"stop"', "null").slice(0, -14) }, { hold }, { write: answer }],
    };
    const silent: Script = { holdHeaders: never };
    const scripts = [begun, silent, { steps: [{ write: answer }] }];
    const { upstream, service, send, queued } = await start(scripts, {}, { first_event: "300ms" });
    const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    const first = upstream.nextRequest();
    const running = send("a0");
    await first;
    const waiting = send("b0");
    await queued(1);
    // This call to another provider fails later than the waiting call would, if its time in the queue counted.
    const timeout = await errorOf(client.completeChat({ chat: ask("sglang/m", "hi") }));
    expect(timeout.findDetails(ErrorInfoSchema)[0]?.reason).toBe("PROVIDER_TIMEOUT");
    release();
    await running;
    const { completion } = await waiting;
    const [attempt] = completion?.attempts ?? [];
    if (attempt?.queueDuration === undefined) throw new Error("the attempt has no queue_duration");
    expect(durationMs(attempt.queueDuration)).toBeGreaterThanOrEqual(300);
    await expect
      .poll(() => service.log.flatMap(({ attempts }) => attempts))
      .toContainEqual(expect.objectContaining({ queue_ms: durationMs(attempt.queueDuration) }));
    expect((await running).completion?.attempts[0]?.queueDuration).toBeUndefined();
  });
});

it("frees the connection however a response ends", async () => {
  const outcomes: readonly (readonly [script: Script, code: Code | undefined])[] = [
    [{ steps: [{ write: answer }] }, undefined],
    [{ status: 503, steps: [{ write: "busy" }] }, Code.Unavailable],
    [{ steps: [{ cut: true }] }, Code.Unavailable],
    [{ holdHeaders: never }, Code.Unavailable],
    [{ steps: [{ write: "data: {" }] }, Code.Internal],
    [{ holdHeaders: never }, Code.Canceled],
    [{ steps: [{ write: answer }, { hold: never }] }, undefined],
    [{ steps: [{ write: answer }] }, undefined],
  ];
  const { upstream, send } = await start(
    outcomes.map(([script]) => script),
    { max_queue_per_provider: 1 },
    { first_event: "300ms" },
  );
  for (const [, code] of outcomes) {
    const request = upstream.nextRequest();
    const controller = new AbortController();
    const ended = send("a0", controller.signal).then(
      () => undefined,
      (error) => ConnectError.from(error).code,
    );
    await request;
    if (code === Code.Canceled) controller.abort();
    expect(await ended).toBe(code);
  }
}, 20_000);
