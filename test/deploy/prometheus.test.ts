import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { freePort } from "../../bench/processes.ts";
import { installed, isMissing } from "../interop/tools.ts";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";
import { startServer, type TestServer } from "../support/server-process.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(resolve(root, path), "utf8");
const prometheus = installed("prometheus/usr/bin/prometheus");
const promtool = installed("prometheus/usr/bin/promtool");

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard: {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
} = JSON.parse(read("deploy/grafana/dragoman.json"));

const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }, index) => [index === 0 ? title : `${title} ${index + 1}`, expr] as const),
);
const alerts: { readonly groups: readonly { readonly rules: readonly { alert: string; expr: string }[] }[] } = parse(
  read("deploy/chart/alerts.yaml"),
);
const rules = alerts.groups.flatMap((group) => group.rules.map(({ alert, expr }) => [alert, expr] as const));

/** Panels without data while nothing is rejected, waits or fails. */
const quiet = new Set([
  "Rejected because of overload",
  "Requests that wait for a connection",
  "Cost per hour by model",
]);

describe.skipIf(isMissing("Prometheus", prometheus))("Prometheus", () => {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-prometheus-"));
  let service: ServiceProcess;
  let server: TestServer;
  let metrics: string;

  beforeAll(async () => {
    const port = await freePort();
    metrics = `http://127.0.0.1:${port}/metrics`;
    service = await startConfigured(
      `telemetry: { metrics_address: "127.0.0.1:${port}" }\nprices: { echo/echo: { input: "1", output: "1" } }`,
      { OPENAI_BASE_URL: "http://127.0.0.1:9/v1", OPENAI_API_KEY: "key" },
    );
    // The file of deploy/, with another address and a shorter interval.
    const config = parse(read("deploy/prometheus/prometheus.yaml"));
    config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
    config.rule_files = [resolve(root, "deploy/chart/alerts.yaml")];
    config.scrape_configs[0].static_configs = [{ targets: [`127.0.0.1:${port}`] }];
    writeFileSync(join(folder, "prometheus.yaml"), stringify(config));
    server = await startServer({
      command: prometheus,
      parameters: (own) => [
        `--config.file=${folder}/prometheus.yaml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${own}`,
      ],
      ready: /Server is ready to receive web requests/,
      stopSignal: "SIGTERM",
    });
    await call("echo/echo");
    await call("openai/gpt-4o");
    // Rates need two values that differ: calls go on until Prometheus has them.
    await vi.waitFor(
      async () => {
        await call("echo/echo");
        await call("openai/gpt-4o");
        const outcomes = await query("sum by (outcome) (rate(dragoman_calls_total[10s])) > 0");
        expect(outcomes.map(({ metric }) => metric.outcome).sort()).toEqual(["failed", "ok"]);
      },
      { timeout: 30_000, interval: 200 },
    );
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function call(model: string): Promise<void> {
    const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hello there" }] });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers,
      body,
    });
    await response.text();
  }

  interface Series {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [time: number, value: string];
  }

  /** Runs a query. Throws the error of Prometheus. */
  async function query(expression: string): Promise<readonly Series[]> {
    const url = `http://127.0.0.1:${server.port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const result = (await (await fetch(url)).json()) as {
      readonly data?: { readonly result: readonly Series[] };
      readonly error?: string;
    };
    if (result.data === undefined) throw new Error(result.error);
    return result.data.result;
  }

  it.each(queries)("has data for the panel %s", async (title, expr) => {
    const filled = expr.replaceAll("$__rate_interval", "20s").replaceAll(/\$(job|model)\b/g, ".*");
    expect(filled).not.toContain("$");
    const series = await query(filled);
    if (!quiet.has(title)) expect(series).not.toEqual([]);
  });

  it("knows every metric that the dashboard and the alerts name", async () => {
    const page = await (await fetch(metrics)).text();
    const known = new Set([...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const variables = dashboard.templating.list.map(({ query: text }) =>
      typeof text === "string" ? text : text.query,
    );
    const texts = [...queries, ...rules].map(([, expr]) => expr);
    const named = [...texts, ...variables].flatMap((text) => text.match(/\b(?:dragoman|process|nodejs)_\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(20);
    expect(named.map((name) => name.replace(/_bucket$/, "")).filter((name) => !known.has(name))).toEqual([]);
  });

  it("runs the alerts without an error", async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/v1/rules`);
    const { data } = (await response.json()) as {
      readonly data: {
        readonly groups: readonly { readonly rules: readonly { name: string; lastError?: string }[] }[];
      };
    };
    const evaluated = data.groups.flatMap((group) => group.rules);
    expect(evaluated.map(({ name }) => name)).toEqual(rules.map(([name]) => name));
    expect(evaluated.filter(({ lastError }) => lastError)).toEqual([]);
  });

  it("passes the tests of the alerts", () => {
    execFileSync(promtool, ["test", "rules", "deploy/prometheus/alerts.test.yaml"], { cwd: root, stdio: "pipe" });
  });
});
