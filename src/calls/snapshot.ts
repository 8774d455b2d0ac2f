import type { Directory } from "../accounts/directory.ts";
import type { Authenticate } from "../accounts/keys.ts";
import type { AttemptRules } from "../config/route.ts";
import type { Catalog } from "../models/catalog.ts";
import type { PriceList } from "../prices/price-list.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { Adapter } from "../providers/adapter.ts";

/**
 * Everything that can be replaced while the service runs. A call keeps the snapshot with which it started. The service
 * does not reload its configuration yet, so it has only one snapshot.
 */
export interface Snapshot {
  readonly authenticate: Authenticate;
  /** Keys and accounts. Default: no account has settings. */
  readonly directory?: Directory;
  readonly catalog: Catalog;
  /** Prices of models, configured or published. Default: all are unknown. */
  readonly prices?: PriceList;
  /** Whether to reject requests with provider options. Default false. */
  readonly rejectsOptions?: boolean;
  /** Top-level `profile` of the configuration: of requests that no other profile applies to. Default: plain. */
  readonly profile?: ProfileName;
  /** Ids of the configured routes, ordered. Default: none. */
  readonly routes?: readonly string[];
  /** Rules for models that are called by their own names. Default: `plainRules` in config/route.ts. */
  readonly plainRules?: AttemptRules;
  /** Adapters by provider name. */
  readonly adapters: ReadonlyMap<string, Adapter>;
}

/** Use of a snapshot by one call. The snapshot's adapters stay open until its release. */
export interface SnapshotLease {
  readonly snapshot: Snapshot;
  /** Ends the use. Call it once, when the call has settled. */
  release(): void;
}

interface Holder {
  readonly snapshot: Snapshot;
  leases: number;
}

/**
 * Leases the current snapshot to calls. When the last call of a replaced snapshot has settled, closes the adapters that
 * no newer snapshot contains.
 */
export class Snapshots {
  #current: Holder;
  /** The current snapshot, and replaced snapshots that calls still use. */
  readonly #live: Set<Holder>;

  constructor(first: Snapshot) {
    this.#current = { snapshot: first, leases: 0 };
    this.#live = new Set([this.#current]);
  }

  get current(): Snapshot {
    return this.#current.snapshot;
  }

  lease(): SnapshotLease {
    const holder = this.#current;
    holder.leases++;
    return {
      snapshot: holder.snapshot,
      release: () => {
        holder.leases--;
        if (holder !== this.#current && holder.leases === 0) void this.#drop(holder);
      },
    };
  }

  /** Makes `next` the snapshot for new calls. */
  replace(next: Snapshot): void {
    const replaced = this.#current;
    this.#current = { snapshot: next, leases: 0 };
    this.#live.add(this.#current);
    if (replaced.leases === 0) void this.#drop(replaced);
  }

  /** Closes every adapter. */
  async close(): Promise<void> {
    await Promise.all([...this.#live].map((holder) => this.#drop(holder)));
  }

  async #drop(holder: Holder): Promise<void> {
    this.#live.delete(holder);
    const kept = new Set([...this.#live].flatMap(({ snapshot }) => [...snapshot.adapters.values()]));
    const unused = [...holder.snapshot.adapters.values()].filter((adapter) => !kept.has(adapter));
    await Promise.all(unused.map((adapter) => adapter.close?.()));
  }
}
