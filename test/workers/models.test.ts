import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished } from "vitest";
import { BoundedPool } from "../../src/bounded-pool.ts";
import type { ChatEvent } from "../../src/chat/stream/events.ts";
import { GatewayError } from "../../src/errors.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import { timeInQueue } from "../../src/upstream/queue-time.ts";
import { ModelHost } from "../../src/workers/models/model-host.ts";
import { remoteModels } from "../../src/workers/models/remote-models.ts";
import { configured } from "../support/configured.ts";
import { ask, scriptEcho } from "../support/requests.ts";

const model = create(ModelSchema, { id: "echo/echo", provider: "echo", providerModel: "echo" });
const echo = () => configured("echo", undefined, { apiKey: "" });

/** Serves adapters at a socket. Ends with the test. */
async function host(adapters: readonly Adapter[], path = join(tmpdir(), `dragoman-${randomUUID()}`, "models")) {
  const served = new ModelHost(adapters);
  await served.listen(path);
  onTestFinished(() => rmSync(dirname(path), { recursive: true, force: true }));
  return { served, path };
}

function contextOf(signal = new AbortController().signal, holder = "account:a") {
  let outputs = 0;
  const queue: { waitsFor: string | undefined } = { waitsFor: undefined };
  const onOutput = () => outputs++;
  return { signal, holder, attempt: create(AttemptSchema), queue, onOutput, outputs: () => outputs };
}

async function eventsOf(stream: AsyncIterable<readonly ChatEvent[]>): Promise<readonly ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const batch of stream) events.push(...batch);
  return events;
}

/** An adapter with one slot, whose request ends when the test says so. */
function slotAdapter() {
  const pool = new BoundedPool(["slot"], 1, { thing: "the model", retryAfterMs: 7 });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const adapter: Adapter = {
    ...echo(),
    async *stream(request, asked, context) {
      const taken = pool.take(context);
      const slot = taken instanceof Promise ? await timeInQueue(taken, "the model", context) : taken;
      try {
        yield* echo().stream(request, asked, context);
        await released;
      } finally {
        pool.give(slot, context);
      }
    },
  };
  return { adapter, pool, release };
}

describe("models in another process", () => {
  it("give the events of the adapter, with every kind of value", async () => {
    const { path } = await host([echo()]);
    const request = scriptEcho({
      text: "größer 🐫",
      reasoning: "why",
      tool_calls: [{ name: "f", arguments: { a: 1 } }],
    });
    const context = contextOf();
    const strip = (events: readonly ChatEvent[]) =>
      events.map(({ case: kind, value }) => [kind, kind === "completed" ? { ...value, timeInfo: undefined } : value]);
    const remote = await eventsOf(remoteModels(echo(), path).stream(request, model, context));
    expect(strip(remote)).toEqual(strip(await eventsOf(echo().stream(request, model, contextOf()))));
    expect(remote.length).toBeGreaterThan(4);
    expect(context.outputs()).toBe(1);
  });

  it("take a request of many megabytes", async () => {
    const { path } = await host([echo()]);
    const request = ask("echo/echo", "word ".repeat(1_000_000), { providerOptions: { echo: { text: "a" } } });
    const events = await eventsOf(remoteModels(echo(), path).stream(request, model, contextOf()));
    expect(events.at(-1)?.case).toBe("completed");
  });

  it("throw the errors of the adapter with their reason and facts", async () => {
    const { path } = await host([echo()]);
    const failing = scriptEcho({ fail: { reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 1234 } });
    const [here, there] = await Promise.all(
      [echo(), remoteModels(echo(), path)].map((adapter) =>
        eventsOf(adapter.stream(failing, model, contextOf())).catch((error: unknown) => error as GatewayError),
      ),
    );
    expect(there).toBeInstanceOf(GatewayError);
    expect(there).toMatchObject({ reason: "PROVIDER_RATE_LIMITED" });
    expect(there).toEqual(here);
  });

  it("end the request when the caller cancels, and free its slot", async () => {
    const { adapter, pool } = slotAdapter();
    const { served, path } = await host([adapter]);
    const controller = new AbortController();
    const context = contextOf(controller.signal);
    const request = scriptEcho({ text: "a b", stall: { after: 1 } });
    const stream = remoteModels(adapter, path).stream(request, model, context)[Symbol.asyncIterator]();
    await stream.next();
    expect(pool.free).toEqual([]);
    const reason = new GatewayError("CANCELLED", "the caller cancelled");
    controller.abort(reason);
    await expect(
      (async () => {
        for (let next = await stream.next(); !next.done; ) next = await stream.next();
      })(),
    ).rejects.toBe(reason);
    await served.idle();
    expect(pool.free).toEqual(["slot"]);
  });

  it("have one queue for all workers, which tells what a request waits for, and is full", async () => {
    const { adapter, release } = slotAdapter();
    const { path } = await host([adapter]);
    const workers = [remoteModels(adapter, path), remoteModels(adapter, path), remoteModels(adapter, path)];
    const [first, second, third] = workers.map((worker) => {
      const context = contextOf();
      return { context, stream: worker.stream(scriptEcho({ text: "a" }), model, context)[Symbol.asyncIterator]() };
    });
    await first?.stream.next();
    const waiting = second?.stream.next();
    await expect.poll(() => second?.context.queue.waitsFor).toBe("the model");
    await expect(third?.stream.next()).rejects.toMatchObject({ reason: "QUEUE_FULL", facts: { retryAfterMs: 7 } });
    release();
    for (let next = await first?.stream.next(); !next?.done; ) next = await first?.stream.next();
    expect((await waiting)?.done).toBe(false);
    expect(second?.context.queue.waitsFor).toBeUndefined();
    expect(second?.context.attempt.queueDuration).toBeDefined();
    await second?.stream.return?.();
  });

  it("finish their requests in a process whose successor has the socket already", async () => {
    const { adapter, release } = slotAdapter();
    const { served, path } = await host([adapter]);
    const worker = remoteModels(adapter, path);
    const stream = worker.stream(scriptEcho({ text: "a" }), model, contextOf())[Symbol.asyncIterator]();
    await stream.next();
    await host([echo()], path);
    const idle = served.idle();
    // The successor has no slots, so that this request does not wait.
    expect((await eventsOf(worker.stream(scriptEcho({ text: "b" }), model, contextOf()))).at(-1)?.case).toBe(
      "completed",
    );
    release();
    for (let next = await stream.next(); !next.done; ) next = await stream.next();
    await idle;
  });

  it("close an adapter that a reload replaces after its last request", async () => {
    let closed = false;
    const close = async (): Promise<void> => {
      closed = true;
    };
    const { adapter, release } = slotAdapter();
    const { served, path } = await host([{ ...adapter, close }]);
    const worker = remoteModels(adapter, path);
    const stream = worker.stream(scriptEcho({ text: "a" }), model, contextOf())[Symbol.asyncIterator]();
    await stream.next();
    served.setAdapters([]);
    await expect(eventsOf(worker.stream(scriptEcho({ text: "b" }), model, contextOf()))).rejects.toMatchObject({
      reason: "PROVIDER_NOT_CONFIGURED",
    });
    expect(closed).toBe(false);
    release();
    for (let next = await stream.next(); !next.done; ) next = await stream.next();
    await served.idle();
    expect(closed).toBe(true);
  });

  it("let a request wait for a process that is about to start", async () => {
    const path = join(tmpdir(), `dragoman-${randomUUID()}`, "models");
    const events = eventsOf(remoteModels(echo(), path).stream(scriptEcho({ text: "a" }), model, contextOf()));
    await host([echo()], path);
    expect((await events).at(-1)?.case).toBe("completed");
  });
});
