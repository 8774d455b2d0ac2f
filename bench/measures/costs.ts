import { setTimeout } from "node:timers/promises";
import type { Bench, Server } from "../bench.ts";
import type { Ask } from "../load/jobs.ts";
import { atLeast, atMost, type Budget, type Figure, type Section, single, versus } from "../report.ts";
import { summarize } from "../statistics.ts";

/** A server that the service is compared with. */
export interface Peer {
  readonly server: Server;
  /** CPU time of the service relative to the peer's, or of a slower peer relative to the service's. */
  readonly isSlower: boolean;
  readonly unary?: Budget;
  /** Undefined: the peer has no streams that can be compared. */
  readonly stream?: Budget;
  /** Calls before the first round. */
  readonly warmCalls: number;
}

export const peers = {
  bare: { isSlower: false, unary: atMost(1.3), warmCalls: 20_000 },
  go: { isSlower: false, unary: atMost(2.5), stream: atMost(0.9), warmCalls: 5_000 },
  portkey: { isSlower: true, unary: atLeast(3), stream: atLeast(3), warmCalls: 10_000 },
  litellm: { isSlower: true, unary: atLeast(40), stream: atLeast(100), warmCalls: 300 },
} as const;

const concurrency = 16;
/** Calls of the service before its first round: it has compiled and optimized all its code by then. */
const warmCalls = 20_000;

const kinds = {
  unary: { name: "unary call", ask: { model: "bench-16" } },
  stream: { name: "stream of 64 joined deltas", ask: { model: "bench-64", stream: { keepProviderDeltas: false } } },
} as const satisfies Record<string, { readonly name: string; readonly ask: Ask }>;

type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as Kind[];

interface Measured {
  readonly server: Server;
  readonly kinds: readonly Kind[];
  readonly costs: Readonly<Record<Kind, number[]>>;
}

function measuredOf(server: Server, measuredKinds: readonly Kind[]): Measured {
  return { server, kinds: measuredKinds, costs: { unary: [], stream: [] } };
}

/** Sends calls to a server until it has answered this many. */
export async function warmUp(bench: Bench, server: Server, calls: number, ask: Ask): Promise<void> {
  for (let done = 0; done < calls; ) {
    const result = await bench.cost(server, { concurrency, durationMs: bench.scale.warmUpMs, ask });
    done += (result.callsPerSecond * bench.scale.warmUpMs) / 1000 || calls;
  }
}

async function measureRound(bench: Bench, all: readonly Measured[]): Promise<void> {
  for (const kind of kindNames) {
    for (const { server, kinds: own, costs } of all) {
      if (!own.includes(kind)) continue;
      const job = { concurrency, durationMs: bench.scale.roundMs, ask: kinds[kind].ask };
      costs[kind].push((await bench.cost(server, job)).microsecondsPerCall);
    }
  }
}

function figuresOf(service: Measured, others: readonly (readonly [Peer, Measured])[], when: string): Figure[] {
  return kindNames.flatMap((kind) => {
    const ours = service.costs[kind];
    const own: Figure = { name: `${kinds[kind].name}, ${when}: service`, unit: "µs", value: summarize(ours) };
    return [
      own,
      ...others.flatMap(([peer, { server, costs }]): Figure[] => {
        if (costs[kind].length === 0) return [];
        const [values, references] = peer.isSlower ? [costs[kind], ours] : [ours, costs[kind]];
        const name = peer.isSlower ? `${server.name} / service` : `service / ${server.name}`;
        return [versus(`${kinds[kind].name}, ${when}: ${name}`, "µs", "ratio", values, references, peer[kind])];
      }),
    ];
  });
}

/** Measures bytes that the service allocates on its heap per call. */
async function allocation(bench: Bench, kind: Kind): Promise<Figure> {
  const before = await bench.probe({ probe: "allocated" });
  const calls = await bench.count({ concurrency, durationMs: bench.scale.roundMs, ask: kinds[kind].ask });
  const bytes = (await bench.probe({ probe: "allocated" })) - before;
  return single(`${kinds[kind].name}: allocated on the heap`, "KiB", bytes / calls / 1024);
}

/**
 * Measures the CPU time of calls when warm and after idleness, in rounds in which each server has its turn: after
 * 20,000 calls, and in the first calls after each of the pauses.
 */
export async function measureCosts(bench: Bench, compared: readonly Peer[]): Promise<Section> {
  const newRun = () => ({
    service: measuredOf(bench.service, kindNames),
    others: compared.map((peer) => {
      const own = kindNames.filter((kind) => kind === "unary" || peer.stream !== undefined);
      return [peer, measuredOf(peer.server, own)] as const;
    }),
  });
  const [warm, idle] = [newRun(), newRun()];
  for (const { server, warmCalls: calls, stream } of [
    { server: bench.service, warmCalls, stream: true },
    ...compared,
  ]) {
    await warmUp(bench, server, calls, kinds.unary.ask);
    if (stream) await warmUp(bench, server, calls / 2, kinds.stream.ask);
  }
  const turns = ({ service, others }: typeof warm) => [service, ...others.map(([, measured]) => measured)];
  for (let round = 0; round < bench.scale.rounds; round++) await measureRound(bench, turns(warm));
  const allocations = [await allocation(bench, "unary"), await allocation(bench, "stream")];
  for (let round = 0; round < bench.scale.idleRounds; round++) {
    await setTimeout(bench.scale.idleMs);
    await measureRound(bench, turns(idle));
  }
  const figures = [
    ...figuresOf(warm.service, warm.others, "warm"),
    ...figuresOf(idle.service, idle.others, `after ${bench.scale.idleMs / 1000} s`),
    ...allocations,
  ];
  return { title: "CPU time per call, 16 at once", of: "first", against: "second", comparison: "ratio", figures };
}
