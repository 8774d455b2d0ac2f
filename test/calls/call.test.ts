import { describe, expect, it, vi } from "vitest";
import type { Caller } from "../../src/accounts/keys.ts";
import { ActiveCalls } from "../../src/calls/active-calls.ts";
import type { CallSource } from "../../src/calls/call-environment.ts";
import { Snapshots } from "../../src/calls/snapshot.ts";
import { GatewayError } from "../../src/errors.ts";
import type { CallObserver } from "../../src/ledger/call-observer.ts";
import { createCatalog } from "../../src/models/catalog.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { createEcho } from "../../src/providers/echo/index.ts";
import { whenAborted } from "../../src/surfaces/kit/http-source.ts";
import { callBounds, callEnvironment } from "../support/call-environment.ts";

const caller: Caller = {
  keyId: "",
  accounts: [],
  defaultAccount: undefined,
  requireAccount: false,
  role: "caller",
  roleAdvice: "",
};
const catalog = createCatalog([], []);

function snapshotOf(...adapters: readonly Adapter[]) {
  return {
    authenticate: () => caller,
    bounds: callBounds(),
    catalog,
    adapters: new Map(adapters.map((adapter) => [adapter.name, adapter])),
  };
}

function source(): CallSource & { leave(): void } {
  const gone = new AbortController();
  return {
    requestHeader: { get: () => null },
    onGone: whenAborted(gone.signal),
    protocolName: "grpc",
    peerAddress: "192.0.2.1",
    timeoutMs: () => undefined,
    leave: () => gone.abort(),
  };
}

function callsWith(observers: readonly CallObserver[], snapshots = new Snapshots(snapshotOf())) {
  return new ActiveCalls(snapshots, callEnvironment({ observers }));
}

describe("call observers", () => {
  it("notifies observers of the start, the first output and the only record, in order", () => {
    const heard: unknown[] = [];
    const call = callsWith([
      {
        begin: ({ method }) => heard.push(["begin", method]),
        firstOutput: (_, elapsedMs) => heard.push(["firstOutput", elapsedMs > 0]),
        settled: ({ outcome }, error) => {
          heard.push(["settled", outcome, error?.reason]);
          return undefined;
        },
      },
    ]).begin(source(), { name: "StreamChat", mayCost: true });
    call.outputStarted();
    call.outputStarted();
    call.settle();
    call.settle(new GatewayError("INTERNAL", "too late"));
    call.end(new GatewayError("SHUTTING_DOWN", "too late"));
    expect(heard).toEqual([
      ["begin", "StreamChat"],
      ["firstOutput", true],
      ["settled", "ok", undefined],
    ]);
  });

  it("isolates the call and other observers from an observer that throws", () => {
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const broken: CallObserver = {
      begin: () => {
        throw new Error("disk full");
      },
      settled: () => {
        throw new RangeError("no such date");
      },
    };
    const records: string[] = [];
    const call = callsWith([broken, { settled: ({ id }) => void records.push(id) }]).begin(source(), {
      name: "StreamChat",
      mayCost: true,
    });
    call.settle();
    expect(records).toEqual([call.id]);
    expect(warning.mock.calls).toEqual([
      [`an observer of call ${call.id} failed: Error`],
      [`an observer of call ${call.id} failed: RangeError`],
    ]);
    warning.mockRestore();
  });

  it("writes one record for a client that disconnects before its call is read", async () => {
    const outcomes: string[] = [];
    const calls = callsWith([{ settled: ({ outcome }) => void outcomes.push(outcome) }]);
    const gone = source();
    gone.leave();
    calls.begin(gone, { name: "StreamChat", mayCost: true });
    expect(outcomes).toEqual(["cancelled"]);
    await calls.idle();
  });
});

describe("a replaced snapshot", () => {
  const closing = (name: string, closed: string[]): Adapter => ({
    ...createEcho(),
    name,
    close: async () => void closed.push(name),
  });

  it("keeps a replaced snapshot until the last of its calls settles", () => {
    const closed: string[] = [];
    const snapshots = new Snapshots(snapshotOf(closing("old", closed)));
    const calls = callsWith([], snapshots);
    const [first, second] = [
      calls.begin(source(), { name: "a", mayCost: true }),
      calls.begin(source(), { name: "b", mayCost: true }),
    ];
    snapshots.replace(snapshotOf(closing("new", closed)));
    expect([...first.snapshot.adapters.keys()]).toEqual(["old"]);
    expect([...calls.begin(source(), { name: "c", mayCost: true }).snapshot.adapters.keys()]).toEqual(["new"]);
    first.settle();
    expect(closed).toEqual([]);
    second.settle();
    expect(closed).toEqual(["old"]);
  });

  it("keeps adapters open that the next snapshot also has", () => {
    const closed: string[] = [];
    const kept = closing("kept", closed);
    const snapshots = new Snapshots(snapshotOf(kept, closing("gone", closed)));
    snapshots.replace(snapshotOf(kept));
    expect(closed).toEqual(["gone"]);
  });

  it("closes the adapters of each snapshot once when the service closes", async () => {
    const closed: string[] = [];
    const snapshots = new Snapshots(snapshotOf(closing("old", closed)));
    const call = callsWith([], snapshots).begin(source(), { name: "a", mayCost: true });
    snapshots.replace(snapshotOf(closing("new", closed)));
    call.settle();
    await snapshots.close();
    expect(closed.toSorted()).toEqual(["new", "old"]);
  });
});
