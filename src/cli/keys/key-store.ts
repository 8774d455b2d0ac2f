import { durationFromMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { AccountStore, StoredKey } from "../../accounts/account-store.ts";
import { createKey, type NewKeySettings, revokeKey, rotateKey } from "../../accounts/manage-keys.ts";
import type { Role } from "../../config/account.ts";
import { type Key, KeyRole } from "../../gen/dragoman/admin/v1/key_pb.js";
import { KeyService } from "../../gen/dragoman/admin/v1/key_service_pb.js";
import { withAccountStore } from "../account-database.ts";
import { loadConfigFor } from "../load-config.ts";
import { type Connection, type ConnectionValues, withService } from "../remote/connection.ts";
import { allPages } from "../remote/pages.ts";
import { isRemote } from "../remote/place.ts";
import type { Shell } from "../shell.ts";

/** What `dragoman keys list` shows of a key. */
export interface ListedKey
  extends Pick<StoredKey, "id" | "displayName" | "role" | "accounts" | "models" | "expiresMs" | "revokedMs"> {
  /** Undefined: the configuration of the service has the key. */
  readonly createdMs: number | undefined;
}

/** A key's id, and the secret that nobody can read again. */
interface NewSecret {
  readonly id: string;
  readonly text: string;
}

/** Keys that a command reads and changes. */
interface KeyStore {
  create(settings: NewKeySettings): Promise<NewSecret>;
  list(): Promise<readonly ListedKey[]>;
  rotate(id: string, formerMs: number): Promise<NewSecret>;
  revoke(id: string): Promise<void>;
  /** Whether callers need no key. Undefined: not known. */
  readonly isOpen: boolean | undefined;
  /** Mode of authentication, if it is known. */
  readonly mode?: string;
}

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
    return withService(values, shell, (connection) => run(remoteKeys(connection)));
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

const roles: Readonly<Record<Role, KeyRole>> = {
  caller: KeyRole.CALLER,
  viewer: KeyRole.VIEWER,
  admin: KeyRole.ADMIN,
};

function remoteKeys({ client, callOptions }: Connection): KeyStore {
  const service = client(KeyService);
  return {
    isOpen: undefined,
    async create({ displayName, role, accounts, models = [], expiresMs }) {
      const expiry = expiresMs === undefined ? {} : { expireTime: timestampFromMs(expiresMs) };
      const lists = { accounts: [...accounts], models: [...models] };
      const key = { displayName, role: roles[role], ...lists, ...expiry };
      const { key: created, secret } = await service.createKey({ key }, callOptions());
      return { id: created?.id ?? "", text: secret };
    },
    list: async () => {
      const keys = await allPages(async (page) => {
        const { keys: items, nextPageToken } = await service.listKeys(page, callOptions());
        return { items, nextPageToken };
      });
      return keys.map(listedKey);
    },
    async rotate(id, formerMs) {
      const { secret } = await service.rotateKey({ id, oldSecretTtl: durationFromMs(formerMs) }, callOptions());
      return { id, text: secret };
    },
    async revoke(id) {
      await service.revokeKey({ id }, callOptions());
    },
  };
}

function listedKey({ id, displayName, role, accounts, models, createTime, expireTime, revokeTime }: Key): ListedKey {
  const roleName = (Object.keys(roles) as Role[]).find((name) => roles[name] === role) ?? "caller";
  return {
    ...{ id, displayName, accounts, models, role: roleName },
    createdMs: createTime && timestampMs(createTime),
    expiresMs: expireTime && timestampMs(expireTime),
    revokedMs: revokeTime && timestampMs(revokeTime),
  };
}
