import type { AccountStore, StoredKey } from "../../accounts/account-store.ts";
import { createKey, revokeKey, rotateKey } from "../../accounts/manage-keys.ts";
import { withAccountStore } from "../account-database.ts";
import { loadConfigFor } from "../load-config.ts";
import type { ConnectionValues } from "../remote/connection-options.ts";
import { isRemote } from "../remote/place.ts";
import type { Shell } from "../shell.ts";
import type { KeyStore } from "./keys.ts";

/**
 * Runs a command with the keys of a running service, or with those in the database of a configuration. Rejects with
 * CommandError. Throws UsageError.
 */
export async function withKeys<Result>(
  values: ConnectionValues & { readonly config?: string },
  shell: Shell,
  run: (keys: KeyStore) => Promise<Result>,
): Promise<Result> {
  if (isRemote(values, shell.environment)) {
    const { withRemoteKeys } = await import("./remote-keys.ts");
    return withRemoteKeys(values, shell, run);
  }
  const config = await loadConfigFor(values.config, shell.environment);
  return withAccountStore(config, (store) => run({ ...databaseKeys(store), ...modeOf(config.authentication) }));
}

function modeOf({ mode }: { readonly mode: string }): Pick<KeyStore, "isOpen" | "mode"> {
  return { isOpen: mode !== "keys", mode };
}

function databaseKeys(store: AccountStore): Omit<KeyStore, "isOpen"> {
  return {
    async create(settings) {
      const { key, text } = await createKey(store, settings);
      return { id: key.id, text };
    },
    async list() {
      const keys: StoredKey[] = [];
      let revision = 0;
      for (let more = true; more; ) {
        const changes = await store.changesAfter(revision);
        keys.push(...changes.keys);
        ({ more, revision } = changes);
      }
      return keys;
    },
    async rotate(id, formerMs) {
      const { text } = await rotateKey(store, id, formerMs);
      return { id, text };
    },
    async revoke(id) {
      await revokeKey(store, id);
    },
  };
}
