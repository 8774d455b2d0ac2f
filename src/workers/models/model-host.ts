import { mkdirSync, renameSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Snapshots } from "../../calls/snapshot.ts";
import { drained } from "../../drained.ts";
import { GatewayError } from "../../errors.ts";
import { AttemptSchema } from "../../gen/dragoman/v1/attempt_pb.js";
import type { Adapter } from "../../providers/adapter.ts";
import { toSent } from "../../thread/messages.ts";
import { encodeFrame, type ModelFrame, type ModelRequest, readFrames } from "./frames.ts";

/** Answers the requests that workers have for models in memory (remote-models.ts). */
export class ModelHost {
  readonly #snapshots: Snapshots<{ readonly adapters: ReadonlyMap<string, Adapter> }>;
  #inProgress = 0;
  readonly #server = createServer((socket) => void this.#answer(socket));
  #onIdle: (() => void) | undefined;

  constructor(adapters: readonly Adapter[]) {
    this.#snapshots = new Snapshots({ adapters: byName(adapters) });
  }

  /** Listens at a Unix socket. Later connections reach this process, and no longer the one that had the path before. */
  async listen(path: string): Promise<void> {
    // Only this user may connect.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const own = `${path}.${process.pid}`;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    // Otherwise the supervisor would listen, and spread the connections.
    this.#server.listen({ path: own, exclusive: true }, resolve);
    await promise;
    renameSync(own, path);
  }

  /** Later requests use these adapters. Those that are left out close after their last request. */
  setAdapters(adapters: readonly Adapter[]): void {
    this.#snapshots.replace({ adapters: byName(adapters) });
  }

  /** Resolves when no request is in progress. Requests that come meanwhile are answered, too. */
  async idle(): Promise<void> {
    if (this.#inProgress === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  async #answer(socket: Socket): Promise<void> {
    const ended = new AbortController();
    const { signal } = ended;
    this.#inProgress++;
    socket.on("error", () => {});
    socket.on("close", () => ended.abort(new GatewayError("CANCELLED", "the worker no longer needs the response")));
    const send = (frame: ModelFrame): Promise<void> | undefined =>
      socket.write(encodeFrame(frame)) ? undefined : drained(socket, signal);
    const lease = this.#snapshots.lease();
    try {
      const { value } = await readFrames(socket).next();
      // Reads on, to see that the worker closes the connection.
      socket.resume();
      const asked = value as ModelRequest;
      const { provider, model, holder } = asked;
      const adapter = lease.snapshot.adapters.get(provider);
      if (adapter === undefined) {
        throw new GatewayError("PROVIDER_NOT_CONFIGURED", `the provider ${provider} is no longer configured`);
      }
      const context = { holder, signal, attempt: create(AttemptSchema), queue: queueThatTells(send) };
      switch (asked.method) {
        case "prompt":
          await send({ prompt: await adapter.prompt?.(asked.request, model, context) });
          break;
        case "stream":
          for await (const events of adapter.stream(asked.request, model, context)) await send({ events });
          break;
        case "embed": {
          const { embeddings } = adapter;
          if (embeddings === undefined) throw new Error(`the provider ${provider} has no embeddings`);
          for await (const batches of embeddings.embed(asked.request, model, context)) await send({ batches });
          break;
        }
        default:
          asked satisfies never;
      }
      await send({ end: true });
    } catch (error) {
      void send({ error: toSent(error) });
    } finally {
      lease.release();
      // Called when everything is written, or the worker has closed the connection.
      socket.end(() => {
        this.#inProgress--;
        if (this.#inProgress === 0) this.#onIdle?.();
      });
    }
  }
}

/** Returns a state of a queue that sends each change. */
function queueThatTells(send: (frame: ModelFrame) => void) {
  return {
    get waitsFor() {
      return undefined;
    },
    set waitsFor(thing: string | undefined) {
      if (thing !== undefined) send({ waitsFor: thing });
    },
  };
}

function byName(adapters: readonly Adapter[]): ReadonlyMap<string, Adapter> {
  return new Map(adapters.map((adapter) => [adapter.name, adapter]));
}
