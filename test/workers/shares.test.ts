import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { providers } from "../../src/providers/registry.ts";
import { shareOfWorker } from "../../src/workers/share-of-worker.ts";
import { writeConfig } from "../config/harness.ts";
import { scriptEcho } from "../support/requests.ts";
import { startWorkers } from "./harness.ts";

it("divides the bounds on providers and on the disk, rounded up", () => {
  const file = writeConfig(`
limits: { max_calls_per_model: 5, max_queue_per_provider: 7 }
providers: { ollama: { enabled: true, base_url: "http://127.0.0.1:1", max_connections: 9 } }
store: { max_outbox_size: 1MiB }
`);
  const { limits, providers: shares, store } = shareOfWorker(loadConfig({ environment: {}, file, providers }), 2);
  expect([limits.maxCallsPerModel, limits.maxQueuePerProvider, store.maxOutboxBytes]).toEqual([3, 4, 2 ** 19]);
  expect(shares.find(({ name }) => name === "ollama")).toMatchObject({ maxConnections: 5, maxQueue: 4 });
  const unlimited = loadConfig({ environment: {}, file: writeConfig("limits: { max_calls_per_model: 0 }"), providers });
  expect(shareOfWorker(unlimited, 2).limits.maxCallsPerModel).toBe(0);
});

it("divides the limit of a profile on concurrent calls", async () => {
  const { service } = await startWorkers(2);
  // The profile allows 200 concurrent calls, and one connection reaches one worker.
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const chat = scriptEcho({ text: "a b", stall: { after: 1 } }, { profile: Profile.DEEPINFRA, accountId: "billing" });
  const controller = new AbortController();
  const open = async () => {
    const events = client.streamChat({ chat }, { signal: controller.signal })[Symbol.asyncIterator]();
    await events.next();
    events.next().catch(() => {});
  };
  for (let calls = 0; calls < 100; calls++) await open();
  await expect(open()).rejects.toThrow(/100/);
  controller.abort();
}, 60_000);
