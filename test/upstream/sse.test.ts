import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventDecoder, type ServerSentEvent } from "../../src/upstream/sse.ts";
import { startCall } from "../../src/upstream/upstream-call.ts";
import { context } from "../providers/chat-completions/harness.ts";

function decode(chunks: readonly Uint8Array[]): readonly (readonly [string | undefined, string])[] {
  const decoder = new EventDecoder(startCall(context()));
  const events: ServerSentEvent[] = [];
  for (const chunk of chunks) events.push(...decoder.decode([chunk]));
  events.push(...decoder.end());
  return events.map(({ event, data }) => [event, data]);
}

const bytes = (text: string) => new TextEncoder().encode(text);

const bodies = {
  "line feeds": "data: a\n\ndata: b\n\n",
  "carriage returns and line feeds": "data: a\r\n\r\nevent: x\r\ndata: b\r\n\r\n",
  "carriage returns": "data: a\r\rdata: b\r\r",
  comments: ": ping\n\ndata: a\n: in between\ndata: b\n\n:\n\n",
  "data of several lines": "data: a\ndata:\ndata: b\n\n",
  "a byte order mark": "\uFEFFdata: a\n\n",
  "characters of several bytes": "data: Grüße 世界 🌍\n\ndata: ü\n\n",
  "event names": "event: error\ndata: {}\n\ndata: b\n\n",
  "no blank line at the end": "data: a\n\ndata: [DONE]",
};

describe("the event decoder", () => {
  it("decodes events with any line endings, comments and names", () => {
    expect(decode([bytes(bodies["line feeds"])])).toEqual([
      [undefined, "a"],
      [undefined, "b"],
    ]);
    expect(decode([bytes(bodies["carriage returns and line feeds"])])).toEqual([
      [undefined, "a"],
      ["x", "b"],
    ]);
    expect(decode([bytes(bodies["carriage returns"])])).toEqual([
      [undefined, "a"],
      [undefined, "b"],
    ]);
    expect(decode([bytes(bodies.comments)])).toEqual([[undefined, "a\nb"]]);
    expect(decode([bytes(bodies["data of several lines"])])).toEqual([[undefined, "a\n\nb"]]);
    expect(decode([bytes(bodies["a byte order mark"])])).toEqual([[undefined, "a"]]);
    expect(decode([bytes(bodies["no blank line at the end"])])).toEqual([
      [undefined, "a"],
      [undefined, "[DONE]"],
    ]);
  });

  it.each(Object.entries(bodies))("decodes the same events wherever a body with %s is split", (_what, body) => {
    const whole = bytes(body);
    const expected = decode([whole]);
    for (let cut = 0; cut <= whole.length; cut++) {
      expect(decode([whole.subarray(0, cut), whole.subarray(cut)])).toEqual(expected);
    }
    expect(decode([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it("decodes the same events for any text, split anywhere", () => {
    const line = fc.oneof(fc.constantFrom("data: x", "data:", ":", "event: e", "", "id: 1", "odd"), fc.string());
    const body = fc
      .array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")))
      .map((lines) => bytes(lines.flat().join("")));
    fc.assert(
      fc.property(body, fc.array(fc.nat(200)), (whole, cuts) => {
        const places = [...new Set([0, ...cuts.filter((cut) => cut < whole.length), whole.length])].sort(
          (a, b) => a - b,
        );
        const chunks = places.slice(1).map((end, index) => whole.subarray(places[index], end));
        expect(decode(chunks)).toEqual(decode([whole]));
      }),
    );
  });

  it("rejects an event over the size limit", () => {
    const decoder = new EventDecoder(startCall(context()));
    const block = Buffer.alloc(1024 * 1024, "x");
    decoder.decode([Buffer.from("data: ")]);
    expect(() => {
      for (let megabyte = 0; megabyte < 20; megabyte++) decoder.decode([block]);
    }).toThrow("too long");
  });
});
