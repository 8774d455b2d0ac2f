import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService } from "../support/service.ts";

const withGrace =
  (graceMs: number) =>
  (config: Config): Config => ({ ...config, shutdown: { delayMs: 0, graceMs } });

describe.each(protocols)("shutdown during a stream over %s", (protocol) => {
  it("completes the stream within the grace period and rejects new calls", async () => {
    const release = Promise.withResolvers<void>();
    await using upstream = await startReplayUpstream({
      steps: [
        { write: textChunk("first") },
        { hold: release.promise },
        { write: textChunk("last") },
        { write: streamEnd },
      ],
    });
    const service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl }, withGrace(60_000));
    const seen: string[] = [];
    let stopped: Promise<void> | undefined;
    for await (const { event } of service.chatClient(protocol).streamChat({ chat: ask("vllm/m", "hi") })) {
      seen.push(event.case === "delta" ? String(event.value.delta.value) : String(event.case));
      if (event.case === "delta" && stopped === undefined) {
        stopped = service.stop();
        await expect(fetch(`http://${service.httpAddress}/readyz`)).rejects.toThrow();
        release.resolve();
      }
    }
    expect(seen).toEqual(["started", "first", "last", "finished", "completed"]);
    await stopped;
    expect(service.records).toMatchObject([{ outcome: "ok" }]);
  });

  it("ends the stream with UNAVAILABLE after the grace period and aborts upstream", async () => {
    await using upstream = await startReplayUpstream({
      steps: [{ write: textChunk("first") }, { hold: new Promise(() => {}) }],
    });
    const service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl }, withGrace(0));
    const arrived = upstream.nextRequest();
    let stopped: Promise<void> | undefined;
    const read = async (): Promise<undefined> => {
      for await (const { event } of service.chatClient(protocol).streamChat({ chat: ask("vllm/m", "hi") })) {
        if (event.case === "delta") stopped = service.stop();
      }
    };
    const error = await read().catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error?.code).toBe(Code.Unavailable);
    expect(error?.findDetails(ErrorInfoSchema)[0]?.reason).toBe("SHUTTING_DOWN");
    await (await arrived).aborted;
    await stopped;
    expect(service.records).toMatchObject([{ outcome: "failed", reason: "SHUTTING_DOWN" }]);
  });
});
