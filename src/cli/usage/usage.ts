import type { UsageQuery, UsageReader, UsageSum } from "../../ledger/usage-reader.ts";
import { configOption, defineCommand } from "../command.ts";
import { UsageError } from "../failures.ts";
import { loadConfigFor } from "../load-config.ts";
import { readLedger } from "../read-ledger.ts";
import { connectionOptions } from "../remote/connection-options.ts";
import { isRemote } from "../remote/place.ts";
import { hasColors } from "../styles.ts";
import { readGroups } from "./groups.ts";
import { sortSums } from "./report.ts";
import { readRange } from "./time-range.ts";
import { csvOf, jsonOf } from "./usage-data.ts";
import { tableOf } from "./usage-table.ts";

const intervals = ["hour", "day", "month"] as const;

export const command = defineCommand({
  description: `Shows what calls used and cost, from the ledger in store.database. It needs no running service.
Times are in UTC, and ranges are whole hours. A call counts about a second after its end.
With --address, it asks the running service there, which shows a caller the usage of its own key.`,
  options: {
    by: {
      type: "string",
      value: "<groups>",
      help: `account, key, model, provider, route, outcome, label:<name>, or
several with commas; default: account,model, or none with --interval`,
    },
    last: { type: "string", value: "<span>", help: "time range until now, such as 24h, 7d or 4w; default: 7d" },
    since: { type: "string", value: "<time>", help: "beginning of the range: a day, or 2026-11-29T14:00" },
    until: { type: "string", value: "<time>", help: "end of the range, which it does not include; default: now" },
    interval: { type: "string", value: "<step>", help: "one row for each hour, day or month" },
    account: { type: "string", value: "<id>", help: "only calls of this account" },
    key: { type: "string", value: "<id>", help: "only calls with this API key" },
    model: { type: "string", value: "<model>", help: "only calls of this model" },
    provider: { type: "string", value: "<name>", help: "only calls of this provider" },
    route: { type: "string", value: "<id>", help: "only calls of this route" },
    json: { type: "boolean", help: "print JSON: one object per row" },
    csv: { type: "boolean", help: "print CSV with a line of titles" },
    config: configOption,
    ...connectionOptions,
  },
  examples: [
    ["See what each account and model cost in the last month", "usage --last 30d"],
    [
      "See the cost per day of one team, at a running service",
      "usage --account a --interval day --address 127.0.0.1:50051",
    ],
  ],
  async run(values, _, shell) {
    const { environment, stdout } = shell;
    const { by, json, csv, account, key: keyId, model, provider, route } = values;
    if (json && csv) throw new UsageError("--json and --csv cannot be combined");
    const interval = readInterval(values.interval);
    const list = by ?? (interval === "range" ? "account,model" : undefined);
    const { names, groupBy, labelKey } = list === undefined ? noGroups : readGroups(list);
    const range = readRange(values, Date.now());
    const query = { ...range, groupBy, labelKey, interval, filter: { account, keyId, model, provider, route } };
    const sums = isRemote(values, environment)
      ? await (await import("./remote-sums.ts")).readRemoteSums(values, shell, query)
      : await readLedger(await loadConfigFor(values.config, environment), (reader) => readSums(reader, query));
    const report = { range, interval, groups: names, sums: sortSums(sums) };
    if (json) stdout.write(jsonOf(report));
    else if (csv) stdout.write(csvOf(report));
    else {
      stdout.write(tableOf(report, { columns: stdout.columns, hasStyles: hasColors(stdout, environment) }));
    }
  },
});

const noGroups = { names: [], groupBy: [], labelKey: "" };

function readInterval(written: string | undefined): UsageQuery["interval"] {
  if (written === undefined) return "range";
  const known = intervals.find((interval) => interval === written);
  if (known === undefined) throw new UsageError(`--interval is no step of time; write one of ${intervals.join(", ")}`);
  return known;
}

const pageSize = 1000;

/** Reads all pages. */
async function readSums(reader: UsageReader, query: Omit<UsageQuery, "limit" | "after">): Promise<readonly UsageSum[]> {
  const sums: UsageSum[] = [];
  for (;;) {
    const page = await reader.queryUsage({ ...query, limit: pageSize, after: sums.at(-1) }, { calls: "all" });
    sums.push(...page);
    if (page.length < pageSize) return sums;
  }
}
