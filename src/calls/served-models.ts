import { create } from "@bufbuild/protobuf";
import { abortable } from "../abortable.ts";
import { GatewayError, toGatewayError } from "../errors.ts";
import { AttemptSchema } from "../gen/dragoman/v1/attempt_pb.js";
import type { ServedModel } from "../models/served-model.ts";
import type { Adapter } from "../providers/adapter.ts";
import { type Clock, systemClock } from "../routing/clock.ts";

/** Age in ms from which a list is read again when somebody asks for it. */
const freshMs = 30_000;

/** Time in ms that a list is used while the server does not answer. */
const keptMs = 10 * 60_000;

/** Time in ms after a failure in which the server is not asked again. */
const pauseMs = 10_000;

/** Maximum time in ms of a request. */
const longestRequestMs = 5_000;

/** Maximum time in ms that a call waits for the lists of all servers together. Without them it goes on. */
const longestWaitMs = 1_000;

/** What is known of the models of one server. */
interface ServerList {
  models: readonly ServedModel[];
  /** Time at which `models` was read. Undefined: never. */
  readAtMs: number | undefined;
  /** Time before which the server is not asked again. */
  nextAtMs: number;
  /** Resolves at the end of the request in progress. Undefined: there is none. */
  running: Promise<void> | undefined;
}

interface ServedModelsOptions {
  /** Called with the name of the provider when a list could not be read. */
  readonly onFailure?: (provider: string, error: GatewayError) => void;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

/**
 * The models that servers list (`Adapter.listModels`). A list is read when somebody asks for it, and kept: the first call
 * waits for it, at most a second, and later ones get what is known while it is read again. Calls for chat or embeddings
 * do not depend on it.
 */
export class ServedModels {
  // An adapter that a reload replaces takes its list with it.
  readonly #lists = new WeakMap<Adapter, ServerList>();
  readonly #ending = new AbortController();
  readonly #onFailure: NonNullable<ServedModelsOptions["onFailure"]>;
  readonly #clock: Clock;

  constructor({ onFailure = () => {}, clock = systemClock }: ServedModelsOptions = {}) {
    this.#onFailure = onFailure;
    this.#clock = clock;
  }

  /** Returns the models that the servers of some adapters list, as far as they are known. Throws the signal's reason. */
  async of(adapters: Iterable<Adapter>, signal: AbortSignal): Promise<readonly ServedModel[]> {
    const lists = [...adapters].flatMap((adapter) =>
      adapter.listModels === undefined ? [] : this.#refreshed(adapter),
    );
    const awaited = lists.flatMap((list) => (this.#isUsable(list) ? [] : (list.running ?? [])));
    if (awaited.length > 0) {
      const late = Promise.withResolvers<void>();
      const stop = this.#clock.after(longestWaitMs, late.resolve);
      await abortable(Promise.race([Promise.all(awaited), late.promise]), signal).finally(stop);
    }
    return lists.flatMap((list) => (this.#isUsable(list) ? list.models : []));
  }

  /** Aborts the requests in progress. */
  close(): void {
    this.#ending.abort();
  }

  #isUsable({ readAtMs }: ServerList): boolean {
    return readAtMs !== undefined && this.#clock.now() - readAtMs < keptMs;
  }

  /** Returns the list of a server, and begins to read it again if it is due. */
  #refreshed(adapter: Adapter): ServerList {
    const known: ServerList = this.#lists.get(adapter) ?? {
      models: [],
      readAtMs: undefined,
      nextAtMs: Number.NEGATIVE_INFINITY,
      running: undefined,
    };
    this.#lists.set(adapter, known);
    if (known.running === undefined && this.#clock.now() >= known.nextAtMs && !this.#ending.signal.aborted) {
      known.running = this.#read(adapter, known).finally(() => {
        known.running = undefined;
      });
    }
    return known;
  }

  /** Never rejects. */
  async #read(adapter: Adapter, list: ServerList): Promise<void> {
    const timeout = new AbortController();
    const stop = this.#clock.after(longestRequestMs, () => {
      timeout.abort(new GatewayError("PROVIDER_TIMEOUT", `did not answer within ${longestRequestMs / 1000} seconds`));
    });
    const signal = AbortSignal.any([timeout.signal, this.#ending.signal]);
    try {
      const queue = { waitsFor: undefined };
      const read = await adapter.listModels?.({ holder: "", signal, attempt: create(AttemptSchema), queue });
      list.models = keepEqual(list.models, read ?? []);
      list.readAtMs = this.#clock.now();
      list.nextAtMs = list.readAtMs + freshMs;
    } catch (error) {
      list.nextAtMs = this.#clock.now() + pauseMs;
      if (!this.#ending.signal.aborted) this.#onFailure(adapter.name, toGatewayError(error));
    } finally {
      stop();
    }
  }
}

/** Returns the new models, with the former objects of those that are the same: descriptions are known by the object. */
function keepEqual(former: readonly ServedModel[], read: readonly ServedModel[]): readonly ServedModel[] {
  const known = new Map(former.map((model) => [model.providerModel, model]));
  return read.map((model) => {
    const same = known.get(model.providerModel);
    return same?.contextWindowTokens === model.contextWindowTokens ? same : model;
  });
}
