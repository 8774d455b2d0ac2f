import { describe, expect, it } from "vitest";
import { readTraceContext, traceHeaders } from "../src/trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const parent = `00-${traceId}-${spanId}-01`;

const read = (headers: Readonly<Record<string, string>>) => readTraceContext({ get: (name) => headers[name] ?? null });

describe("the trace context of a request", () => {
  it("is undefined without a traceparent", () => {
    expect(read({ tracestate: "a=1" })).toBeUndefined();
  });

  it("has the ids, the flag and the state", () => {
    const context = { traceId, spanId, isSampled: true, state: "a=1,b=2" };
    expect(read({ traceparent: parent, tracestate: "a=1,b=2" })).toEqual(context);
    expect(traceHeaders(context)).toEqual({ traceparent: parent, tracestate: "a=1,b=2" });
  });

  it.each([
    ["00", false],
    ["01", true],
    ["fe", false],
    ["ff", true],
  ])("reads the sampled flag of %s", (flags, isSampled) => {
    expect(read({ traceparent: `00-${traceId}-${spanId}-${flags}` })?.isSampled).toBe(isSampled);
  });

  it("accepts what a later version adds at the end", () => {
    expect(read({ traceparent: `cc-${traceId}-${spanId}-01-more` })).toMatchObject({ traceId, spanId });
  });

  it.each([
    ["an empty one", ""],
    ["version ff", `ff-${traceId}-${spanId}-01`],
    ["version 00 with an addition", `${parent}-more`],
    ["upper-case digits", parent.toUpperCase()],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${spanId}-01`],
    ["a span id of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
    ["a short trace id", `00-${traceId.slice(1)}-${spanId}-01`],
    ["two values", `${parent}, ${parent}`],
  ])("is undefined for %s", (_, traceparent) => {
    expect(read({ traceparent })).toBeUndefined();
  });

  it.each([
    ["is too long", `a=${"b".repeat(511)}`],
    ["has other characters", "a=ü"],
  ])("drops a tracestate that %s", (_, tracestate) => {
    const context = read({ traceparent: parent, tracestate });
    expect(context).toMatchObject({ traceId, state: "" });
    expect(context && traceHeaders(context)).toEqual({ traceparent: parent });
  });
});
