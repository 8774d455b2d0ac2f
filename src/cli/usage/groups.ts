import type { UsageGroupName, UsageQuery } from "../../ledger/usage-reader.ts";
import { nearest } from "../../nearest.ts";
import { UsageError } from "../failures.ts";

const fields = ["account", "key", "model", "provider", "route", "outcome"] as const satisfies readonly UsageGroupName[];
const labelPrefix = "label:";

/** What sums are grouped by. */
export interface Groups extends Pick<UsageQuery, "groupBy" | "labelKey"> {
  /** As in the option, for titles. */
  readonly names: readonly string[];
}

/** Reads a list such as `account,model` or `account,label:feature`. Throws UsageError. */
export function readGroups(list: string): Groups {
  const names = list.split(",").map((name) => name.trim());
  const labels = names.filter((name) => name.startsWith(labelPrefix)).map((name) => name.slice(labelPrefix.length));
  const [labelKey = "", otherLabel] = labels;
  if (otherLabel !== undefined) throw new UsageError("--by has two labels; write one");
  if (labels.length > 0 && labelKey === "") throw new UsageError("--by has a label without name; write label:<name>");
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) throw new UsageError(`--by has ${repeated} twice; write it once`);
  return { names, labelKey, groupBy: names.map(readGroup) };
}

function readGroup(name: string): UsageGroupName {
  if (name.startsWith(labelPrefix)) return "label";
  const known = fields.find((field) => field === name);
  if (known !== undefined) return known;
  if (/^(hour|day|month)$/.test(name)) throw new UsageError(`--by has no steps of time; write --interval ${name}`);
  const [near] = nearest(name, fields);
  const fix = near === undefined ? `write some of ${fields.join(", ")}, label:<name>` : `did you mean ${near}?`;
  throw new UsageError(`--by cannot group by ${JSON.stringify(name)}; ${fix}`);
}
