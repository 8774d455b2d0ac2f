import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { checkSupport } from "../../../src/providers/mistral/adaptations.ts";
import { RepeatedStart } from "../../../src/providers/mistral/repeated-start.ts";
import { toRequest } from "../../../src/providers/mistral/request.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { adapter, brief, collect, context, request } from "../chat-completions/harness.ts";

type Request = ReturnType<typeof request>;

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const reasoning = (value: string) => ({ kind: { case: "reasoning" as const, value: { text: value } } });
const toolCall = (id: string) => ({ kind: { case: "toolCall" as const, value: { id, name: "now" } } });
const toolResult = (id: string) => ({ kind: { case: "toolResult" as const, value: { toolCallId: id } } });

function model(providerModel = "mistral-small-latest", capabilities?: { reasoning: boolean }): Model {
  const id = `mistral/${providerModel}`;
  return create(ModelSchema, { id, provider: "mistral", providerModel, ...(capabilities && { capabilities }) });
}

const messagesOf = (asked: Request, of = model()) => toRequest(asked, of, "mistral", true).messages;

async function answerTo(
  body: string,
  asked: Request = request(),
  { whole = false } = {},
): Promise<{ events: readonly ChatEvent[]; reason: string | undefined; sent: string }> {
  const headers = { "content-type": whole ? "application/json" : "text/event-stream" };
  await using upstream = await startReplayUpstream({ headers, steps: [{ write: body }] });
  const mistral = adapter(upstream.baseUrl, {}, "mistral");
  const ask = whole ? (mistral.complete ?? mistral.stream) : mistral.stream;
  const { events, error } = await collect(ask(asked, model(), context()));
  await mistral.close?.();
  return { events, reason: error?.reason, sent: upstream.requests[0]?.body ?? "" };
}

const chunk = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`;
const stop = chunk({ choices: [{ index: 0, delta: { content: "" }, finish_reason: "stop" }] });
const calls = (...tool_calls: readonly object[]) => chunk({ choices: [{ index: 0, delta: { tool_calls } }] });

test('distinguishes tool calls with the id "null" by their index', async () => {
  const { events } = await answerTo(
    calls({ id: "null", index: 0, function: { name: "a", arguments: "" } }) +
      calls({ id: "null", index: 1, function: { name: "b", arguments: "" } }) +
      calls({ id: "null", index: 0, function: { name: "", arguments: '{"x":1}' } }) +
      stop,
  );
  const ids = events.flatMap((event) =>
    event.case === "delta" && event.value.delta.case === "toolCall" && event.value.delta.value.id !== ""
      ? [event.value.delta.value.id]
      : [],
  );
  expect(new Set(ids).size).toBe(2);
  expect(ids).not.toContain("null");
  expect(
    brief(events)
      .filter((line) => line.includes("toolCall 0.0"))
      .at(-1),
  ).toBe('toolCall 0.0 {"x":1}');
});

test("converts tool call arguments from an object to JSON", async () => {
  const { events } = await answerTo(
    calls({ id: "gSIMJiOkT", function: { name: "a", arguments: { b: 1, a: 2 } } }) + stop,
  );
  expect(brief(events)).toContain('toolCall 0.0 gSIMJiOkT a {"b":1,"a":2}');
});

test("reads a response without streaming like a stream", async () => {
  const whole = JSON.stringify({
    id: "w1",
    object: "chat.completion",
    model: "magistral-medium-latest",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: [
            { type: "thinking", thinking: [{ type: "text", text: "2+2" }], closed: true },
            { type: "text", text: "4" },
          ],
          tool_calls: null,
        },
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  });
  const { events, sent } = await answerTo(whole, request(), { whole: true });
  expect(brief(events)).toEqual(["started", "reasoning 0.0 2+2", "text 0.1 4", "finished 0 1 stop", "completed"]);
  expect(JSON.parse(sent)).toMatchObject({ stream: false });
});

test("drops hidden reasoning", async () => {
  const thinking = { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }], signature: "s" }] };
  const { events } = await answerTo(
    chunk({ choices: [{ index: 0, delta: thinking }] }) +
      chunk({ choices: [{ index: 0, delta: { content: "4" } }] }) +
      stop,
    request({ reasoning: { format: ReasoningFormat.HIDDEN } }),
  );
  expect(brief(events)).toEqual(["started", "text 0.0 4", "finished 0 1 stop", "completed"]);
});

test("reports a failure before output with its own reason", async () => {
  const failed = await answerTo(chunk({ choices: [{ index: 0, delta: {}, finish_reason: "error" }] }));
  expect(failed.reason).toBe("PROVIDER_UNAVAILABLE");
  const flat = await answerTo(chunk({ object: "error", message: "no", type: "invalid_model", code: "1500" }));
  expect(flat.reason).toBe("MODEL_NOT_FOUND");
});

test("sends a seed of any size as random_seed, with all digits", async () => {
  const { sent } = await answerTo(
    stop,
    request({ parameters: { seedValue: { case: "seed", value: 18446744073709551615n } } }),
  );
  expect(sent).toContain('"random_seed":18446744073709551615');
  expect(JSON.parse(sent)).not.toHaveProperty("stream_options");
});

test("inserts an assistant message between a tool result and a user message", () => {
  const asked = request({
    messages: [
      { role: Role.ASSISTANT, parts: [toolCall("gSIMJiOkT")] },
      { role: Role.TOOL, parts: [toolResult("gSIMJiOkT")] },
      { role: Role.USER, parts: [text("never mind")] },
    ],
  });
  expect(messagesOf(asked).map(({ role }) => role)).toEqual(["assistant", "tool", "assistant", "user"]);
});

test("continues a last assistant message, and removes the repeated text", async () => {
  const asked = request({
    messages: [
      { role: Role.USER, parts: [text("a poem")] },
      { role: Role.ASSISTANT, parts: [text("Roses are")] },
    ],
  });
  expect(messagesOf(asked).at(-1)).toEqual({ role: "assistant", content: "Roses are", prefix: true });
  const say = (content: string) => chunk({ choices: [{ index: 0, delta: { content } }] });
  const { events } = await answerTo(say("Ros") + say("es ar") + say("e red") + say(".") + stop, asked);
  expect(brief(events)).toEqual(["started", "text 0.0  red", "text 0.0 .", "finished 0 1 stop", "completed"]);
});

test("removes only the repeated text, for any split of the text into deltas", () => {
  const pieces = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 }), pieces, (expected, texts) => {
      const start = new RepeatedStart(expected);
      const stripped = texts.map((piece) => start.strip(piece)).join("") + start.end();
      const whole = texts.join("");
      expect(stripped).toBe(whole.startsWith(expected) ? whole.slice(expected.length) : whole);
    }),
  );
});

test("sends reasoning back to models that reason, and warns for other models", () => {
  const messages = [
    { role: Role.USER, parts: [text("2+2")] },
    { role: Role.ASSISTANT, parts: [reasoning("hm"), text("4")] },
    { role: Role.USER, parts: [text("sure?")] },
  ];
  const asked = request({ messages });
  const thinking = { type: "thinking", thinking: [{ type: "text", text: "hm" }], closed: true };
  expect(messagesOf(asked)[1]).toEqual({ role: "assistant", content: [thinking, { type: "text", text: "4" }] });
  const plain = model("ministral-8b-latest", { reasoning: false });
  expect(messagesOf(asked, plain)[1]).toEqual({ role: "assistant", content: "4" });
  expect(checkSupport(asked, plain)).toMatchObject([
    { kind: "EMULATED", field: ["messages", 1, "parts", 0, "reasoning"] },
  ]);
  const cleared = request({ messages, reasoning: { clearEarlierReasoning: true } });
  expect(messagesOf(cleared)[1]).toEqual({ role: "assistant", content: "4" });
});

const { NONE, LOW, MEDIUM, HIGH, MAX } = ReasoningEffort;

test.each([
  ["magistral-medium-latest", [NONE, HIGH], "REJECTED"],
  ["mistral-small-latest", [NONE, HIGH], "REJECTED"],
  ["mistral-large-4", [LOW, MEDIUM, HIGH], "REJECTED"],
  ["zai-glm-5-3", [LOW, HIGH, MAX], "REJECTED"],
  ["zai-glm-5-2", [NONE, HIGH], "REJECTED"],
  ["codestral-latest", [], "UNSUPPORTED_PARAMETER"],
  ["mistral-large-2512", [], "UNSUPPORTED_PARAMETER"],
  ["a-model-of-tomorrow", [NONE, LOW, MEDIUM, HIGH, MAX], "REJECTED"],
] as const)("accepts only supported efforts for %s", (name, supported: readonly ReasoningEffort[], kind) => {
  for (const effort of [NONE, LOW, MEDIUM, HIGH, MAX]) {
    const asked = request({ reasoning: { control: { case: "effort", value: effort } } });
    const expected = supported.includes(effort) ? [] : [{ kind, field: ["reasoning", "effort"] }];
    expect(checkSupport(asked, model(name))).toMatchObject(expected);
  }
});
