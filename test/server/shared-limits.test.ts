import { ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import type { Claim } from "../../src/accounts/limits/limit-store.ts";
import { Secret } from "../../src/config/secret.ts";
import { RedisLimitStore } from "../../src/state/redis-limit-store.ts";
import { noRedis, startRedis } from "../support/redis.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

const accounts = `accounts:
  billing: { limits: { requests_per_minute: 3 } }
  batch: { limits: { concurrent_calls: 1 } }
  strict: { limits: { requests_per_minute: 3 }, on_store_loss: deny }
`;

const batch: Claim = { holder: "account:batch", kind: "calls", limit: 1, hold: 1, shadow: false };

const call = (service: TestService, accountId: string): Promise<string> =>
  service
    .chatClient("grpc")
    .completeChat({ chat: ask("echo/echo", "hi", { accountId }) })
    .then(
      () => "ok",
      (error: unknown) => ConnectError.from(error).rawMessage,
    );

describe.skipIf(noRedis)("two replicas", () => {
  it("share the limits of an account, also when a call ends early or Redis is away", async () => {
    await using redis = await startRedis();
    const url = new Secret(redis.url);
    const stores = [1, 2].map(() => new RedisLimitStore({ url, shownUrl: "", prefix: "test" }, { probeMs: 20 }));
    const services = await Promise.all(
      stores.map((limitStore) => startTestService({}, undefined, accounts, [], { limitStore })),
    );
    const [one, other] = services as [TestService, TestService];
    await Promise.all(stores.map((store) => store.tried));

    expect([await call(one, "billing"), await call(other, "billing"), await call(one, "billing")]).toEqual(
      new Array(3).fill("ok"),
    );
    expect(await call(other, "billing")).toMatch(/^the account billing may send 3 requests per minute/);

    const abort = new AbortController();
    const chat = scriptEcho({ delay_ms: 60_000 }, { accountId: "batch" });
    const running = one.chatClient("grpc").completeChat({ chat }, { signal: abort.signal });
    await expect.poll(() => stores[1]?.left([batch])).toMatchObject([{ remaining: 0 }]);
    expect(await call(other, "batch")).toMatch(/^the account batch may have 1 call in progress/);
    abort.abort();
    await expect(running).rejects.toThrow();
    await expect.poll(() => call(other, "batch")).toBe("ok");

    await redis.stop();
    await expect.poll(() => stores.map(({ state }) => state.shared)).toEqual([false, false]);
    expect(await call(one, "strict")).toMatch(/^the account requires the shared limits/);
    expect(await call(one, "billing")).toBe("ok");
    expect(one.records.at(-1)?.notes).toEqual(["STORE_LOSS"]);
    await Promise.all(services.map((service) => service.stop()));
  });
});
