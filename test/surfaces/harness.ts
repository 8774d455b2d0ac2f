import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createParser } from "eventsource-parser";
import { onTestFinished } from "vitest";
import { createAdapters } from "../../src/adapters.ts";
import { ActiveCalls } from "../../src/calls/active-calls.ts";
import { Snapshots } from "../../src/calls/snapshot.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { GatewayError } from "../../src/errors.ts";
import type { CallObserver } from "../../src/ledger/call-observer.ts";
import type { CallRecord } from "../../src/ledger/record.ts";
import { createCatalog } from "../../src/models/catalog.ts";
import { listedModels, providers } from "../../src/providers/registry.ts";
import { createSnapshot } from "../../src/server/create-snapshot.ts";
import { serveRoutes } from "../../src/surfaces/kit/router.ts";
import { chatRoute } from "../../src/surfaces/kit/serve-surface.ts";
import type { ChatSurface } from "../../src/surfaces/kit/surface.ts";
import { callEnvironment } from "../support/call-environment.ts";

/** An empty catalog. */
export const noModels = createCatalog([], []);

/** One HTTP API on its own port, with the whole pipeline behind it. */
export interface TestSurface {
  readonly url: string;
  readonly records: readonly CallRecord[];
  readonly faults: readonly GatewayError[];
  nextRecord(): Promise<CallRecord>;
  post(
    body: unknown,
    more?: { path?: string; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>;
}

interface Setting {
  readonly environment?: Record<string, string>;
  /** Content of the configuration file. */
  readonly yaml?: string;
  readonly maxRequestBytes?: number;
  readonly maxCallMs?: number;
  readonly streamHeadersAfterMs?: number;
}

/** Serves an HTTP API until the test ends. */
export async function startSurface(surface: ChatSurface, setting: Setting = {}): Promise<TestSurface> {
  const known = providers.filter(({ name }) => name !== "local");
  const models = listedModels({});
  const folder = mkdtempSync(join(tmpdir(), "dragoman-surface-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, setting.yaml ?? "{}");
  const config = loadConfig({ environment: setting.environment ?? {}, file, providers: known, models });
  const adapters = await createAdapters(config);
  const records: CallRecord[] = [];
  const faults: GatewayError[] = [];
  const waiting: ((record: CallRecord) => void)[] = [];
  const observer: CallObserver = {
    settled(record, error) {
      if (error?.status === "INTERNAL") faults.push(error);
      records.push(record);
      waiting.shift()?.(record);
    },
  };
  const { maxCallMs, maxRequestBytes = 16 * 1024 * 1024 } = setting;
  const limits = { ...config.limits, ...(maxCallMs !== undefined && { maxCallMs }) };
  const snapshots = new Snapshots(createSnapshot({ config: { ...config, limits }, adapters, models }));
  const calls = new ActiveCalls(snapshots, callEnvironment({ observers: [observer] }));
  const { streamHeadersAfterMs = 15_000 } = setting;
  const serve = serveRoutes([chatRoute(surface)], { calls, maxRequestBytes, streamHeadersAfterMs });
  const server = createServer((request, response) => {
    if (!serve(request, response)) response.writeHead(418).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await Promise.all(adapters.map((adapter) => adapter.close?.()));
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    records,
    faults,
    nextRecord: () => new Promise((resolve) => waiting.push(resolve)),
    post: (body, { path = surface.path, headers = {}, signal } = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
        ...(signal && { signal }),
      }),
  };
}

/** Returns the data and the comments of a stream of server-sent events. */
export async function readEvents(response: Response): Promise<{ data: string[]; comments: string[] }> {
  const data: string[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: (event) => data.push(event.data),
    onComment: (comment) => comments.push(comment),
  });
  parser.feed(await response.text());
  return { data, comments };
}
