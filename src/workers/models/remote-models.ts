import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { GatewayError } from "../../errors.ts";
import type { Adapter, AdapterContext } from "../../providers/adapter.ts";
import type { EmbeddingApi } from "../../providers/embedding-api.ts";
import { fromSent } from "../../thread/messages.ts";
import { timeInQueue } from "../../upstream/queue-time.ts";
import { encodeFrame, type ModelFrame, type ModelRequest, readFrames } from "./frames.ts";

/** Longest wait in ms for the process of the local models, while it starts again because it has ended. */
const longestStartMs = 30_000;
const connectRetryMs = 50;

/**
 * Returns an adapter that has its models in another process: all workers share them, and their queue. That process
 * generates ahead of the consumer, up to what the socket holds, so that a slow caller frees the model soon.
 *
 * @param local the adapter that the other process has, too. In this process it loads no model.
 * @param path Unix socket of the other process
 */
export function remoteModels(local: Adapter, path: string): Adapter {
  const { name, embeddings } = local;
  return {
    ...local,
    async *stream(request, model, context) {
      const { signal, holder } = context;
      const frames = framesOf(path, { provider: name, method: "stream", request, model, holder }, signal);
      let hadOutput = false;
      for await (const frame of withoutWaits(frames, context)) {
        if (!("events" in frame)) continue;
        const { events } = frame;
        if (!hadOutput && events.some((event) => event.case === "delta")) {
          hadOutput = true;
          context.onOutput?.();
        }
        yield events;
      }
    },
    async prompt(request, model, { signal, holder }) {
      const asked = { provider: name, method: "prompt", request, model, holder } as const;
      for await (const frame of framesOf(path, asked, signal)) if ("prompt" in frame) return frame.prompt;
      return undefined;
    },
    ...(embeddings !== undefined && { embeddings: remoteEmbeddings(name, embeddings, path) }),
  };
}

function remoteEmbeddings(provider: string, local: EmbeddingApi, path: string): EmbeddingApi {
  return {
    ...local,
    async *embed(request, model, context) {
      const { signal, holder } = context;
      const frames = framesOf(path, { provider, method: "embed", request, model, holder }, signal);
      for await (const frame of withoutWaits(frames, context)) {
        if (!("batches" in frame)) continue;
        context.onOutput?.();
        yield frame.batches;
      }
    },
  };
}

/** Returns the frames that carry something, and adds the time in a queue to the attempt. */
async function* withoutWaits(
  frames: AsyncGenerator<DataFrame, void>,
  context: AdapterContext,
): AsyncGenerator<DataFrame, void> {
  try {
    for (let frame = await frames.next(); !frame.done; ) {
      if ("waitsFor" in frame.value) frame = await timeInQueue(frames.next(), frame.value.waitsFor, context);
      else {
        yield frame.value;
        frame = await frames.next();
      }
    }
  } finally {
    void frames.return();
  }
}

type DataFrame = Exclude<ModelFrame, { end: true } | { error: unknown }>;

/** Sends a request, and returns the frames before its end. Throws only GatewayError. */
async function* framesOf(path: string, request: ModelRequest, signal: AbortSignal): AsyncGenerator<DataFrame, void> {
  const socket = await connectTo(path, signal);
  const onAbort = () => socket.destroy();
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    socket.write(encodeFrame(request));
    for await (const frame of readFrames(socket) as AsyncIterable<ModelFrame>) {
      if ("end" in frame) return;
      if ("error" in frame) throw fromSent(frame.error);
      yield frame;
    }
    throw new Error("the process ended");
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof GatewayError ? error : unavailable("has ended", error);
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

async function connectTo(path: string, signal: AbortSignal): Promise<Socket> {
  const untilMs = performance.now() + longestStartMs;
  for (;;) {
    signal.throwIfAborted();
    const socket = connect(path);
    try {
      await once(socket, "connect", { signal });
      // Without a listener, an error after the last frame was read would end the worker.
      return socket.on("error", () => {});
    } catch (error) {
      socket.on("error", () => {}).destroy();
      if (signal.aborted) throw signal.reason;
      if (performance.now() >= untilMs) throw unavailable("is not running", error);
    }
    await delay(connectRetryMs);
  }
}

function unavailable(problem: string, cause: unknown): GatewayError {
  return new GatewayError("PROVIDER_UNAVAILABLE", `the process of the local models ${problem}; retry`, { cause });
}
