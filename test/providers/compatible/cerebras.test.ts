import { describe, expect, it } from "vitest";
import { applyLimitations } from "../../../src/chat/limitations.ts";
import type { ChatRequest } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { modelOf } from "../../contract/dialects/openai-fixtures.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { adapter, brief, collect, context, request } from "../openai/harness.ts";

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

async function ask(asked: ChatRequest, body: object, status = 200) {
  await using upstream = await startReplayUpstream({
    status,
    headers: { "content-type": "application/json" },
    steps: [{ write: JSON.stringify(body) }],
  });
  const cerebras = adapter(`${upstream.baseUrl}/v1`, {}, "cerebras");
  const limited = applyLimitations(asked, cerebras.limitations(asked, model));
  const outcome = await collect(cerebras.stream(limited.request, model, context()));
  await cerebras.close?.();
  const [seen] = upstream.requests;
  return { ...outcome, seen, sent: JSON.parse(seen?.body ?? "{}"), warnings: limited.warnings };
}

describe("a stream of JSON at Cerebras, which streams none", () => {
  it("is asked for as a whole, sent on at once, and warned about", async () => {
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

  it("is JSON_GENERATION_FAILED with what the model wrote when that is no JSON", async () => {
    const { error, events } = await ask(request(json), { message: "No.", code: "x", failed_generation: '{"a' }, 400);
    expect(events).toEqual([]);
    expect(error).toMatchObject({ reason: "JSON_GENERATION_FAILED", facts: { failedGeneration: '{"a' } });
  });
});

describe("an answer of Cerebras", () => {
  it("says where the time went and which tier was used", async () => {
    const { events } = await ask(request(json), whole);
    expect(events.at(-1)?.value).toMatchObject({
      serviceTier: "flex",
      timeInfo: {
        queueDuration: { seconds: 0n, nanos: 100_000 },
        promptDuration: { seconds: 0n, nanos: 2_000_000 },
        completionDuration: { seconds: 1n, nanos: 500_000_000 },
        providerDuration: { seconds: 1n, nanos: 600_000_000 },
      },
    });
  });
});

describe("queue_threshold", () => {
  it("goes out as a header and not in the body, which has no such field", async () => {
    const options = { providerOptions: { cerebras: { queue_threshold: 50, model_parameters: { x: 1 } } } };
    const { seen, sent } = await ask(request({ serviceTier: "auto", ...options }), whole);
    expect(seen?.headers.queue_threshold).toBe("50");
    expect(sent).not.toHaveProperty("queue_threshold");
    expect(sent.model_parameters).toEqual({ x: 1 });
  });
});
