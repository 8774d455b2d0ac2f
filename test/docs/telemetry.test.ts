import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { accountDefinitions, definitions, type MetricDefinition } from "../../src/telemetry/metrics/definitions.ts";
import { processDefinitions } from "../../src/telemetry/metrics/process-metrics.ts";
import { temporaryFolder } from "../config/harness.ts";
import { findProgram, isMissing } from "../support/server-process.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/telemetry.md");
const alerts = read("deploy/chart/alerts.yaml");

const all: readonly MetricDefinition[] = [definitions, accountDefinitions, processDefinitions].flatMap((table) =>
  Object.values(table),
);

/** Names of series in an expression or a text. */
const seriesIn = (text: string) => [...new Set(text.match(/\bdragoman_[a-z_]+/g) ?? [])];
const known = all.flatMap(({ name, type }) =>
  type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
);

const queries = [...page.matchAll(/^```promql\n([\s\S]*?)^```$/gm)].map(([, query = ""]) => query);
const rulesOf = z.object({ groups: z.array(z.object({ rules: z.array(z.object({ expr: z.string() })) })) });

const promtool = findProgram("promtool");

/** Checks a file with rules. Returns the exit code and what promtool reports. */
function checkRules(file: string) {
  const { status, stdout, stderr } = spawnSync(promtool ?? "", ["check", "rules", file], { encoding: "utf8" });
  return { status, problems: stderr, stdout };
}

describe("docs/telemetry.md", () => {
  it("lists exactly the metrics that the page has, with their types, labels and meanings", () => {
    const [, table = ""] = /\| metric \| type \| labels \| meaning \|\n\|[-|]+\|\n((?:\|.*\n)+)/.exec(page) ?? [];
    const rows = table.trim().split("\n");
    const expected = all.map(({ name, type, labels, help }) => {
      const shown = labels.map((label) => `\`${label}\``).join(", ");
      return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
    });
    expect(rows).toEqual(expected);
  });

  it("names in queries only metrics that exist", () => {
    expect(queries).toHaveLength(5);
    expect(queries.flatMap(seriesIn).filter((name) => !known.includes(name))).toEqual([]);
  });

  it("names exactly the variables of OpenTelemetry that the configuration reads", () => {
    const source = read("src/config/telemetry-schema.ts");
    const names = [...source.matchAll(/"(OTEL_\w+)"/g)].map(([, name = ""]) => name.replace("OTEL_", ""));
    const [, table = ""] = /\| variable \| meaning \| default \|\n\|[-|]+\|\n((?:\|.*\n)+)/.exec(page) ?? [];
    for (const name of names) expect(table).toContain(`\`${name}\``);
    const listed = [...table.matchAll(/`([A-Z_]{6,})`/g)].map(([, name = ""]) => name);
    const ofOne = [
      "EXPORTER_OTLP_TRACES_ENDPOINT",
      "EXPORTER_OTLP_METRICS_ENDPOINT",
      "TRACES_EXPORTER",
      "METRICS_EXPORTER",
    ];
    expect(listed.filter((name) => !names.includes(name) && !ofOne.includes(name))).toEqual([]);
  });
});

describe("the alerts", () => {
  const { groups } = rulesOf.parse(parse(alerts));
  const expressions = groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));

  it("name only metrics that exist", () => {
    expect(expressions.flatMap(seriesIn).filter((name) => !known.includes(name))).toEqual([]);
  });

  it.skipIf(isMissing("promtool", promtool, "apt-get install prometheus"))(
    "and the queries pass promtool's check",
    () => {
      const rules = queries.map((expr, index) => ({ record: `docs:query${index}`, expr }));
      const file = join(temporaryFolder(), "queries.yaml");
      writeFileSync(file, stringify({ groups: [{ name: "docs", rules }] }));
      const path = new URL("../../deploy/chart/alerts.yaml", import.meta.url).pathname;
      for (const checked of [path, file]) expect(checkRules(checked)).toMatchObject({ status: 0, problems: "" });
    },
  );
});
