import type { LedgerLog } from "../ledger-log.ts";
import { type RecordSink, UnacceptableRecords } from "../record-sink.ts";
import { toExportRequest } from "./otlp-logs.ts";

/** Maximum time in ms of a request: the default of OTEL_EXPORTER_OTLP_TIMEOUT. */
const timeoutMs = 10_000;

/** HTTP statuses that the same request gets again. Others, such as 401 and 429, can change. */
const final = new Set([400, 413, 422]);

interface OtlpOptions {
  /** Base URL of the collector, without `/v1/logs`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Creates a sink that sends call records to a collector as OTLP logs over HTTP (`/v1/logs`, JSON):
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp. A collector compares no ids, so that a batch can arrive twice after
 * a crash; the attribute `dragoman.call.id` tells.
 */
export function createOtlpSink({ endpoint, headers }: OtlpOptions, log: LedgerLog): RecordSink {
  const closing = new AbortController();
  return {
    name: "otlp",
    async store(records) {
      const response = await fetch(`${endpoint}/v1/logs`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(toExportRequest(records)),
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
      });
      const text = await response.text();
      const problem = `the collector sent HTTP status ${response.status}`;
      if (final.has(response.status)) throw new UnacceptableRecords(problem);
      if (!response.ok) throw new Error(problem);
      const { count, reason } = rejectedOf(text);
      // The specification forbids to send them again, and the response does not say which they are.
      if (count > 0) log.warn({ sink: "otlp", count, reason }, "the collector rejected some call records");
    },
    async close() {
      closing.abort();
    },
  };
}

/** Reads ExportLogsServiceResponse.partial_success. A response without it accepts all records. */
function rejectedOf(text: string): { readonly count: number; readonly reason: string } {
  try {
    const { rejectedLogRecords = 0, errorMessage = "" } = JSON.parse(text).partialSuccess ?? {};
    return { count: Number(rejectedLogRecords) || 0, reason: String(errorMessage) };
  } catch {
    return { count: 0, reason: "" };
  }
}
