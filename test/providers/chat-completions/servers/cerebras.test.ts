import { describe, expect, it } from "vitest";
import { formatPath } from "../../../../src/field-path.ts";
import type { ChatRequest } from "../../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../../src/gen/dragoman/v1/reasoning_pb.js";
import { modelOf, text, thought } from "../../../contract/fixtures/chat-completions.ts";
import { applyAdaptations } from "../../../support/planning.ts";
import { startReplayUpstream } from "../../../support/replay-upstream.ts";
import { adapter, brief, collect, context, request } from "../harness.ts";

const model = modelOf("cerebras", "gpt-oss-120b");
const json = { outputFormat: { format: { case: "jsonObject" as const, value: {} } } };

const whole = {
  id: "chatcmpl-c1",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: '{"a":1}', reasoning: "Hm." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 8, completion_tokens: 3, total_tokens: 11 },
  time_info: { queue_time: 0.0001, prompt_time: 0.002, completion_time: 1.5, total_time: 1.6, created: 1_790_000_000 },
  service_tier: "auto",
  service_tier_used: "flex",
};

const effort = (value: ReasoningEffort) => ({ reasoning: { control: { case: "effort" as const, value } } });
const format = (value: ReasoningFormat) => ({ reasoning: { format: value } });
const own = (options: Record<string, string | number | boolean>) => ({ providerOptions: { cerebras: options } });

/** Sends a request to a replayed response: a stream if the body is text, else JSON. */
async function ask(asked: ChatRequest, body: object | string, status = 200) {
  const isStream = typeof body === "string";
  await using upstream = await startReplayUpstream({
    status,
    headers: { "content-type": isStream ? "text/event-stream" : "application/json" },
    steps: [{ write: isStream ? body : JSON.stringify(body) }],
  });
  const cerebras = adapter(`${upstream.baseUrl}/v1`, {}, "cerebras");
  const found = [...cerebras.checkSupport(asked, model), ...(cerebras.checkStream?.(asked) ?? [])];
  const limited = applyAdaptations(asked, found);
  const outcome = await collect(cerebras.stream(limited.request, model, context()));
  await cerebras.close?.();
  const [seen] = upstream.requests;
  return { ...outcome, seen, sent: JSON.parse(seen?.body ?? "{}"), warnings: limited.warnings };
}

describe("streamed JSON output at Cerebras", () => {
  it("requests JSON output without a stream, yields it at once, and warns", async () => {
    const { events, sent, warnings } = await ask(request(json), whole);
    expect(sent).toMatchObject({ stream: false, response_format: { type: "json_object" } });
    expect(sent).not.toHaveProperty("stream_options");
    expect(warnings.map(({ reason, field }) => `${reason} ${field}`)).toEqual(["EMULATED output_format"]);
    expect(brief(events)).toEqual([
      "started",
      "reasoning 0.0 Hm.",
      'text 0.1 {"a":1}',
      "finished 0 1 stop",
      "completed",
    ]);
  });

  it("reports JSON_GENERATION_FAILED with the model's invalid output", async () => {
    const { error, events } = await ask(request(json), { message: "No.", code: "x", failed_generation: '{"a' }, 400);
    expect(events).toEqual([]);
    expect(error).toMatchObject({ reason: "JSON_GENERATION_FAILED", facts: { failedGeneration: '{"a' } });
  });
});

describe("reasoning at Cerebras", () => {
  it.each([
    [effort(ReasoningEffort.NONE), { reasoning_effort: "none" }],
    [effort(ReasoningEffort.LOW), { reasoning_effort: "low" }],
    [effort(ReasoningEffort.HIGH), { reasoning_effort: "high" }],
    [own({ disable_reasoning: true }), { disable_reasoning: true }],
    [format(ReasoningFormat.PARSED), { reasoning_format: "parsed" }],
    [format(ReasoningFormat.RAW), { reasoning_format: "raw" }],
    [format(ReasoningFormat.HIDDEN), { reasoning_format: "hidden" }],
    [own({ reasoning_format: "text_parsed" }), { reasoning_format: "text_parsed" }],
    [{ ...format(ReasoningFormat.PARSED), ...own({ reasoning_format: "none" }) }, { reasoning_format: "none" }],
    [{ parameters: { minOutputTokens: 7 } }, { min_completion_tokens: 7 }],
  ])("sends reasoning and length fields as requested: %o", async (asked, sent) => {
    const outcome = await ask(request(asked), whole);
    expect(outcome.sent).toMatchObject(sent);
    expect(outcome.warnings).toEqual([]);
  });

  it("sends no reasoning fields if the request sets none", async () => {
    const { sent } = await ask(request(), whole);
    for (const field of ["reasoning_effort", "reasoning_format", "clear_thinking", "disable_reasoning"]) {
      expect(sent).not.toHaveProperty(field);
    }
  });

  it("sends clear_thinking, and drops the reasoning of earlier turns", async () => {
    const messages = [
      { role: Role.USER, parts: [text("a")] },
      { role: Role.ASSISTANT, parts: [thought("Hm."), text("b")] },
      { role: Role.USER, parts: [text("c")] },
    ];
    const cleared = await ask(request({ messages, reasoning: { clearEarlierReasoning: true } }), whole);
    expect(cleared.sent.clear_thinking).toBe(true);
    expect(cleared.sent.messages[1]).toEqual({ role: "assistant", content: "b" });
    const kept = await ask(request({ messages, reasoning: { clearEarlierReasoning: false } }), whole);
    expect(kept.sent.clear_thinking).toBe(false);
    expect(kept.sent.messages[1]).toEqual({ role: "assistant", content: "b", reasoning: "Hm." });
  });

  it("drops hidden reasoning, but counts its tokens", async () => {
    const usage = { ...whole.usage, completion_tokens_details: { reasoning_tokens: 2 } };
    const { events } = await ask(request(format(ReasoningFormat.HIDDEN)), { ...whole, usage });
    expect(brief(events).some((event) => event.startsWith("reasoning"))).toBe(false);
    expect(events.at(-1)?.value).toMatchObject({ usage: { outputTokens: 3, reasoningTokens: 2 } });
  });

  it("keeps raw reasoning inside the text", async () => {
    const message = { role: "assistant", content: "<think>Hm.</think>Hi" };
    const answer = { ...whole, choices: [{ index: 0, message, finish_reason: "stop" }] };
    const { events } = await ask(request(format(ReasoningFormat.RAW)), answer);
    expect(brief(events)).toContain("text 0.0 <think>Hm.</think>Hi");
  });
});

describe("a response of Cerebras", () => {
  const facts = {
    serviceTier: "flex",
    timeInfo: {
      queueDuration: { seconds: 0n, nanos: 100_000 },
      promptDuration: { seconds: 0n, nanos: 2_000_000 },
      completionDuration: { seconds: 1n, nanos: 500_000_000 },
      providerDuration: { seconds: 1n, nanos: 600_000_000 },
    },
  };

  it("reports timings and the service tier, with and without streaming", async () => {
    const { choices: _, ...envelope } = whole;
    const chunk = (fields: object) => `data: ${JSON.stringify({ id: "chatcmpl-c1", ...fields })}\n\n`;
    const stream = [
      chunk({ choices: [{ index: 0, delta: { role: "assistant", content: null } }] }),
      chunk({ choices: [{ index: 0, delta: { content: "Hi" } }] }),
      chunk({ ...envelope, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
      "data: [DONE]\n\n",
    ].join("");
    expect((await ask(request(json), whole)).events.at(-1)?.value).toMatchObject(facts);
    expect((await ask(request(), stream)).events.at(-1)?.value).toMatchObject(facts);
  });

  it("reports accepted and rejected prediction tokens", async () => {
    const completion_tokens_details = { accepted_prediction_tokens: 2, rejected_prediction_tokens: 1 };
    const { events, sent } = await ask(request({ prediction: { content: "Rain." } }), {
      ...whole,
      usage: { ...whole.usage, completion_tokens_details },
    });
    expect(sent.prediction).toEqual({ type: "content", content: "Rain." });
    expect(events.at(-1)?.value).toMatchObject({
      usage: { acceptedPredictionTokens: 2, rejectedPredictionTokens: 1 },
    });
  });

  it("reports both lengths of a prompt that is too long", async () => {
    const message =
      "Please reduce the length of the messages or completion. Current length is 8193 while limit is 8192";
    const code = "context_length_exceeded";
    const { error } = await ask(request(), { message, type: "invalid_request_error", param: "messages", code }, 400);
    expect(error).toMatchObject({
      reason: "CONTEXT_LENGTH_EXCEEDED",
      facts: { metadata: { input_tokens: "8193", context_window_tokens: "8192" } },
    });
  });
});

describe("queue_threshold", () => {
  it("sends queue_threshold as a header and not in the body", async () => {
    const options = { providerOptions: { cerebras: { queue_threshold: 50, model_parameters: { x: 1 } } } };
    const { seen, sent } = await ask(request({ serviceTier: "auto", ...options }), whole);
    expect(seen?.headers.queue_threshold).toBe("50");
    expect(sent).not.toHaveProperty("queue_threshold");
    expect(sent.model_parameters).toEqual({ x: 1 });
  });

  it.each([
    ["flex", 50, true],
    ["auto", 20_000, true],
    ["flex", 49, false],
    ["flex", 20_001, false],
    ["priority", 100, false],
    ["", 100, false],
  ])("checks queue_threshold with tier %j and %d ms, accepted: %s", (serviceTier, queue_threshold, isAccepted) => {
    const asked = request({ serviceTier, ...own({ queue_threshold }) });
    const found = adapter("http://127.0.0.1:9/v1", {}, "cerebras").checkSupport(asked, model);
    expect(found.map(({ kind, field }) => `${kind} ${formatPath(field)}`)).toEqual(
      isAccepted ? [] : ["REJECTED provider_options"],
    );
  });
});
