import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Role } from "../../src/config/config.ts";
import { RoutingService } from "../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { type Target, TargetState } from "../../src/gen/dragoman/admin/v1/target_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { anyTargets, RoutingViewInMemory, targetView } from "../support/routing-view.ts";
import { type ConfigChange, protocols, requireKey, startTestService, type TestService } from "../support/service.ts";
import { callRaw, endingOfGrpc, frame, openGrpc } from "./raw-calls.ts";

const path = "/dragoman.admin.v1.RoutingService/ListTargets";

let service: TestService | undefined;
afterEach(() => service?.stop());

async function start(routing: RoutingViewInMemory, change?: ConfigChange): Promise<TestService> {
  service = await startTestService({}, change, undefined, [], { routing });
  return service;
}

const infoOf = (error: unknown) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0];

/** Gives the key `right` a role. */
const withRole =
  (role: Role): ConfigChange =>
  (config) => {
    const { authentication, ...rest } = requireKey(config);
    return {
      ...rest,
      authentication: { ...authentication, keys: authentication.keys.map((key) => ({ ...key, role })) },
    };
  };

const mode =
  (name: "loopback" | "off"): ConfigChange =>
  (config) => ({ ...config, authentication: { ...config.authentication, mode: name } });

/** Reads all pages. `between`: called after each page. */
async function readPages(pageSize: number, filter: object = {}, between = () => {}): Promise<Target[]> {
  const client = service?.client(RoutingService, "connect");
  const seen: Target[] = [];
  let pageToken = "";
  do {
    const page = await client?.listTargets({ ...filter, pageSize, pageToken });
    seen.push(...(page?.targets ?? []));
    pageToken = page?.nextPageToken ?? "";
    between();
  } while (pageToken !== "");
  return seen;
}

describe("ListTargets", () => {
  it.each(protocols)("shows the state, the keys and the learned parameters of a target over %s", async (protocol) => {
    const untilMs = Date.parse("2026-12-01T12:00:00Z");
    const { client } = await start(
      new RoutingViewInMemory([
        targetView("openai/gpt-5.5", {
          state: "open",
          failureRatio: 0.75,
          firstOutputMs: 412.6,
          openUntilMs: untilMs,
          inFlight: 2,
          queueLength: 3,
          keys: [
            { name: "a", coolUntilMs: untilMs, reason: "PROVIDER_RATE_LIMITED" },
            { name: "b", coolUntilMs: undefined, reason: "" },
          ],
          learned: [
            { name: "max_tokens", otherName: "max_completion_tokens", rejection: "unknown field", untilMs },
            { name: "stream_options", rejection: "not allowed", untilMs },
          ],
        }),
      ]),
    );
    const at = { seconds: BigInt(untilMs / 1000), nanos: 0 };
    const { targets, nextPageToken } = await client(RoutingService, protocol).listTargets({});
    expect(nextPageToken).toBe("");
    expect(targets).toMatchObject([
      {
        name: "openai/gpt-5.5",
        state: TargetState.OPEN,
        failureRatio: 0.75,
        firstOutputDuration: { seconds: 0n, nanos: 413_000_000 },
        openUntil: at,
        attemptsInFlight: 2,
        queueLength: 3,
        keys: [
          { name: "a", coolUntil: at, reason: "PROVIDER_RATE_LIMITED" },
          { name: "b", reason: "" },
        ],
        learnedParameters: [
          { field: "max_tokens", replacedBy: "max_completion_tokens", rejection: "unknown field", expireTime: at },
          { field: "stream_options", replacedBy: "", rejection: "not allowed", expireTime: at },
        ],
      },
    ]);
    expect(targets[0]?.keys[1]?.coolUntil).toBeUndefined();
  });

  it("carries any state over all pages, ordered by name and without loss", async () => {
    const routing = new RoutingViewInMemory();
    await start(routing);
    await fc.assert(
      fc.asyncProperty(anyTargets, fc.integer({ min: 1, max: 9 }), async (views, pageSize) => {
        for (const { name } of routing.targets()) routing.remove(name);
        for (const view of views) routing.add(view);
        const seen = await readPages(pageSize);
        const expected = routing.targets();
        expect(seen.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
        for (const [index, target] of seen.entries()) {
          const view = expected[index];
          expect(TargetState[target.state].toLowerCase()).toBe(view?.state);
          expect(target.failureRatio).toBe(view?.failureRatio);
          expect(target.openUntil && timestampMs(target.openUntil)).toBe(view?.openUntilMs);
          if (view?.firstOutputMs === undefined) expect(target.firstOutputDuration).toBeUndefined();
          else
            expect(target.firstOutputDuration && durationMs(target.firstOutputDuration)).toBe(
              Math.round(view.firstOutputMs),
            );
          expect(target.keys.map(({ name, reason }) => [name, reason])).toEqual(
            view?.keys.map(({ name, reason }) => [name, reason]),
          );
          expect(target.learnedParameters.map(({ field, replacedBy }) => [field, replacedBy])).toEqual(
            view?.learned.map(({ name, otherName = "" }) => [name, otherName]),
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  it("skips and repeats no target that exists throughout, if targets appear and vanish between pages", async () => {
    const routing = new RoutingViewInMemory();
    await start(routing);
    const changes = fc.array(fc.tuple(anyTargets, fc.boolean()), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(anyTargets, changes, fc.integer({ min: 1, max: 5 }), async (views, steps, pageSize) => {
        for (const { name } of routing.targets()) routing.remove(name);
        for (const view of views) routing.add(view);
        const touched = new Set(steps.flatMap(([others]) => others.map(({ name }) => name)));
        let step = 0;
        const seen = await readPages(pageSize, {}, () => {
          const [others, adds] = steps[step++] ?? [[], true];
          for (const other of others) adds ? routing.add(other) : routing.remove(other.name);
        });
        const names = seen.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        const lasting = views.map(({ name }) => name).filter((name) => !touched.has(name));
        expect(names).toEqual(expect.arrayContaining(lasting));
      }),
      { numRuns: 40 },
    );
  });

  it("lists only the targets of a route, also those without calls", async () => {
    const views = ["a/1", "b/2", "c/3"].map((name) => targetView(name, { inFlight: 1 }));
    await start(new RoutingViewInMemory(views, { fast: ["c/3", "d/4", "a/1"], slow: ["b/2"] }));
    const names = async (route: string) => (await readPages(1, { route })).map(({ name }) => name);
    expect(await names("fast")).toEqual(["a/1", "c/3", "d/4"]);
    expect(await names("slow")).toEqual(["b/2"]);
    expect(await names("")).toEqual(["a/1", "b/2", "c/3"]);
  });

  it.each([
    ["chat-fats", /^there is no route chat-fats; did you mean chat-fast\?$/],
    ["openai/gpt-5.5", /^there is no route openai\/gpt-5\.5; leave `route` empty for all targets$/],
  ])("answers NOT_FOUND for the unknown route %s", async (route, message) => {
    await start(new RoutingViewInMemory([], { "chat-fast": ["openai/gpt-5.5"] }));
    const error = await readPages(10, { route }).catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: expect.stringMatching(message) });
    expect(infoOf(error)).toMatchObject({ reason: "RESOURCE_NOT_FOUND", metadata: { route } });
  });

  it.each([
    [{ pageSize: -1 }, "page_size"],
    [{ pageToken: "x" }, "page_token"],
    [{ route: "x".repeat(257) }, "route"],
  ])("names the invalid field of %j", async (invalid, field) => {
    const { client } = await start(new RoutingViewInMemory([], { ["x".repeat(257)]: ["a/1"] }));
    const error = await client(RoutingService, "grpc")
      .listTargets(invalid)
      .catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringContaining(field) });
  });

  it("is a call with a record", async () => {
    const { client, nextRecord } = await start(new RoutingViewInMemory());
    await client(RoutingService, "grpc").listTargets({}, { headers: { "x-request-id": "r1" } });
    expect(await nextRecord()).toMatchObject({ method: "ListTargets", requestId: "r1", outcome: "ok", attempts: [] });
  });
});

describe.each(protocols)("the role that ListTargets requires, over %s", (protocol) => {
  const list = (headers: Record<string, string> = {}) =>
    service?.client(RoutingService, protocol).listTargets({}, { headers });

  it.each(["viewer", "admin"] as const)("is held by a key with the role %s, also behind a proxy", async (role) => {
    await start(new RoutingViewInMemory([targetView("a/1")]), withRole(role));
    expect((await list({ "x-api-key": "right", via: "1.1 proxy" }))?.targets).toHaveLength(1);
  });

  it("is not held by other keys, and the error says which role is needed and how to get it", async () => {
    const { nextRecord } = await start(new RoutingViewInMemory(), withRole("caller"));
    const error = await list({ "x-api-key": "right" })?.catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: expect.stringMatching(/viewer or admin.*authentication\.keys/),
    });
    expect(infoOf(error)).toMatchObject({
      reason: "ROLE_NOT_ALLOWED",
      metadata: { role: "caller", required_role: "viewer" },
    });
    expect(await nextRecord()).toMatchObject({ method: "ListTargets", reason: "ROLE_NOT_ALLOWED", keyId: "team-a" });
  });

  it.each([
    ["no key", {}, "CREDENTIALS_MISSING"],
    ["a wrong key", { "x-api-key": "wrong" }, "CREDENTIALS_INVALID"],
  ])("is decided after the key: %s", async (_, headers, reason) => {
    await start(new RoutingViewInMemory(), withRole("admin"));
    expect(infoOf(await list(headers)?.catch((thrown: unknown) => thrown))?.reason).toBe(reason);
  });

  it("is held by every direct caller in mode loopback", async () => {
    await start(new RoutingViewInMemory([targetView("a/1")]), mode("loopback"));
    expect((await list())?.targets).toHaveLength(1);
  });

  it.each([
    ["forwarded", "for=192.0.2.1"],
    ["x-forwarded-for", "192.0.2.1"],
    ["x-forwarded-for", ""],
    ["via", "1.1 proxy"],
  ])("is not held in mode loopback by a request with %s: %j", async (name, value) => {
    await start(new RoutingViewInMemory(), mode("loopback"));
    const error = await list({ [name]: value })?.catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({ code: Code.PermissionDenied, rawMessage: expect.stringContaining(name) });
  });

  it("is held by nobody in mode off", async () => {
    await start(new RoutingViewInMemory(), mode("off"));
    expect(infoOf(await list()?.catch((thrown: unknown) => thrown))?.reason).toBe("ROLE_NOT_ALLOWED");
  });

  it("does not apply to calls of models", async () => {
    const { modelClient } = await start(new RoutingViewInMemory(), mode("off"));
    expect((await modelClient(protocol).listModels({}, { headers: { via: "1.1 proxy" } })).models).not.toEqual([]);
  });
});

describe("access to ListTargets is decided on the headers", () => {
  it.each(["grpc", "connect unary", "grpc-web"] as const)("before the request is decoded, over %s", async (wire) => {
    const started = await start(new RoutingViewInMemory(), mode("off"));
    const bytes = Buffer.from([0xff, 0xff]);
    const body = wire === "connect unary" ? bytes : frame(bytes);
    const ending = await callRaw(wire, started, { path, body });
    expect(ending).toMatchObject({ code: Code.PermissionDenied, info: { reason: "ROLE_NOT_ALLOWED" } });
  });

  it("before the body of a gRPC request arrives", async () => {
    const { grpcAddress } = await start(new RoutingViewInMemory(), mode("off"));
    const ending = await endingOfGrpc(openGrpc(grpcAddress, { path }));
    expect(ending).toMatchObject({ code: Code.PermissionDenied, info: { reason: "ROLE_NOT_ALLOWED" } });
  });

  it.each([
    "application/json",
    "application/proto",
    "application/grpc-web+proto",
  ])("before the body of an HTTP request with %s arrives", async (type) => {
    const { httpAddress } = await start(new RoutingViewInMemory(), mode("off"));
    const headers = { "content-type": type, "content-length": "1000" };
    const sent = request(`http://${httpAddress}${path}`, { method: "POST", headers });
    sent.flushHeaders();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const received = JSON.stringify(response.headers) + (await text(response));
    // gRPC-Web percent-encodes the message.
    expect(decodeURIComponent(received)).toContain("requires the role viewer or admin");
    sent.destroy();
  });
});
