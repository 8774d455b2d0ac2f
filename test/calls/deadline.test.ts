import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ActiveCalls } from "../../src/calls/active-calls.ts";
import { Snapshots } from "../../src/calls/snapshot.ts";
import type { CallRecord } from "../../src/ledger/record.ts";
import { createCatalog } from "../../src/models/catalog.ts";
import { whenAborted } from "../../src/surfaces/kit/http-source.ts";
import { callBounds, callEnvironment } from "../support/call-environment.ts";

describe("a call with a deadline of 1000 ms that the client resets", () => {
  let records: CallRecord[];
  let client: AbortController;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    records = [];
    client = new AbortController();
    const snapshots = new Snapshots({
      authenticate: () => expect.fail("the call must not authenticate"),
      bounds: callBounds(),
      catalog: createCatalog([], []),
      adapters: new Map(),
    });
    const observers = [{ settled: (record: CallRecord) => void records.push(record) }];
    const calls = new ActiveCalls(snapshots, callEnvironment({ observers }));
    const source = {
      requestHeader: new Headers(),
      onGone: whenAborted(client.signal),
      protocolName: "grpc",
      peerAddress: "",
      timeoutMs: () => 1000,
    };
    calls.begin(source, { name: "CompleteChat", mayCost: true });
  });
  afterEach(() => vi.useRealTimers());

  it.each([
    [0, "cancelled"],
    [949, "cancelled"],
    [950, "deadline_exceeded"],
    [999, "deadline_exceeded"],
  ])("records a client reset after %d of 1000 ms as %s", (ms, outcome) => {
    vi.advanceTimersByTime(ms);
    client.abort();
    expect(records).toMatchObject([{ outcome }]);
  });

  it("writes one record with outcome deadline for a reset after the deadline", () => {
    vi.advanceTimersByTime(1000);
    client.abort();
    expect(records).toMatchObject([{ outcome: "deadline_exceeded", reason: "DEADLINE_EXCEEDED" }]);
  });
});
