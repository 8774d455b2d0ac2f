import type { StoreMirror } from "./accounts/store-mirror.ts";
import type { ComponentStates, LedgerState } from "./component-states.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { ShipperState } from "./ledger/outbox/shipper.ts";
import type { RedisLimitStore } from "./state/redis-limit-store.ts";
import type { StoreThread } from "./store-thread.ts";

interface Components {
  readonly redis?: RedisLimitStore | undefined;
  readonly ledger?: Ledger | undefined;
  readonly store?: Pick<StoreThread, "shipper"> | undefined;
  readonly mirror?: StoreMirror | undefined;
}

/** Time in ms for which an answer of the thread counts: anybody can ask for the state, as often as they like. */
const freshMs = 1000;

/** Watches what the composed service consists of. */
export function watchComponents({ redis, ledger, store, mirror }: Components): ComponentStates {
  let asked: { readonly answer: Promise<ShipperState | undefined>; readonly atMs: number } | undefined;
  const shipperState = (): Promise<ShipperState | undefined> => {
    const nowMs = performance.now();
    if (asked === undefined || nowMs - asked.atMs >= freshMs) {
      const answer = store?.shipper.state().catch(() => undefined) ?? Promise.resolve(undefined);
      asked = { answer, atMs: nowMs };
    }
    return asked.answer;
  };
  return {
    sharedLimits() {
      if (redis === undefined) return undefined;
      const { shared, sinceMs, replicas, pending } = redis.state;
      return { shared, sinceMs, replicas, pending };
    },
    async ledger(): Promise<LedgerState | undefined> {
      if (ledger === undefined) return undefined;
      const shipper = await shipperState();
      const { waiting, written, late, dropped } = ledger.state();
      const database = shipper?.sinks.find(({ name }) => name === "database");
      // Without records to ship, only the reads of keys and accounts notice that the database is away.
      const responds = database && database.failure === undefined && mirror?.responds !== false;
      return { databaseResponds: responds, pendingBytes: shipper?.pendingBytes, waiting, written, late, dropped };
    },
    keyStore: () => mirror && { databaseResponds: mirror.responds },
  };
}
