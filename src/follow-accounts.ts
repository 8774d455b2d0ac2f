import type { AccountStore } from "./accounts/account-store.ts";
import { type ConfiguredIds, StoreMirror } from "./accounts/store-mirror.ts";
import type { Config } from "./config/config.ts";
import { describeError } from "./ledger/describe-error.ts";
import type { Log } from "./telemetry/log.ts";
import { SampledLog } from "./telemetry/sampled-log.ts";

/** Keys and accounts of a database, which the process does not follow before `start`. */
interface FollowedAccounts {
  readonly mirror: StoreMirror;
  start(): void;
  /** Follows a reloaded configuration. */
  setConfig(config: AccountsConfig): void;
}

type AccountsConfig = Pick<Config, "authentication" | "accounts">;

/**
 * Creates the mirror of the keys and accounts of a database. Logs if the database stops or starts to respond, what has no
 * effect, and that callers need a key while there is none.
 */
export function followAccounts(store: AccountStore, config: AccountsConfig, log: Log): FollowedAccounts {
  const lines = new SampledLog(log);
  const mirror = new StoreMirror({
    store,
    configured: configuredIds(config),
    onState(error) {
      const back = "the database of keys and accounts responds again";
      const lost = "the database of keys and accounts does not respond";
      if (error === undefined) return lines.write("", { level: "info", fields: {}, message: back });
      const reason = describeError(error.cause ?? error);
      lines.write("", { level: "warn", fields: { reason }, message: lost });
    },
    onIgnored: (why) => log.warn({ why }, "a key or account of the database has no effect"),
  });
  const warnWithoutKeys = ({ authentication }: AccountsConfig): void => {
    if (authentication.mode !== "keys" || authentication.keys.length > 0) return;
    mirror.refresh().then(
      () => mirror.keyIds.length === 0 && log.warn("nobody has a key: `dragoman keys create --role admin` makes one"),
      () => undefined,
    );
  };
  return {
    mirror,
    start() {
      mirror.start();
      warnWithoutKeys(config);
    },
    setConfig(next) {
      mirror.setConfigured(configuredIds(next));
      warnWithoutKeys(next);
    },
  };
}

function configuredIds({ authentication, accounts }: AccountsConfig): ConfiguredIds {
  const idsOf = (entries: readonly { readonly id: string }[]) => new Set(entries.map(({ id }) => id));
  return { keys: idsOf(authentication.keys), accounts: idsOf(accounts) };
}
