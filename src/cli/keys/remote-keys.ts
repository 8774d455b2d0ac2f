import { durationFromMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Role } from "../../config/account.ts";
import { type Key, KeyRole } from "../../gen/dragoman/admin/v1/key_pb.js";
import { KeyService } from "../../gen/dragoman/admin/v1/key_service_pb.js";
import { type Connection, withService } from "../remote/connection.ts";
import type { ConnectionValues } from "../remote/connection-options.ts";
import { allPages } from "../remote/pages.ts";
import type { Shell } from "../shell.ts";
import type { KeyStore, ListedKey } from "./keys.ts";

/** Runs a command with the keys of a running service. */
export function withRemoteKeys<Result>(
  values: ConnectionValues,
  shell: Shell,
  run: (keys: KeyStore) => Promise<Result>,
): Promise<Result> {
  return withService(values, shell, (connection) => run(remoteKeys(connection)));
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
