import type { LedgerLog } from "../ledger-log.ts";
import { MinuteCount } from "../minute-count.ts";
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
  let lastReason = "";
  const rejections = new MinuteCount((count) => {
    log.warn({ sink: "otlp", count, reason: lastReason }, "the collector rejected some call records");
  });
  return {
    name: "otlp",
    async store(records) {
      const response = await fetch(`${endpoint}/v1/logs`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(toExportRequest(records)),
        // A POST that follows a redirect becomes a GET: a page that responds 200 would lose the records.
        redirect: "manual",
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
      });
      const text = await response.text();
      const problem = problemOf(response, endpoint);
      if (final.has(response.status)) throw new UnacceptableRecords(problem);
      if (!response.ok) throw new Error(problem);
      const { count, reason } = rejectedOf(text);
      // The specification forbids to send them again, and the response does not say which they are.
      if (count === 0) return;
      lastReason = reason;
      rejections.add(count);
    },
    async close() {
      rejections.flush();
      closing.abort();
    },
  };
}

function problemOf({ status, headers }: Response, endpoint: string): string {
  const problem = `the collector sent HTTP status ${status}`;
  const to = status >= 300 && status < 400 ? URL.parse(headers.get("location") ?? "", endpoint) : null;
  return to === null
    ? problem
    : `${problem}, and Dragoman follows no redirects; set store.sinks.otlp.endpoint to ${to.origin}${to.pathname.replace(/\/v1\/logs\/?$/, "")}`;
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
