import type { Directory } from "../accounts/directory.ts";
import type { Authenticate } from "../accounts/keys.ts";
import type { AttemptRules } from "../config/route.ts";
import type { Catalog } from "../models/catalog.ts";
import type { PriceList } from "../prices/price-list.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { Adapter } from "../providers/adapter.ts";
import type { CountingLimits } from "../tokens/counting-limits.ts";
import type { ServedModels } from "./served-models.ts";

/** Bounds of one call. */
export interface CallBounds {
  /** Maximum call duration in milliseconds. */
  readonly maxCallMs: number;
  /** Maximum time in milliseconds until a request is complete. */
  readonly maxRequestMs: number;
  /** Maximum concurrent calls per account and model. 0: no limit. Undefined: the profile's limit. */
  readonly maxCallsPerModel: number | undefined;
  /** Number of processes that divide the limits of profiles. The other bounds here are those of this process. */
  readonly workers: number;
  /** Maximum size of a response, in bytes. */
  readonly maxAnswerBytes: number;
  /** Maximum number of values of a request. */
  readonly maxValues: number;
  readonly counting: CountingLimits;
}

/**
 * What calls know of the configuration. A reload replaces it while the service runs. A call keeps the snapshot with
 * which it started.
 */
export interface Snapshot {
  readonly authenticate: Authenticate;
  readonly bounds: CallBounds;
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
  /** Models that servers list. Default: lists have only those of the catalog. */
  readonly served?: ServedModels;
  /** Adapters by provider name. */
  readonly adapters: ReadonlyMap<string, Adapter>;
}

/** What has adapters that close when nobody uses it any more. */
type HasAdapters = Pick<Snapshot, "adapters">;

/** Use of a snapshot by one call. The snapshot's adapters stay open until its release. */
export interface SnapshotLease<S extends HasAdapters = Snapshot> {
  readonly snapshot: S;
  /** Ends the use. Call it once, when the call has settled. */
  release(): void;
}

interface Holder<S> {
  readonly snapshot: S;
  leases: number;
}

/**
 * Leases the current snapshot to calls. When the last call of a replaced snapshot has settled, closes the adapters that
 * no other snapshot in use contains.
 */
export class Snapshots<S extends HasAdapters = Snapshot> {
  readonly #listeners = new Set<() => void>();
  #generation = 1;
  #current: Holder<S>;
  /** The current snapshot, and replaced snapshots that calls still use. */
  readonly #live: Set<Holder<S>>;

  constructor(first: S) {
    this.#current = { snapshot: first, leases: 0 };
    this.#live = new Set([this.#current]);
  }

  get current(): S {
    return this.#current.snapshot;
  }

  /** Number of the current snapshot, counted from 1. */
  get generation(): number {
    return this.#generation;
  }

  /** Calls the listener when a snapshot was replaced, and when the last call of a replaced one has settled. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  lease(): SnapshotLease<S> {
    const holder = this.#current;
    holder.leases++;
    return {
      snapshot: holder.snapshot,
      release: () => {
        holder.leases--;
        if (holder !== this.#current && holder.leases === 0) this.#retire(holder);
      },
    };
  }

  /** Makes `next` the snapshot for new calls. */
  replace(next: S): void {
    const replaced = this.#current;
    this.#current = { snapshot: next, leases: 0 };
    this.#live.add(this.#current);
    this.#generation++;
    if (replaced.leases === 0) this.#retire(replaced);
    else this.#changed();
  }

  /** Closes every adapter. */
  async close(): Promise<void> {
    await Promise.all([...this.#live].map((holder) => this.#drop(holder)));
  }

  /** Drops a replaced snapshot. Nobody waits for the connections of its adapters, and calls go on if one cannot close. */
  #retire(holder: Holder<S>): void {
    this.#drop(holder).catch(() => undefined);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  async #drop(holder: Holder<S>): Promise<void> {
    this.#live.delete(holder);
    const kept = new Set([...this.#live].flatMap(({ snapshot }) => [...snapshot.adapters.values()]));
    const unused = [...holder.snapshot.adapters.values()].filter((adapter) => !kept.has(adapter));
    await Promise.all(unused.map((adapter) => adapter.close?.()));
  }
}
