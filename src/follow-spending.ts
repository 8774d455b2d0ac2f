import { limitedAccount, limitedKey } from "./accounts/limits/claims.ts";
import { PastSpending } from "./accounts/limits/past-spending.ts";
import type { SpendingReader } from "./accounts/limits/spending-reader.ts";
import type { StoreMirror } from "./accounts/store-mirror.ts";
import type { Config } from "./config/config.ts";
import { describeError } from "./ledger/describe-error.ts";
import type { Log } from "./telemetry/log.ts";
import { SampledLog } from "./telemetry/sampled-log.ts";

/** What budgets have spent, which the process does not read before `start`. */
interface FollowedSpending {
  readonly past: PastSpending;
  /** Begins to read what the budgets of all keys and accounts have spent. */
  start(config: Pick<Config, "authentication" | "accounts">, mirror: StoreMirror | undefined): void;
}

/**
 * Creates what remembers from the ledger how much calls had spent of budgets before this process began. Logs if the
 * database stops or starts to respond. Call it before the first call of the process.
 *
 * @param sinceMs when the calls began that budgets count, in ms since 1970. Default: now
 */
export function followSpending(reader: SpendingReader, log: Log, sinceMs = Date.now()): FollowedSpending {
  const lines = new SampledLog(log);
  const past = new PastSpending({
    reader,
    sinceMs,
    onState(error) {
      const back = "the ledger responds again: budgets count what was spent before";
      const lost = "the ledger does not respond: budgets count only what this process spends";
      if (error === undefined) lines.write("", { level: "info", fields: {}, message: back });
      else lines.write("", { level: "warn", fields: { reason: describeError(error) }, message: lost });
    },
  });
  return {
    past,
    start({ authentication, accounts }, mirror) {
      past.prepare([...authentication.keys.map(limitedKey), ...accounts.map(limitedAccount)]);
      mirror?.refresh().then(
        () => past.prepare(mirror.limitedHolders()),
        // While the database is away, the process knows nobody of it.
        () => undefined,
      );
    },
  };
}
