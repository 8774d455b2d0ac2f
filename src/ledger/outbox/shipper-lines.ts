import { Sampled } from "../../sampled.ts";
import type { LedgerLog } from "../ledger-log.ts";
import type { Damage } from "./source.ts";

/** Minimum time in ms between two lines about the same file or sink. */
const intervalMs = 1000;

/** Why a sink does not store records. */
interface SinkState {
  readonly sink: string;
  /** Undefined: it stores them again. */
  readonly reason: string | undefined;
}

/** Lines of the shipper that can repeat, at most one in a second for each file and each sink. */
export class ShipperLines {
  readonly #damages: Sampled<Damage>;
  readonly #states: Sampled<SinkState>;

  constructor(log: LedgerLog) {
    this.#damages = new Sampled({
      intervalMs,
      pass({ file, bytes }, omitted) {
        const fields = { file, bytes, ...counted(omitted) };
        log.warn(fields, "a segment of the outbox has bytes that are no record; they were skipped");
      },
    });
    this.#states = new Sampled({
      intervalMs,
      pass({ sink, reason }, omitted) {
        if (reason === undefined) log.info({ sink, ...counted(omitted) }, "call records are shipped again");
        else log.warn({ sink, reason, ...counted(omitted) }, "call records cannot be shipped; they wait in the outbox");
      },
    });
  }

  damage(damage: Damage): void {
    this.#damages.add(damage.file, damage);
  }

  state(state: SinkState): void {
    this.#states.add(state.sink, state);
  }

  /** Writes what is held, at once. */
  flush(): void {
    this.#damages.flush();
    this.#states.flush();
  }
}

function counted(omitted: number) {
  return omitted > 0 && { omitted };
}
