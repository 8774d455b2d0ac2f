import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { abortable } from "../../abortable.ts";
import { requireValid } from "../../chat/validation/annotations.ts";
import { GatewayError } from "../../errors.ts";
import {
  GetCallRequestSchema,
  GetCallResponseSchema,
  ListCallsRequestSchema,
  ListCallsResponseSchema,
  QueryUsageRequestSchema,
  QueryUsageResponseSchema,
  type UsageRow,
  UsageRowSchema,
  type UsageService,
} from "../../gen/dragoman/admin/v1/usage_service_pb.js";
import type { UsageReader, UsageSum } from "../../ledger/usage-reader.ts";
import { limitPageSize } from "../../page.ts";
import { answerCall } from "./admitted-call.ts";
import { makePlaceToken, readPlaceToken } from "./page-places.ts";
import { toCallsQuery, toUsageQuery } from "./usage-requests.ts";
import { requireAccount, scopeOf } from "./usage-scope.ts";

/**
 * Creates UsageService for both listeners.
 *
 * @param ledger undefined: the service has no ledger, and every method fails with STORE_NOT_CONFIGURED
 */
export function createUsageService(ledger: UsageReader | undefined): ServiceImpl<typeof UsageService> {
  return {
    queryUsage: (request, context) =>
      answerCall(context, async ({ caller, signal }) => {
        await requireValid(QueryUsageRequestSchema, request);
        const scope = scopeOf(caller, "QueryUsage");
        requireAccount(scope, request.account);
        const place = readPlaceToken(QueryUsageRequestSchema, request, "QueryUsage");
        // The range ends for all pages where it ended for the first one.
        const [endMs = Date.now(), startMs] = place?.times ?? [];
        const query = toUsageQuery(request, endMs);
        const after = startMs === undefined ? undefined : { startMs, groups: place?.texts ?? [] };
        const size = limitPageSize(request.pageSize);
        const found = requireLedger(ledger).queryUsage({ ...query, limit: size + 1, after }, scope);
        const { items, last } = firstOf(await abortable(found, signal), size);
        return create(QueryUsageResponseSchema, {
          rows: items.map(toRow),
          ...(last && {
            nextPageToken: makePlaceToken(QueryUsageRequestSchema, request, {
              times: [query.endMs, last.startMs],
              texts: last.groups,
            }),
          }),
        });
      }),
    listCalls: (request, context) =>
      answerCall(context, async ({ caller, signal }) => {
        await requireValid(ListCallsRequestSchema, request);
        const scope = scopeOf(caller, "ListCalls");
        requireAccount(scope, request.account);
        const place = readPlaceToken(ListCallsRequestSchema, request, "ListCalls");
        const { times: [startMs] = [], texts: [id = ""] = [] } = place ?? {};
        const before = startMs === undefined ? undefined : { startMs, id };
        const size = limitPageSize(request.pageSize);
        const found = requireLedger(ledger).listCalls({ ...toCallsQuery(request), limit: size + 1, before }, scope);
        const { items, last } = firstOf(await abortable(found, signal), size);
        return create(ListCallsResponseSchema, {
          calls: [...items],
          ...(last && {
            nextPageToken: makePlaceToken(ListCallsRequestSchema, request, {
              times: [last.startTime === undefined ? 0 : timestampMs(last.startTime)],
              texts: [last.id],
            }),
          }),
        });
      }),
    getCall: (request, context) =>
      answerCall(context, async ({ caller, signal }) => {
        await requireValid(GetCallRequestSchema, request);
        const { id } = request;
        const call = await abortable(requireLedger(ledger).getCall(id, scopeOf(caller, "GetCall")), signal);
        if (call !== undefined) return create(GetCallResponseSchema, { call });
        const message = `the ledger has no call ${id} that you may see; a call is there about a second after its end`;
        throw new GatewayError("RESOURCE_NOT_FOUND", message, { metadata: { call_id: id } });
      }),
  };
}

function requireLedger(ledger: UsageReader | undefined): UsageReader {
  if (ledger !== undefined) return ledger;
  throw new GatewayError("STORE_NOT_CONFIGURED", "this service has no ledger; configure store.database");
}

/** Returns the first items, and the last of them if there are more. */
function firstOf<Item>(found: readonly Item[], size: number): { items: readonly Item[]; last: Item | undefined } {
  const items = found.slice(0, size);
  return { items, last: found.length > size ? items.at(-1) : undefined };
}

function toRow({ startMs, groups, ...sums }: UsageSum): UsageRow {
  return create(UsageRowSchema, { startTime: timestampFromMs(startMs), groups: [...groups], ...sums });
}
