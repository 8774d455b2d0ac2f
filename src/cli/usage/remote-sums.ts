import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { UsageGroup, UsageInterval, UsageService } from "../../gen/dragoman/admin/v1/usage_service_pb.js";
import type { UsageGroupName, UsageQuery, UsageSum } from "../../ledger/usage-reader.ts";
import { withService } from "../remote/connection.ts";
import type { ConnectionValues } from "../remote/connection-options.ts";
import { allPages } from "../remote/pages.ts";
import type { Shell } from "../shell.ts";

const groups: Readonly<Record<UsageGroupName, UsageGroup>> = {
  account: UsageGroup.ACCOUNT,
  key: UsageGroup.KEY,
  model: UsageGroup.MODEL,
  provider: UsageGroup.PROVIDER,
  route: UsageGroup.ROUTE,
  outcome: UsageGroup.OUTCOME,
  label: UsageGroup.LABEL,
};

const intervals: Readonly<Record<UsageQuery["interval"], UsageInterval>> = {
  range: UsageInterval.UNSPECIFIED,
  hour: UsageInterval.HOUR,
  day: UsageInterval.DAY,
  month: UsageInterval.MONTH,
};

/** Reads the sums of a query from a running service. */
export function readRemoteSums(
  values: ConnectionValues,
  shell: Shell,
  { startMs, endMs, groupBy, labelKey, interval, filter }: Omit<UsageQuery, "limit" | "after">,
): Promise<readonly UsageSum[]> {
  const { account = "", keyId = "", model = "", provider = "", route = "" } = filter;
  const query = {
    startTime: timestampFromMs(startMs),
    endTime: timestampFromMs(endMs),
    groupBy: groupBy.map((name) => groups[name]),
    interval: intervals[interval],
    ...{ labelKey, account, keyId, model, provider, route },
  };
  return withService(values, shell, ({ client, callOptions }) =>
    allPages(async (page) => {
      const { rows, nextPageToken } = await client(UsageService).queryUsage({ ...query, ...page }, callOptions());
      const items = rows.map(({ startTime, ...sum }) => ({ ...sum, startMs: startTime ? timestampMs(startTime) : 0 }));
      return { items, nextPageToken };
    }),
  );
}
