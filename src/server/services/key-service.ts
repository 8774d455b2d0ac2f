import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { createKey, noKey, revokeKey, rotateKey } from "../../accounts/manage-keys.ts";
import type { StoreMirror } from "../../accounts/store-mirror.ts";
import type { Call } from "../../calls/call.ts";
import { requireValid } from "../../chat/validation/annotations.ts";
import { GatewayError } from "../../errors.ts";
import {
  CreateKeyRequestSchema,
  CreateKeyResponseSchema,
  type KeyService,
  ListKeysRequestSchema,
  ListKeysResponseSchema,
  RevokeKeyRequestSchema,
  RevokeKeyResponseSchema,
  RotateKeyRequestSchema,
  RotateKeyResponseSchema,
} from "../../gen/dragoman/admin/v1/key_service_pb.js";
import { paginateBy } from "../../models/paginate.ts";
import { keyMessage, keySettings } from "./account-messages.ts";
import { requireValidKey } from "./account-violations.ts";
import { answerCall } from "./admitted-call.ts";

/** Creates KeyService for both listeners. `mirror`: keys of the database. Undefined: there is no database. */
export function createKeyService(mirror: StoreMirror | undefined): ServiceImpl<typeof KeyService> {
  return {
    createKey: (request, context) =>
      answerCall(context, async () => {
        await requireValid(CreateKeyRequestSchema, request);
        if (request.key === undefined) throw new Error("the annotations require a key");
        requireValidKey(request.key);
        const settings = keySettings(request.key);
        const { key, text } = await requireMirror(mirror).change((store) => createKey(store, settings));
        return create(CreateKeyResponseSchema, { key: keyMessage(key), secret: text });
      }),

    listKeys: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(ListKeysRequestSchema, request);
        await mirror?.refresh();
        const { directory } = call.snapshot;
        const all = directory?.keyIds() ?? [];
        const { account } = request;
        const ids = account === "" ? all : all.filter((id) => directory?.key(id)?.accounts.includes(account));
        const { items, nextPageToken } = paginateBy(ids, (id) => id, request, "ListKeys");
        const keys = items.flatMap((id) => directory?.key(id) ?? []);
        return create(ListKeysResponseSchema, { keys: keys.map(keyMessage), nextPageToken });
      }),

    rotateKey: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(RotateKeyRequestSchema, request);
        const { id, oldSecretTtl } = request;
        const former = oldSecretTtl && Math.ceil(durationMs(oldSecretTtl));
        requireStored(call, id);
        const { key, text } = await requireMirror(mirror).change((store) => rotateKey(store, id, former));
        return create(RotateKeyResponseSchema, { key: keyMessage(key), secret: text });
      }),

    revokeKey: (request, context) =>
      answerCall(context, async (call) => {
        await requireValid(RevokeKeyRequestSchema, request);
        requireStored(call, request.id);
        const key = await requireMirror(mirror).change((store) => revokeKey(store, request.id));
        return create(RevokeKeyResponseSchema, { key: keyMessage(key) });
      }),
  };
}

/** Throws STORE_NOT_CONFIGURED if there is no database. */
export function requireMirror(mirror: StoreMirror | undefined): StoreMirror {
  if (mirror !== undefined) return mirror;
  throw new GatewayError(
    "STORE_NOT_CONFIGURED",
    "keys and accounts can be changed only with a database; configure store.database",
  );
}

/** Throws RESOURCE_NOT_FOUND for a key of the configuration. */
function requireStored({ snapshot }: Call, id: string): void {
  if (snapshot.directory?.isConfiguredKey(id)) throw noKey(id, "the configuration has it; change it there");
}
