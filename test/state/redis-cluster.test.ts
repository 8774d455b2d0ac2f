import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createClient } from "@redis/client";
import { describe, expect, it } from "vitest";
import type { Claim } from "../../src/accounts/limits/limit-store.ts";
import { Secret } from "../../src/config/secret.ts";
import { RedisLimitStore } from "../../src/state/redis-limit-store.ts";
import { noRedis, startRedis } from "../support/redis.ts";

const requests: Claim = { holder: "account:a", kind: "requests", limit: 10, hold: 1, shadow: false };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.skipIf(noRedis)("a cluster", () => {
  const clusterNode = async () => startRedis({ "cluster-enabled": "yes", "cluster-port": String(await freePort()) });

  it("is used through any of its nodes", async () => {
    await using first = await clusterNode();
    await using second = await clusterNode();
    const clients = [first, second].map(({ url }) => createClient({ url }));
    for (const client of clients) await client.on("error", () => {}).connect();
    const [one, other] = clients;
    await one?.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    await other?.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
    const { "cluster-port": busPort = "" } = (await other?.configGet("cluster-port")) ?? {};
    await one?.sendCommand(["CLUSTER", "MEET", "127.0.0.1", String(second.port), busPort]);
    for (const client of clients) {
      await expect
        .poll(() => client.sendCommand(["CLUSTER", "INFO"]), { timeout: 20_000 })
        .toContain("cluster_state:ok");
      client.destroy();
    }
    const stores = [first, second].map(
      ({ url }) => new RedisLimitStore({ url: new Secret(url), shownUrl: "", prefix: "test" }, { probeMs: 20 }),
    );
    for (const [index, store] of stores.entries()) {
      await expect.poll(() => store.state.shared, { timeout: 5000 }).toBe(true);
      const decision = await store.reserve(String(index), [requests]);
      expect(decision).toMatchObject({ shared: true, left: [{ remaining: 9 - index }] });
      await store.close();
    }
  }, 40_000);
});
