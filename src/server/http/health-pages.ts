import type { IncomingMessage, ServerResponse } from "node:http";
import type { ComponentStates } from "../../component-states.ts";
import { requestPath } from "../../surfaces/kit/request-path.ts";

export const healthPaths: readonly string[] = ["/healthz", "/readyz"];

/** Whether a request is a health probe of a load balancer or an orchestrator. */
export function isHealthPage(request: IncomingMessage): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  return healthPaths.includes(requestPath(request));
}

/** What the pages tell about the service. */
interface PageState {
  readonly isReady: boolean;
  /** Number of the configuration. */
  readonly generation: number;
  readonly components: ComponentStates | undefined;
}

/** Answers `/healthz` and `/readyz`. Only a service that stops is not ready: it serves calls without its components. */
export async function answerHealthPage(
  request: IncomingMessage,
  response: ServerResponse,
  { isReady, generation, components }: PageState,
): Promise<void> {
  const isReadiness = requestPath(request) === "/readyz";
  const isStopping = isReadiness && !isReady;
  const lines = [
    isStopping ? "stopping" : "ok",
    ...(isReadiness ? [line("configuration", { generation })] : []),
    ...(isReadiness && components ? await componentLines(components) : []),
  ];
  if (response.destroyed) return;
  response.writeHead(isStopping ? 503 : 200, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${lines.join("\n")}\n`);
}

/** Returns a line for each component, with no reasons of failures: anybody can read the page, and the log has them. */
export async function componentLines(components: ComponentStates): Promise<readonly string[]> {
  const redis = components.sharedLimits();
  const ledger = await components.ledger();
  const keyStore = components.keyStore();
  return [
    ...(redis
      ? [
          line("redis", {
            decides: redis.shared,
            since: new Date(redis.sinceMs).toISOString(),
            replicas: redis.replicas,
            pending: redis.pending,
          }),
        ]
      : []),
    ...(ledger
      ? [
          line("ledger", {
            database_responds: ledger.databaseResponds,
            pending_bytes: ledger.pendingBytes,
            waiting: ledger.waiting,
            written: ledger.written,
            late: ledger.late,
            dropped: ledger.dropped,
          }),
        ]
      : []),
    ...(keyStore ? [line("keys", { database_responds: keyStore.databaseResponds })] : []),
  ];
}

function line(name: string, values: Readonly<Record<string, boolean | number | string | undefined>>): string {
  return [name, ...Object.entries(values).map(([key, value]) => `${key}=${value ?? "unknown"}`)].join(" ");
}
