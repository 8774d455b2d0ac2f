import type { Authenticate } from "../accounts/keys.ts";
import type { Catalog } from "../models/catalog.ts";
import type { Adapter } from "../providers/adapter.ts";

/** Everything that a reload replaces. A call keeps the snapshot that it began with. */
export interface Snapshot {
  readonly authenticate: Authenticate;
  readonly catalog: Catalog;
  /** By provider. */
  readonly adapters: ReadonlyMap<string, Adapter>;
}

/** A snapshot in use by one call. */
export interface SnapshotLease {
  readonly snapshot: Snapshot;
  /** To be called once, when the call has settled. */
  release(): void;
}

interface Holder {
  readonly snapshot: Snapshot;
  leases: number;
}

/** Hands out the current snapshot. Adapters that a newer snapshot lacks are closed when their last call has settled. */
export class Snapshots {
  #current: Holder;
  /** The current one, and replaced ones that calls still use. */
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

  /** Calls that begin from now on get `next`. */
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
