import { once } from "node:events";
import { type ClientReadableStream, credentials, makeClientConstructor } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { RoutingService } from "../../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { TargetState } from "../../../src/gen/dragoman/admin/v1/target_pb.js";
import type { StateChange } from "../../../src/routing/target-view.ts";
import { createLog } from "../../../src/telemetry/log.ts";
import { logStateChanges } from "../../../src/telemetry/state-changes.ts";
import { answers, cutsInBody, rejects, resets, stalls } from "../../support/chat-upstream.ts";
import type { TestService } from "../../support/service.ts";
import { forms, startRouted } from "./harness.ts";

const two = "[{ targets: [{ model: a/m }, { model: b/m }], balance: order }]";
const tiers = "[{ targets: [{ model: a/m }] }, { targets: [{ model: b/m }] }]";
const one = "[{ targets: [{ model: a/m }] }]";
const route = (names: string, more = "") =>
  `routes: { r: { tiers: ${names}, attempts: { max: 2, per_target: 1 }${more} } }\n`;
const short = "breaker: { open: 150ms, open_max: 150ms, ramp: 0 }";
/** Long enough for a few calls while the breaker is open. */
const longer = "breaker: { open: 600ms, open_max: 600ms, ramp: 0 }";

/** Resolves with the next change of the target a/m to a state. */
function changed(service: TestService, to: StateChange["to"]): Promise<StateChange> {
  return new Promise((resolve) => {
    const stop = service.routing.onChange((change) => {
      if (change.to !== to || change.target !== "a/m") return;
      stop();
      resolve(change);
    });
  });
}

const HealthClient = makeClientConstructor(healthService, "Health");

/** Watches the health of a target; `next` resolves with the next status. */
function watchHealth(service: TestService, name: string): () => Promise<string> {
  const client = new HealthClient(service.grpcAddress, credentials.createInsecure());
  onTestFinished(() => client.close());
  const stream: ClientReadableStream<{ status: string }> = client.watch?.({ service: `dragoman.target/${name}` });
  stream.on("error", () => {});
  return async () => (await once(stream, "data"))[0].status;
}

describe.each(forms)("a breaker, as %s", (form) => {
  it("opens after five failures in a row, and calls go to the other target until it works again", async () => {
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml: route(two) + longer });
    const lines: Record<string, unknown>[] = [];
    const stopLog = logStateChanges(
      service.routing,
      createLog("info", { write: (line) => void lines.push(JSON.parse(line)) }),
    );
    at.a.plays(rejects(503));
    const opened = changed(service, "open");
    const halfOpened = changed(service, "half_open");
    for (let index = 0; index < 5; index++) {
      expect((await call(form, { model: "r" })).recorded).toEqual(["a/m PROVIDER_UNAVAILABLE", "b/m"]);
    }
    expect(await opened).toMatchObject({ from: "closed", reason: "PROVIDER_UNAVAILABLE", forMs: expect.any(Number) });
    expect(await call(form, { model: "r" })).toMatchObject({ text: "b", recorded: ["b/m"] });
    expect(at.a.requests).toHaveLength(5);
    const list = () => service.client(RoutingService, "connect-json").listTargets({ route: "r" });
    const [open] = (await list()).targets;
    expect(open).toMatchObject({ name: "a/m", state: TargetState.OPEN, failureRatio: 1, attemptsInFlight: 0 });
    expect(open?.openUntil).toBeDefined();
    await halfOpened;
    expect((await list()).targets[0]?.state).toBe(TargetState.HALF_OPEN);
    // Half open: one call tries the target, which fails, so that it opens again.
    const again = changed(service, "open");
    const halfOpenedAgain = changed(service, "half_open");
    expect((await call(form, { model: "r" })).recorded).toEqual(["a/m PROVIDER_UNAVAILABLE", "b/m"]);
    expect(await again).toMatchObject({ from: "half_open" });
    await halfOpenedAgain;
    at.a.plays(answers("back"));
    const closed = changed(service, "closed");
    expect(await call(form, { model: "r" })).toMatchObject({ text: "back", recorded: ["a/m"] });
    await closed;
    expect(await call(form, { model: "r" })).toMatchObject({ text: "back" });
    stopLog();
    const [first, ...others] = lines;
    expect(first).toMatchObject({
      ...{ level: "warn", msg: "target changed state", target: "a/m" },
      ...{ from: "closed", to: "open", reason: "PROVIDER_UNAVAILABLE", for_ms: expect.any(Number) },
    });
    expect(others.at(-1)).toMatchObject({ level: "info", msg: "target changed state", target: "a/m", to: "closed" });
  });

  it("opens for resets and cut streams, but not for a status 4xx: a caller's mistake, a rate limit or another", async () => {
    const { call, at, service } = await startRouted({ providers: ["a"], yaml: route(one) + short });
    for (const status of [400, 404, 422, 429, 401, 408, 409, 424]) {
      at.a.plays(rejects(status));
      for (let index = 0; index < 6; index++) await call(form, { model: "a/other" });
    }
    expect(service.routing.targets().find(({ name }) => name === "a/other")).toMatchObject({
      state: "closed",
      failureRatio: 0,
    });
    at.a.plays(resets, cutsInBody, resets, cutsInBody, resets);
    const opened = changed(service, "open");
    for (let index = 0; index < 5; index++) await call(form, { model: "r" });
    await opened;
  });

  it("of the only target does not keep calls away from it", async () => {
    const { call, at, service } = await startRouted({ providers: ["a"], yaml: `${route(one)}breaker: { open: 60s }` });
    at.a.plays(rejects(503));
    const opened = changed(service, "open");
    for (let index = 0; index < 5; index++) await call(form, { model: "r" });
    await opened;
    expect(await call(form, { model: "r" })).toMatchObject({
      reason: "PROVIDER_UNAVAILABLE",
      recorded: ["a/m PROVIDER_UNAVAILABLE"],
    });
    at.a.plays(answers("back"));
    const closed = changed(service, "closed");
    expect(await call(form, { model: "r" })).toMatchObject({ text: "back", reason: "" });
    await closed;
  });
});

describe("a breaker", () => {
  it("in the last tier leaves at most a share of the targets out", async () => {
    const yaml = `${route(two)}breaker: { open: 60s, max_open_share: 0.5 }`;
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml });
    for (const upstream of [at.a, at.b]) upstream.plays(rejects(503));
    for (let index = 0; index < 5; index++) await call("gRPC unary", { model: "r" });
    expect(service.routing.targets("r").map(({ state }) => state)).toEqual(["open", "open"]);
    const asked = at.a.requests.length + at.b.requests.length;
    await call("gRPC unary", { model: "r" });
    expect(at.a.requests.length + at.b.requests.length).toBeGreaterThan(asked);
  });

  it("of a whole tier sends calls to the next tier, with a warning", async () => {
    const { call, at } = await startRouted({ providers: ["a", "b"], yaml: `${route(tiers)}breaker: { open: 60s }` });
    at.a.plays(resets);
    for (let index = 0; index < 5; index++) await call("gRPC stream", { model: "r" });
    const got = await call("gRPC stream", { model: "r" });
    expect(got).toMatchObject({ text: "b", recorded: ["b/m"], warnings: ["FELL_BACK"] });
    expect(got.fellBack).toEqual(["a/m failed too often before; b/m responds instead"]);
    expect(at.a.requests).toHaveLength(5);
  });

  it("that is half open takes one call at a time", async () => {
    const { call, at, service } = await startRouted({ providers: ["a", "b"], yaml: route(two) + short });
    at.a.plays(rejects(503));
    const halfOpened = changed(service, "half_open");
    for (let index = 0; index < 5; index++) await call("gRPC unary", { model: "r" });
    await halfOpened;
    at.a.plays(stalls);
    const controller = new AbortController();
    const trial = call("gRPC unary", { model: "r", signal: controller.signal });
    await at.a.received(6);
    const others = await Promise.all(Array.from({ length: 5 }, () => call("gRPC unary", { model: "r" })));
    expect(others.map(({ text }) => text)).toEqual(["b", "b", "b", "b", "b"]);
    expect(at.a.requests).toHaveLength(6);
    // The caller's cancel says nothing about the target: the next call tries it.
    controller.abort();
    await trial;
    at.a.plays(answers("back"));
    expect(await call("gRPC unary", { model: "r" })).toMatchObject({ text: "back" });
  });

  it("shows in health checks of the target and its route", async () => {
    const { call, at, service } = await startRouted({ providers: ["a"], yaml: route(one) + longer });
    const [target, whole] = [watchHealth(service, "a/m"), watchHealth(service, "r")];
    expect([await target(), await whole()]).toEqual(["SERVING", "SERVING"]);
    at.a.plays(rejects(503));
    const down = Promise.all([target(), whole()]);
    for (let index = 0; index < 5; index++) await call("gRPC unary", { model: "r" });
    expect(await down).toEqual(["NOT_SERVING", "NOT_SERVING"]);
    expect(await Promise.all([target(), whole()])).toEqual(["SERVING", "SERVING"]);
  });

  it("opens by the share of failures, too", async () => {
    const yaml = `${route(one)}breaker: { open: 60s, min_calls: 8, failure_ratio: 0.5 }`;
    const { call, at, service } = await startRouted({ providers: ["a"], yaml });
    for (let index = 0; index < 8; index++) {
      expect(service.routing.targets("r")[0]?.state).toBe("closed");
      at.a.plays(index % 2 === 0 ? answers("ok") : rejects(500));
      await call("gRPC unary", { model: "r" });
    }
    expect(service.routing.targets("r")[0]).toMatchObject({ state: "open", failureRatio: 0.5 });
  });

  it("counts a target once for calls by its own name and through routes", async () => {
    const { call, at, service } = await startRouted({
      providers: ["a", "b"],
      yaml: `${route(two)}breaker: { open: 60s }`,
    });
    at.a.plays(rejects(503));
    for (let index = 0; index < 3; index++) await call("gRPC unary", { model: "r" });
    const opened = changed(service, "open");
    await call("gRPC unary", { model: "a/m" });
    await opened;
    expect((await call("gRPC unary", { model: "r" })).recorded).toEqual(["b/m"]);
  });
});
