/**
 * Position in a distributed trace (W3C Trace Context, https://www.w3.org/TR/trace-context/): a span, and what its
 * children have to know.
 */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  /** Whether the spans of the trace are recorded. */
  readonly isSampled: boolean;
  /** `tracestate`: what tracing systems add for themselves. Empty: nothing. */
  readonly state: string;
}

/** Version, trace id, span id and flags. Later versions can add parts at the end. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Characters of `tracestate` that every system must pass on. Dragoman drops a longer one as a whole. */
const longestState = 512;

/** Reads the trace context of a request. Undefined: it has none, or an invalid one. */
export function readTraceContext(header: { get(name: string): string | null }): TraceContext | undefined {
  const parent = header.get("traceparent");
  if (parent === null) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = form.exec(parent) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = header.get("tracestate") ?? "";
  return {
    traceId,
    spanId,
    isSampled: (Number.parseInt(flags, 16) & 1) === 1,
    state: state.length <= longestState && /^[\t -~]*$/.test(state) ? state.trim() : "",
  };
}

/** Returns the headers that pass on a trace context. */
export function traceHeaders({ traceId, spanId, isSampled, state }: TraceContext): Readonly<Record<string, string>> {
  const traceparent = `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
  return state === "" ? { traceparent } : { traceparent, tracestate: state };
}
