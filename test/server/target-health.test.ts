import { once } from "node:events";
import { type ClientReadableStream, credentials, makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import fc from "fast-check";
import { service as healthService } from "grpc-health-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TargetStateName } from "../../src/routing/target-view.ts";
import { RoutingViewInMemory, targetView } from "../support/routing-view.ts";
import { startTestService, type TestService } from "../support/service.ts";

const HealthClient = makeClientConstructor(healthService, "Health");

interface Health {
  readonly status: string;
}

let routing: RoutingViewInMemory;
let service: TestService;
let client: InstanceType<typeof HealthClient>;
beforeEach(async () => {
  routing = new RoutingViewInMemory([targetView("openai/gpt-4o"), targetView("echo/echo")], {
    fast: ["openai/gpt-4o", "echo/echo"],
    "chat/slow": ["openai/gpt-5.5"],
  });
  const yaml = "models: { nice: { provider: openai, provider_model: gpt-4o } }";
  service = await startTestService({ OPENAI_API_KEY: "sk-test" }, undefined, yaml, [], { routing });
  client = new HealthClient(service.grpcAddress, credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await service.stop();
});

function call<Response>(method: "check" | "list", request: object): Promise<Response> {
  return new Promise((resolve, reject) => {
    client[method]?.(request, (error: ServiceError | null, answer: Response) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

const check = async (name: string) => (await call<Health>("check", { service: `dragoman.target/${name}` })).status;

function watch(name: string): ClientReadableStream<Health> {
  const stream: ClientReadableStream<Health> = client.watch?.({ service: `dragoman.target/${name}` });
  stream.on("error", () => {});
  return stream;
}

async function next(stream: ClientReadableStream<Health>): Promise<string> {
  const [{ status }] = (await once(stream, "data")) as [Health];
  return status;
}

describe("health of a target", () => {
  it.each([
    ["closed", "SERVING"],
    ["half_open", "SERVING"],
    ["open", "NOT_SERVING"],
  ] as const)("is for a target that is %s: %s", async (state, status) => {
    routing.move("openai/gpt-4o", state);
    // Its name, its alias in the catalog, and a model of the configuration.
    for (const name of ["openai/gpt-4o", "gpt-4o", "nice"]) expect(await check(name)).toBe(status);
  });

  it("is SERVING for a target without calls, under any name that the catalog accepts", async () => {
    expect(await check("openai/a-model-that-is-not-listed")).toBe("SERVING");
    expect(await check(`openai/${"x".repeat(249)}`)).toBe("SERVING");
  });

  it.each([
    "",
    "openai/",
    "no-such-model",
    "no-such-provider/model",
    "anthropic/claude-sonnet-5",
    "deployments/none",
    `openai/${"x".repeat(250)}`,
  ])("is unknown for %j", async (name) => {
    await expect(check(name)).rejects.toMatchObject({ code: 5 });
  });

  it.each(["no-such-model", "anthropic/claude-sonnet-5"])("sends watchers of %s SERVICE_UNKNOWN", async (name) => {
    const stream = watch(name);
    expect(await next(stream)).toBe("SERVICE_UNKNOWN");
    stream.cancel();
  });

  it("rejects the watch of a name that is too long", async () => {
    const stream = watch("x".repeat(257)).resume();
    expect(await new Promise((resolve) => stream.once("status", resolve))).toMatchObject({
      code: 3,
      details: expect.stringContaining("272 characters"),
    });
  });

  it("is SERVING for a route exactly if one of its targets is not open", async () => {
    const states = fc.constantFrom<TargetStateName>("closed", "open", "half_open");
    await fc.assert(
      fc.asyncProperty(states, states, async (one, other) => {
        routing.move("openai/gpt-4o", one);
        routing.move("echo/echo", other);
        expect(await check("fast")).toBe(one === "open" && other === "open" ? "NOT_SERVING" : "SERVING");
      }),
      { numRuns: 30 },
    );
    routing.move("openai/gpt-5.5", "open");
    expect(await check("chat/slow")).toBe("NOT_SERVING");
  });

  it("is pushed to watchers of the target and of its route at each change", async () => {
    const [target, alias, route] = [watch("openai/gpt-4o"), watch("gpt-4o"), watch("fast")];
    for (const stream of [target, alias, route]) expect(await next(stream)).toBe("SERVING");
    routing.move("echo/echo", "open");
    const all = [target, alias, route].map(next);
    routing.move("openai/gpt-4o", "open", "PROVIDER_UNAVAILABLE");
    expect(await Promise.all(all)).toEqual(["NOT_SERVING", "NOT_SERVING", "NOT_SERVING"]);
    const again = [target, alias, route].map(next);
    routing.move("openai/gpt-4o", "half_open");
    expect(await Promise.all(again)).toEqual(["SERVING", "SERVING", "SERVING"]);
    for (const stream of [target, alias, route]) stream.cancel();
  });

  it("is not sent again if only a key changed, or a target that works became closed", async () => {
    const stream = watch("openai/gpt-4o");
    const seen: string[] = [];
    stream.on("data", ({ status }: Health) => seen.push(status));
    await next(stream);
    routing.emit({ target: "openai/gpt-4o", key: "a", from: "usable", to: "cooling", reason: "PROVIDER_RATE_LIMITED" });
    routing.move("openai/gpt-4o", "half_open");
    routing.move("openai/gpt-4o", "closed");
    const changed = next(stream);
    routing.move("openai/gpt-4o", "open");
    await changed;
    expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
    stream.cancel();
  });

  it("is listed for routes and services, but not for targets, which can have any name", async () => {
    routing.move("openai/gpt-5.5", "open");
    const { statuses } = await call<{ statuses: Record<string, Health> }>("list", {});
    expect(statuses).toEqual({
      "": { status: "SERVING" },
      "dragoman.v1.ChatService": { status: "SERVING" },
      "dragoman.v1.EmbeddingService": { status: "SERVING" },
      "dragoman.v1.ModelService": { status: "SERVING" },
      "dragoman.v1.TokenService": { status: "SERVING" },
      "dragoman.admin.v1.RoutingService": { status: "SERVING" },
      "dragoman.admin.v1.KeyService": { status: "SERVING" },
      "dragoman.admin.v1.AccountService": { status: "SERVING" },
      "dragoman.admin.v1.UsageService": { status: "SERVING" },
      "dragoman.target/fast": { status: "SERVING" },
      "dragoman.target/chat/slow": { status: "NOT_SERVING" },
    });
  });

  it("is NOT_SERVING from the start of the shutdown, and the service then listens to no changes", async () => {
    const streams = [watch("openai/gpt-4o"), watch("fast"), watch("openai/other")];
    for (const stream of streams) expect(await next(stream)).toBe("SERVING");
    const ended = streams.map(next);
    const stopped = service.stop();
    expect(await Promise.all(ended)).toEqual(["NOT_SERVING", "NOT_SERVING", "NOT_SERVING"]);
    expect(routing.listeners).toBe(0);
    for (const stream of streams) stream.cancel();
    await stopped;
  });
});
