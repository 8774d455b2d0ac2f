import { type handleServerStreamingCall, type handleUnaryCall, type Server, status } from "@grpc/grpc-js";
import { service } from "grpc-health-check";
import type { Duration } from "../connections.ts";

type ServingStatus = "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

interface HealthRequest {
  readonly service: string;
}
interface HealthResponse {
  readonly status: ServingStatus;
}

/** Paths of the health methods, and how long a request may take. */
export const healthDurations: ReadonlyMap<string, Duration> = new Map(
  Object.values(service).map(({ path, responseStream }) => [path, responseStream ? "unbounded response" : "call"]),
);

/** Maximum length of a service name. A stream of Watch holds its name, and needs no API key. */
const longestName = 256;

/**
 * Adds grpc.health.v1 for `names`, which have the status SERVING. Returns a function that sets NOT_SERVING.
 *
 * The implementation of `grpc-health-check` is not used: it keeps every name that a client ever watched, and writes
 * each change to clients that do not read.
 */
export function addHealth(server: Server, names: readonly string[]): () => void {
  const statuses = new Map<string, ServingStatus>(names.map((name) => [name, "SERVING"]));
  const watchers = new Set<() => void>();

  const check: handleUnaryCall<HealthRequest, HealthResponse> = ({ request: { service: name } }, respond) => {
    const known = statuses.get(name);
    if (known !== undefined) respond(null, { status: known });
    else respond({ code: status.NOT_FOUND, details: `Health status unknown for service ${name}` });
  };

  const watch: handleServerStreamingCall<HealthRequest, HealthResponse> = (call) => {
    const { service: name } = call.request;
    if (name.length > longestName) {
      const details = `the service name exceeds the maximum of ${longestName} characters`;
      call.emit("error", { code: status.INVALID_ARGUMENT, details });
      return;
    }
    let sent: ServingStatus | undefined;
    // Skips changes while the client does not read, and sends the latest status when it does.
    const update = (): void => {
      const latest = statuses.get(name) ?? "SERVICE_UNKNOWN";
      if (latest === sent || call.writableNeedDrain) return;
      sent = latest;
      call.write({ status: latest });
    };
    // The event came before this handler.
    if (call.cancelled) return;
    call.on("drain", update);
    call.once("cancelled", () => watchers.delete(update));
    watchers.add(update);
    update();
  };

  const list: handleUnaryCall<unknown, unknown> = (_call, respond) => {
    respond(null, { statuses: Object.fromEntries([...statuses].map(([name, known]) => [name, { status: known }])) });
  };

  server.addService(service, { check, watch, list });
  return () => {
    for (const name of names) statuses.set(name, "NOT_SERVING");
    for (const update of watchers) update();
  };
}
