import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { GatewayError } from "../../../src/errors.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { responsesErrors } from "../../../src/providers/openai-responses/errors.ts";
import { endEvents, startAnswer, toEvents } from "../../../src/providers/openai-responses/events.ts";
import { startCall } from "../../../src/upstream/upstream-call.ts";
import {
  call,
  type Event,
  eventsOf,
  finish,
  message,
  responseOf,
  sse,
} from "../../contract/fixtures/openai-responses.ts";

/** Reads a stream, and returns the completion with the messages of the warnings. */
function read(wire: string) {
  const attempt = create(AttemptSchema, { provider: "openai", providerModel: "gpt-4o" });
  const context = { signal: new AbortController().signal, holder: "a", attempt, queue: { waitsFor: undefined } };
  const upstream = startCall(context);
  const answer = startAnswer(upstream, { hideReasoning: false, errors: responsesErrors({}, undefined) });
  const batch: ChatEvent[] = [];
  let hidden = 0;
  for (const event of wire.split("\n\n").filter((text) => text !== "")) {
    upstream.hadHiddenOutput = false;
    const data = event.slice(event.indexOf("data: ") + "data: ".length);
    upstream.hasEnd = toEvents(answer, { data }, batch);
    if (upstream.hadHiddenOutput) hidden++;
  }
  endEvents(answer, batch);
  const fold = createFold();
  for (const event of batch) fold.add(event);
  const { choices, warnings } = fold.completion;
  return { parts: choices[0]?.message?.parts ?? [], hidden, warnings: warnings.map(({ message: text }) => text) };
}

const hi = message(["Hi"]);
const whole = (...events: readonly Event[]) => sse(...events, ...eventsOf(hi, 1), finish([]));

/** Types of events in OpenAI's own client. The API has no audio. */
const types = [
  ...readFileSync("node_modules/openai/resources/responses/responses.d.ts", "utf8").matchAll(
    /^ {4}type: '(response\.[\w.]+)';$/gm,
  ),
]
  .map(([, type = ""]) => type)
  .filter((type) => !/^response\.(?:audio|steer)\b/.test(type));

describe("the events of a response", () => {
  it("are all known, and those about the work of a tool count as output", () => {
    expect(types.length).toBeGreaterThan(45);
    const about = (type: string): Event => {
      const response = { response: responseOf([], { status: "in_progress" }) };
      return { type, output_index: 0, ...(/\.(?:created|queued|in_progress)$/.test(type) && response) } as Event;
    };
    const ends = ["response.completed", "response.failed", "response.incomplete"];
    const needed = [...ends, "response.output_item.added", "response.output_item.done"];
    for (const type of types.filter((each) => !needed.includes(each) && !/arguments\.delta|input\.delta/.test(each))) {
      const { warnings, hidden } = read(whole(about(type)));
      expect(warnings, type).toEqual([]);
      if (/_call|mcp_list/.test(type) && !/function_call|custom_tool/.test(type)) expect(hidden, type).toBe(1);
    }
    expect(read(whole({ type: "response.weather.report" })).warnings).toHaveLength(1);
  });

  it("may lack an item that only the last event has", () => {
    const items = [message(["Hel", "lo"]), call("call_1", "look", ['{"a":1}'])];
    const { parts } = read(sse(finish(items.map(({ item }) => item))));
    expect(parts.map(({ kind }) => kind.value)).toMatchObject(["Hello", { id: "call_1", argumentsJson: '{"a":1}' }]);
  });

  it("may lack the deltas of an item, or some of them", () => {
    const [added = { type: "" }, ...rest] = eventsOf(message(["Hel", "lo"]), 0);
    const done = rest.at(-1) ?? added;
    const first = rest.find(({ type }) => type.endsWith("text.delta")) ?? added;
    for (const events of [[added, done], [done], [added, first, done], [first]]) {
      const isCut = events.length === 1 && events[0] === first;
      const { parts } = read(sse(...events, finish([])));
      expect(parts.map(({ kind }) => kind.value)).toEqual([isCut ? "Hel" : "Hello"]);
    }
  });

  it("takes arguments of a function that are an object, with all of its digits", () => {
    const item = { type: "function_call", call_id: "call_1", name: "look", arguments: { at: 0 } };
    const json = JSON.stringify(responseOf([item])).replace('"at":0', '"at": 12345678901234567890');
    const { parts } = read(`data: ${json}\n\n`);
    expect(parts[0]?.kind.value).toMatchObject({ argumentsJson: '{"at": 12345678901234567890}' });
  });

  it.each([
    ["invalid_image_url", "INVALID_REQUEST"],
    ["rate_limit_exceeded", "PROVIDER_RATE_LIMITED"],
    ["server_error", "PROVIDER_UNAVAILABLE"],
    ["vector_store_timeout", "PROVIDER_TIMEOUT"],
  ])("that fail with %s before output are %s, in each form of the error", (code, reason) => {
    const failed = { status: "failed", response: { error: { code, message: "No." } } };
    const error = { code, message: "No.", param: null };
    for (const event of [finish([], failed), { type: "error", ...error }, { type: "error", error }]) {
      try {
        read(sse(event));
        expect.fail("the response must fail");
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(GatewayError);
        expect(thrown).toMatchObject({ reason, facts: { provider: { code } } });
      }
    }
  });

  it("that report a response in the background are an error", () => {
    expect(() => read(`data: ${JSON.stringify(responseOf([], { status: "queued" }))}\n\n`)).toThrow(/status is queued/);
  });
});
