import { on } from "node:events";
import { type ClientReadableStream, credentials, makeClientConstructor, Server } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { describe, expect, it } from "vitest";
import { createAdapters } from "../../src/adapters.ts";
import type { Config } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { plainRules } from "../../src/config/route.ts";
import { optionsIn, replaceOptions } from "../../src/server/grpc/server-options.ts";
import { ask } from "../support/requests.ts";
import { requireKey, startTestService, type TestService } from "../support/service.ts";

const HealthClient = makeClientConstructor(healthService, "Health");

/** Starts a service, and returns the configuration that it has. */
async function start(change: (config: Config) => Config): Promise<{ service: TestService; config: Config }> {
  let config: Config | undefined;
  const service = await startTestService({}, (loaded) => (config = change(loaded)));
  if (config === undefined) throw new Error("the service has no configuration");
  return { service, config };
}

const partsOf = async (config: Config) => ({
  config,
  adapters: await createAdapters(config),
  models: config.listedModels,
});

describe("a reload of the service", () => {
  it("counts configurations, and shows the number on /readyz", async () => {
    const { service, config } = await start((loaded) => loaded);
    expect(service.reload(await partsOf({ ...config, profile: "cerebras" }))).toBe(2);
    const { completion } = await service.chatClient("grpc").completeChat({ chat: ask("echo/echo", "hi") });
    expect(completion?.model).toBe("echo/echo");
    const page = await fetch(`http://${service.httpAddress}/readyz`);
    expect(await page.text()).toBe("ok\nconfiguration generation=2\n");
    await service.stop();
  });

  it("tells health watches of a route that it adds", async () => {
    const { service, config } = await start((loaded) => loaded);
    const client = new HealthClient(service.grpcAddress, credentials.createInsecure());
    const watch: ClientReadableStream<{ status: string }> = client.watch?.({ service: "dragoman.target/fast" });
    watch.on("error", () => {});
    const statuses = on(watch, "data");
    expect((await statuses.next()).value).toEqual([{ status: "SERVICE_UNKNOWN" }]);
    const tiers = [{ balance: "order" as const, targets: [{ model: "echo/echo", weight: 1 }] }];
    const route = { ...plainRules, id: "fast", tiers, require: [], profile: undefined };
    service.reload(await partsOf({ ...config, routes: [route] }));
    expect((await statuses.next()).value).toEqual([{ status: "SERVING" }]);
    watch.cancel();
    client.close();
    await service.stop();
  });

  it("is rejected if other machines could call without a key until a restart", async () => {
    const { service, config } = await start((loaded) => {
      const keyed = requireKey(loaded);
      return { ...keyed, http: { ...keyed.http, host: "0.0.0.0" } };
    });
    const open = { ...config.authentication, mode: "loopback" as const };
    const next = { ...config, authentication: open, http: { ...config.http, host: "127.0.0.1" } };
    let error: unknown;
    try {
      service.reload(await partsOf(next));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toMatchObject([
      { path: "http.address", problem: expect.stringMatching(/ can be reached .*, until a restart$/) },
    ]);
    const call = service.chatClient("grpc").completeChat({ chat: ask("echo/echo", "hi") });
    await expect(call).rejects.toThrow("[unauthenticated]");
    await service.stop();
  });
});

describe("the options of a running gRPC server", () => {
  const former = {
    "grpc.max_connection_age_ms": 1,
    "grpc.max_connection_age_grace_ms": 60,
    "grpc.keepalive_time_ms": 2,
  };

  it("are private members of grpc-js that have other values without options", () => {
    const [one, other] = [optionsIn(new Server(former)), optionsIn(new Server())];
    expect(one).toMatchObject({
      options: former,
      maxConnectionAgeMs: 1,
      maxConnectionAgeGraceMs: 60,
      keepaliveTimeMs: 2,
      sessionIdleTimeout: expect.any(Number),
    });
    expect(other.maxConnectionAgeMs).not.toBe(1);
  });

  it("are replaced, but for a longer time that calls in progress have", () => {
    const server = new Server(former);
    const latter = { "grpc.max_connection_age_ms": 3, "grpc.max_connection_age_grace_ms": 4 };
    replaceOptions(server, latter);
    const { keepaliveTimeMs } = optionsIn(new Server());
    expect(optionsIn(server)).toMatchObject({ options: latter, maxConnectionAgeMs: 3, keepaliveTimeMs });
    expect(optionsIn(server).maxConnectionAgeGraceMs).toBe(60);
  });
});
