import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ChatEvent,
  citationDelta,
  completed,
  finished,
  mediaDelta,
  reasoningDelta,
  refusalDelta,
  started,
  textDelta,
  toolCallDelta,
} from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { GatewayError } from "../../../src/errors.ts";
import { CitationSchema } from "../../../src/gen/dragoman/v1/citation_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { LogProbsSchema } from "../../../src/gen/dragoman/v1/logprobs_pb.js";
import { type ResponseContext, toResponse } from "../../../src/surfaces/responses/response.ts";
import { ResponseStream } from "../../../src/surfaces/responses/stream.ts";
import { ToolNames } from "../../../src/surfaces/responses/tool-names.ts";
import { eventsInOrder, lawfulEvents } from "../../support/lawful-events.ts";
import { checkEvents, type WireEvent, type WireItem } from "./event-rules.ts";

const context: ResponseContext = { echo: {}, toolNames: new ToolNames(), serviceTier: "" };

/** Events as of a call of this API: one choice, and an id and a time from Dragoman. */
function asCall(events: readonly ChatEvent[]): readonly ChatEvent[] {
  return events.flatMap((event): readonly ChatEvent[] => {
    if (event.case === "started") {
      const createTime = create(TimestampSchema, { seconds: 7n });
      return [{ ...event, value: { ...event.value, id: "chatcmpl-0af", model: "m", createTime } }];
    }
    const isOther = (event.case === "delta" || event.case === "finished") && event.value.choiceIndex > 0;
    return isOther ? [] : [event];
  });
}

/** Generated parts share the log probabilities of a choice at random, and no response can tell whose they are. */
const withoutLogprobs = (events: readonly ChatEvent[]): readonly ChatEvent[] =>
  events.map((event) => {
    if (event.case !== "delta") return event;
    const { logprobs: _, ...value } = event.value;
    return { ...event, value };
  });

function streamOf(events: readonly ChatEvent[], given = context): readonly WireEvent[] {
  const stream = new ResponseStream(given);
  return parsed(events.flatMap((event) => stream.translate(event)));
}

function parsed(events: readonly { readonly event?: string; readonly data: unknown }[]): readonly WireEvent[] {
  return events.map(({ event, data }) => {
    const value: WireEvent = JSON.parse(JSON.stringify(data));
    expect(value.type).toBe(event);
    return value;
  });
}

function wholeOf(events: readonly ChatEvent[], given = context) {
  const fold = createFold();
  for (const event of events) fold.add(event);
  return JSON.parse(JSON.stringify(toResponse(fold.completion, given)));
}

/** Ended items in the order of the output. */
function joined(events: readonly WireEvent[]): readonly WireItem[] {
  const items: WireItem[] = [];
  for (const { type, item, output_index: index = -1 } of events) {
    if (type === "response.output_item.done" && item) items[index] = item;
  }
  return items;
}

function withoutAnnotations(items: readonly WireItem[]) {
  return JSON.parse(JSON.stringify(items, (name, value) => (name === "annotations" ? undefined : value)));
}

/** All characters of each kind of item, in any order. */
function textsOf(items: readonly WireItem[]) {
  const texts = { text: "", refusal: "", reasoning: "", calls: "" };
  for (const item of items) {
    for (const content of (item.content ?? []) as { text?: string; refusal?: string }[]) {
      texts.text += content.text ?? "";
      texts.refusal += content.refusal ?? "";
    }
    for (const { text } of (item.summary ?? []) as { text: string }[]) texts.reasoning += text;
    texts.calls += item.type === "function_call" ? `${item.call_id}(${item.arguments})` : "";
  }
  return Object.values(texts).map((text) => [...text].sort().join(""));
}

const run = (...events: readonly ChatEvent[]) => asCall([started(), ...events, completed()]);
const end = (reason = FinishReason.STOP) => finished(0, reason, "");

describe("the stream of a response", () => {
  it("follows the rules of order and numbers for every lawful stream", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const sent = streamOf(asCall(withoutLogprobs(events)));
        // Late sources of a text are in the response, but not in the item that has ended.
        const ids = checkEvents(sent).output.map(({ id }) => id);
        expect(joined(sent).map(({ id }) => id)).toEqual(ids);
      }),
      { numRuns: 400 },
    );
  });

  it("ends with the response that a request without a stream gets, if parts end before the next one begins", () => {
    fc.assert(
      fc.property(eventsInOrder, (events) => {
        const call = asCall(withoutLogprobs(events));
        const sent = streamOf(call);
        const response = checkEvents(sent);
        expect(response).toEqual(wholeOf(call));
        // Sources of the whole choice come at its end, when the item of the text may have ended.
        const isLate = call.some((event) => event.case === "finished" && event.value.sources.length > 0);
        const seen = isLate ? withoutAnnotations : (items: readonly WireItem[]) => items;
        expect(seen(joined(sent))).toEqual(seen(response.output));
      }),
      { numRuns: 400 },
    );
  });

  it("has all text and all calls of a response whose parts alternate", () => {
    fc.assert(
      fc.property(lawfulEvents, (events) => {
        const call = asCall(withoutLogprobs(events));
        expect(textsOf(checkEvents(streamOf(call)).output)).toEqual(textsOf(wholeOf(call).output));
      }),
      { numRuns: 400 },
    );
  });

  it("keeps two tool calls open whose arguments alternate, with their own indexes", () => {
    const sent = streamOf(
      run(
        toolCallDelta(0, 0, '{"a":', "c0", "f"),
        toolCallDelta(0, 1, '{"b":', "c1", "g"),
        toolCallDelta(0, 0, "1}"),
        toolCallDelta(0, 1, "2}"),
        end(FinishReason.TOOL_CALLS),
      ),
    );
    const { output } = checkEvents(sent);
    expect(output).toMatchObject([
      { type: "function_call", call_id: "c0", name: "f", arguments: '{"a":1}', status: "completed" },
      { type: "function_call", call_id: "c1", name: "g", arguments: '{"b":2}', status: "completed" },
    ]);
    const deltas = sent.filter(({ type }) => type === "response.function_call_arguments.delta");
    expect(deltas.map(({ output_index, delta }) => [output_index, delta])).toEqual([
      [0, '{"a":'],
      [1, '{"b":'],
      [0, "1}"],
      [1, "2}"],
    ]);
  });

  it("ends a tool call with complete arguments when the next one begins, so that the client can run it", () => {
    const sent = streamOf(run(toolCallDelta(0, 0, "{}", "c0", "f"), toolCallDelta(0, 1, "{}", "c1", "g"), end()));
    const order = sent.filter(({ type }) => type.startsWith("response.output_item"));
    expect(order.map(({ type, output_index }) => [type.split(".").at(-1), output_index])).toEqual([
      ["added", 0],
      ["done", 0],
      ["added", 1],
      ["done", 1],
    ]);
  });

  it("fails if the provider continues the arguments of a tool call that the client may have run", () => {
    const events = run(toolCallDelta(0, 0, "{}", "c0", "f"), textDelta(0, 1, "x"), toolCallDelta(0, 0, "{}"), end());
    expect(() => streamOf(events)).toThrow("the provider continued a tool call after its end");
  });

  it("marks the item that the output limit cuts off as incomplete", () => {
    const sent = streamOf(run(textDelta(0, 0, "a"), toolCallDelta(0, 1, '{"a', "c", "f"), end(FinishReason.LENGTH)));
    const response = checkEvents(sent);
    expect(response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [{ status: "completed" }, { status: "incomplete", arguments: '{"a' }],
    });
  });

  it("calls filtered content incomplete and a refusal complete", () => {
    const filtered = checkEvents(streamOf(run(textDelta(0, 0, "a"), end(FinishReason.CONTENT_FILTER))));
    expect(filtered).toMatchObject({ status: "incomplete", incomplete_details: { reason: "content_filter" } });
    const refused = checkEvents(streamOf(run(refusalDelta(0, 0, "no"), end(FinishReason.CONTENT_FILTER))));
    expect(refused).toMatchObject({
      status: "completed",
      incomplete_details: null,
      output: [{ content: [{ type: "refusal", refusal: "no" }] }],
    });
  });

  it("counts the positions of citations in characters", () => {
    const source = { case: "url", value: { url: "https://a.example", title: "A" } } as const;
    const sent = streamOf(
      run(textDelta(0, 0, "é👍 x"), citationDelta(0, 0, create(CitationSchema, { start: 2, end: 7, source })), end()),
    );
    expect(checkEvents(sent).output).toMatchObject([
      { content: [{ annotations: [{ type: "url_citation", start_index: 1, end_index: 3, title: "A" }] }] },
    ]);
  });

  it("has log probabilities in each delta, in the end of the text and in the whole response", () => {
    const tokens = (token: string) =>
      create(LogProbsSchema, { tokens: [{ token, logprob: -0.5, topLogprobs: [{ token: "z", logprob: -2 }] }] });
    const events = run(textDelta(0, 0, "a", tokens("a")), textDelta(0, 0, "é", tokens("é")), end());
    const sent = streamOf(events);
    const expected = [
      { token: "a", bytes: [97], logprob: -0.5, top_logprobs: [{ token: "z", bytes: [122], logprob: -2 }] },
      { token: "é", bytes: [195, 169], logprob: -0.5, top_logprobs: [{ token: "z", bytes: [122], logprob: -2 }] },
    ];
    expect(sent.find(({ type }) => type === "response.output_text.done")).toMatchObject({ logprobs: expected });
    expect(checkEvents(sent).output).toMatchObject([{ content: [{ logprobs: expected }] }]);
    expect(wholeOf(events)).toEqual(sent.at(-1)?.response);
  });

  it("returns an image as an image_generation_call", () => {
    const data = (bytes: string) => ({ source: { case: "data", value: Buffer.from(bytes) } }) as const;
    const events = run(
      mediaDelta(0, 0, { ...data("ab"), mediaType: "image/webp" }),
      mediaDelta(0, 0, data("cd")),
      end(),
    );
    const { output } = checkEvents(streamOf(events));
    expect(output).toMatchObject([
      { type: "image_generation_call", status: "completed", output_format: "webp", result: "YWJjZA==" },
    ]);
    expect(wholeOf(events).output).toEqual(output);
  });

  it("gives the input of a custom tool back as text", () => {
    const toolNames = new ToolNames();
    toolNames.add({ name: "apply_patch", isCustom: true });
    const given = { ...context, toolNames };
    const events = run(
      reasoningDelta(0, 0, "hm"),
      toolCallDelta(0, 1, '{"input":"*** Begin', "c", "apply_patch"),
      toolCallDelta(0, 1, ' Patch\\n"}'),
      end(FinishReason.TOOL_CALLS),
    );
    const sent = streamOf(events, given);
    expect(checkEvents(sent).output[1]).toMatchObject({
      type: "custom_tool_call",
      call_id: "c",
      name: "apply_patch",
      input: "*** Begin Patch\n",
    });
    expect(sent.map(({ type }) => type)).toContain("response.custom_tool_call_input.done");
  });

  it("ends with a failed response after an error, and keeps what the client has received", () => {
    const stream = new ResponseStream(context);
    const [begin, text] = run(textDelta(0, 0, "half"));
    const events = [begin, text].flatMap((event) => (event ? stream.translate(event) : []));
    const error = new GatewayError("PROVIDER_STREAM_INTERRUPTED", "the connection broke");
    const response = checkEvents(parsed([...events, ...stream.fail(error, "r")]));
    expect(response).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: "the connection broke" },
      output: [{ type: "message", status: "in_progress", content: [{ text: "half" }] }],
    });
  });

  it.each([
    ["after it has begun", [started()]],
    ["before it has begun", []],
  ])("begins and fails if the call fails without output %s", (_when, events) => {
    const stream = new ResponseStream(context);
    for (const event of asCall(events)) stream.translate(event);
    const sent = parsed(stream.fail(new GatewayError("PROVIDER_RATE_LIMITED", "slow down"), "chatcmpl-9"));
    expect(checkEvents(sent)).toMatchObject({ status: "failed", error: { code: "rate_limit_exceeded" } });
  });
});
