import { type Address, isWildcard } from "./address.ts";
import type { ReportProblem } from "./config-error.ts";

interface Listeners {
  readonly grpc: Address;
  readonly http: Address;
  /** Undefined: metrics are on the HTTP listener. */
  readonly metrics: Address | undefined;
}

/** Reports listeners that would open the same port. Port 0 is a free one for each. */
export function reportSharedPorts({ grpc, http, metrics }: Listeners, report: ReportProblem): void {
  const isSame = (first: Address, second: Address) =>
    first.port === second.port &&
    first.port !== 0 &&
    (first.host === second.host || isWildcard(first.host) || isWildcard(second.host));
  const reportSame = (path: string, other: string) => report(path, `has the port of ${other}`, "write another port");
  if (isSame(grpc, http)) reportSame("http.address", "grpc.address");
  if (metrics === undefined) return;
  if (isSame(grpc, metrics)) reportSame("telemetry.metrics_address", "grpc.address");
  if (isSame(http, metrics)) reportSame("telemetry.metrics_address", "http.address");
}
