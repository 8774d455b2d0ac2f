import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import type { ComponentStates } from "../../src/component-states.ts";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import { testFolder } from "../support/databases.ts";
import { scriptEcho } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";

const components: ComponentStates = {
  sharedLimits: () => ({ shared: false, sinceMs: Date.UTC(2026, 10, 29), replicas: 2, pending: 7 }),
  ledger: async () => ({
    ...{ databaseResponds: undefined, pendingBytes: undefined },
    ...{ waiting: 1, written: 2, late: 3, dropped: 4 },
  }),
  keyStore: () => ({ databaseResponds: false }),
};

async function page(httpAddress: string): Promise<readonly [number, readonly string[]]> {
  const response = await fetch(`http://${httpAddress}/readyz`);
  return [response.status, (await response.text()).split("\n")];
}

describe("/readyz", () => {
  it("stays ready while components are away, and tells their state", async () => {
    const service = await startTestService({}, undefined, undefined, undefined, { components });
    expect(await page(service.httpAddress)).toEqual([
      200,
      [
        "ok",
        "configuration generation=1",
        "redis decides=false since=2026-11-29T00:00:00.000Z replicas=2 pending=7",
        "ledger database_responds=unknown pending_bytes=unknown waiting=1 written=2 late=3 dropped=4",
        "keys database_responds=false",
        "",
      ],
    ]);
    expect(await (await fetch(`http://${service.httpAddress}/healthz`)).text()).toBe("ok\n");
    await service.stop();
  });

  it("tells of a process whose database and Redis do not respond", { timeout: 60_000 }, async () => {
    const store = `{ database: "postgres://user:secret@127.0.0.1:9/ledger", outbox: ${join(testFolder(), "outbox")} }`;
    await using service = await startConfigured(`store: ${store}\nstate: { redis: "redis://127.0.0.1:9" }`);
    const chats = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    await chats.completeChat({ chat: scriptEcho({ text: "hello" }) });
    const expected = [
      /^ok$/,
      /^configuration generation=1$/,
      /^redis decides=false since=\S+ replicas=1 pending=0$/,
      /^ledger database_responds=false pending_bytes=[1-9]\d* waiting=0 written=1 late=\d dropped=0$/,
      /^keys database_responds=false$/,
      /^$/,
    ];
    // The first attempts to reach the database may still be in progress.
    for (let isAsExpected = false; !isAsExpected; ) {
      const [status, lines] = await page(service.httpAddress);
      expect(status).toBe(200);
      expect(lines).toHaveLength(expected.length);
      isAsExpected = lines.every((line, index) => expected[index]?.test(line));
    }
  });
});
