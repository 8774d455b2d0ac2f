import { describe, expect } from "vitest";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { failureOf, paths, says, startStage, wrongPlaces } from "./support.ts";
import { warningsOf, whole } from "./wire.ts";

const thinking = "deepseek-ai/DeepSeek-R1-0528";
const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const gptOss = "gpt-oss-120b";

const efforts = { none: "NONE", low: "LOW", medium: "MEDIUM", high: "HIGH" } as const;
const effort = (value: ReasoningEffort) => ({ reasoning: { control: { case: "effort", value } } }) as const;

const counted = {
  usage: {
    ...{ prompt_tokens: 3, completion_tokens: 9, total_tokens: 12 },
    completion_tokens_details: { reasoning_tokens: 7 },
  },
};
const answered = whole({ content: "42" });
const thought = whole({ content: "42", reasoning: "6 by 7" }, counted);
const hidden = whole({ content: "42" }, counted);

/** Returns the message of the only choice. */
function messageOf({ body }: { readonly body: unknown }): Readonly<Record<string, unknown>> {
  const { choices } = body as { choices: readonly { message: Record<string, unknown> }[] };
  return choices[0]?.message ?? {};
}

describe("L. Reasoning", () => {
  behaviour(162, async () => {
    for (const [path, model, provider, field] of [
      [paths.deepinfra, thinking, "deepinfra", "reasoning_content"],
      [paths.cerebras, gptOss, "cerebras", "reasoning"],
    ] as const) {
      const stage = await startStage({ [provider]: [thought, thought, thought, answered] });
      const body = { model, messages: says("6 by 7?") };
      for (const word of ["low", "medium", "high"] as const) {
        const reply = await stage.post(path, { ...body, reasoning_effort: word });
        expect(stage.sent(provider)).toMatchObject({ reasoning_effort: word });
        expect(messageOf(reply)).toMatchObject({ content: "42", [field]: "6 by 7" });
      }
      const none = await stage.post(path, { ...body, reasoning_effort: "none" });
      expect(stage.sent(provider)).toMatchObject({ reasoning_effort: "none" });
      expect(messageOf(none)).toEqual({ role: "assistant", content: "42" });

      for (const reasoning_effort of ["max", "minimal", ""]) {
        const reply = await stage.post(path, { ...body, reasoning_effort });
        expect(reply.status).toBe(provider === "cerebras" ? 400 : 422);
        expect(JSON.stringify(reply.body)).toContain("reasoning_effort");
      }
      const client = stage.service.chatClient("grpc");
      const name = `${provider}/${model}`;
      for (const [word, constant] of Object.entries(efforts)) {
        await client.completeChat({ chat: ask(name, "?", effort(ReasoningEffort[constant])) });
        expect(stage.sent(provider)).toMatchObject({ reasoning_effort: word });
      }
      expect(stage.asked()).toBe(8);
      const max = {
        ...effort(ReasoningEffort.MAX),
        profile: Profile[provider === "cerebras" ? "CEREBRAS" : "DEEPINFRA"],
      };
      const call = client.completeChat({ chat: ask(name, "?", max) });
      expect(await failureOf(call)).toMatchObject({ code: "InvalidArgument", fields: ["chat.reasoning.effort"] });
      expect(stage.asked()).toBe(8);
    }
  });

  behaviour(163, async () => {
    const stage = await startStage({ openai: [], "llm-engine": [] });
    const body = { messages: says("Why?") };
    for (const reasoning_effort of ["low", "medium", "high"]) {
      const reply = await stage.post(paths.egpChat, {
        ...body,
        model: "o3-mini",
        model_parameters: { reasoning_effort },
      });
      expect([reply.status, stage.sent("openai").reasoning_effort]).toEqual([200, reasoning_effort]);
    }
    const none = { ...body, model: "o3-mini", model_parameters: { reasoning_effort: "none" } };
    const rejected = await stage.post(paths.egpChat, none);
    expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.model_parameters.reasoning_effort"]]);

    const parameters = { reasoning_effort: "high" };
    const llama = { ...body, model: "llama-3-1-8b-instruct", model_parameters: parameters };
    const ignored = await stage.post(paths.egpChat, llama);
    expect(ignored.status).toBe(200);
    expect(warningsOf(ignored)).toContainEqual(["UNSUPPORTED_PARAMETER", "model_parameters.reasoning_effort"]);
    expect(stage.sent("llm-engine")).not.toHaveProperty("reasoning_effort");

    const client = stage.service.chatClient("grpc");
    await client.completeChat({ chat: ask("o3-mini", "Why?", effort(ReasoningEffort.HIGH)) });
    expect(stage.sent("openai")).toMatchObject({ reasoning_effort: "high" });
    const strict = { ...effort(ReasoningEffort.HIGH), strictParameters: true };
    expect(await failureOf(client.completeChat({ chat: ask("llama-3-1-8b-instruct", "Why?", strict) }))).toMatchObject({
      reason: "UNSUPPORTED_PARAMETER",
      fields: ["chat.reasoning"],
    });
  });

  behaviour(164, async () => {
    const stage = await startStage({ deepinfra: [answered] });
    const sentFor = async (more: object) => {
      const reply = await stage.post(paths.deepinfra, { model: thinking, messages: says("?"), ...more });
      expect(reply.status).toBe(200);
      expect(messageOf(reply)).not.toHaveProperty("reasoning_content");
      return stage.sent("deepinfra");
    };
    const none = await sentFor({ reasoning_effort: "none" });
    expect(none).toMatchObject({ reasoning_effort: "none" });
    expect(await sentFor({ reasoning: { enabled: false } })).toEqual(none);
    const high = await sentFor({ reasoning_effort: "high" });
    expect(await sentFor({ reasoning: { effort: "high" } })).toEqual(high);
    expect(await sentFor({ reasoning: { effort: "high", enabled: true } })).toEqual(high);
    // `enabled: true` without an effort selects the model's default effort.
    const own = await sentFor({});
    expect(own).not.toHaveProperty("reasoning_effort");
    expect(await sentFor({ reasoning: { enabled: true } })).toEqual(own);
  });

  behaviour(165, async () => {
    const stage = await startStage({ deepinfra: [answered] });
    const post = (more: object) => stage.post(paths.deepinfra, { model: thinking, messages: says("?"), ...more });
    for (const [more, place] of [
      [{ reasoning_effort: "low", reasoning: { effort: "high" } }, "body.reasoning.effort"],
      [{ reasoning_effort: "low", reasoning: { enabled: false } }, "body.reasoning.enabled"],
      [{ reasoning_effort: "none", reasoning: { enabled: true } }, "body.reasoning.enabled"],
      [{ reasoning: { effort: "low", enabled: false } }, "body.reasoning.enabled"],
    ] as const) {
      const reply = await post(more);
      expect([reply.status, wrongPlaces(reply)]).toEqual([422, [place]]);
    }
    expect(stage.asked()).toBe(0);
    expect((await post({ reasoning_effort: "low", reasoning: { effort: "low" } })).status).toBe(200);
    expect(stage.sent("deepinfra")).toMatchObject({ reasoning_effort: "low" });
  });

  behaviour(166, async () => {
    const stage = await startStage({ deepinfra: [answered] });
    for (const [more, field] of [
      [{ reasoning_effort: "high" }, "reasoning_effort"],
      [{ reasoning: { effort: "high" } }, "reasoning.effort"],
      [{ reasoning_effort: "none" }, "reasoning_effort"],
    ] as const) {
      const reply = await stage.post(paths.deepinfra, { model: llama2, messages: says("?"), ...more });
      expect(reply.status).toBe(200);
      expect(messageOf(reply)).toEqual({ role: "assistant", content: "42" });
      expect(warningsOf(reply)).toContainEqual(["UNSUPPORTED_PARAMETER", field]);
      expect(stage.sent("deepinfra")).not.toHaveProperty("reasoning_effort");
    }
    const chat = ask(llama2, "?", effort(ReasoningEffort.HIGH));
    const { completion } = await stage.service.chatClient("grpc").completeChat({ chat });
    expect(completion?.warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "reasoning" }]);
    expect(stage.sent("deepinfra")).not.toHaveProperty("reasoning_effort");
  });

  behaviour(167, async () => {
    const body = { model: gptOss, messages: says("6 by 7?") };
    const ask167 = async (script: typeof thought, reasoning_format?: string) => {
      const stage = await startStage({ cerebras: [script] });
      const { body: answer } = await stage.post(paths.cerebras, { ...body, reasoning_format });
      const { usage } = answer as { usage: Record<string, unknown> };
      return { message: messageOf({ body: answer }), usage, sent: stage.sent("cerebras").reasoning_format };
    };
    const details = { completion_tokens_details: { reasoning_tokens: 7 } };
    for (const word of ["parsed", "text_parsed"]) {
      const { message, sent } = await ask167(thought, word);
      expect([message, sent]).toMatchObject([{ content: "42", reasoning: "6 by 7" }, "parsed"]);
    }
    // Dragoman omits the reasoning even if the backend sends it.
    for (const script of [hidden, thought]) {
      const { message, sent, usage } = await ask167(script, "hidden");
      expect([message, sent]).toEqual([{ role: "assistant", content: "42" }, "hidden"]);
      expect(usage).toMatchObject({ completion_tokens: 9, ...details });
    }
    const raw = await ask167(whole({ content: "<think>6 by 7</think>42" }), "raw");
    expect([raw.message, raw.sent]).toEqual([{ role: "assistant", content: "<think>6 by 7</think>42" }, "raw"]);
    // The model's default format.
    for (const word of ["none", undefined]) expect((await ask167(thought, word)).sent).toBeUndefined();

    const stage = await startStage({ cerebras: [thought] });
    expect((await stage.post(paths.cerebras, { ...body, reasoning_format: "loud" })).status).toBe(400);
    const chat = ask("cerebras/gpt-oss-120b", "?", { reasoning: { format: ReasoningFormat.HIDDEN } });
    const { completion } = await stage.service.chatClient("grpc").completeChat({ chat });
    expect(stage.sent("cerebras")).toMatchObject({ reasoning_format: "hidden" });
    expect(completion?.choices[0]?.message?.parts.map(({ kind }) => kind.case)).toEqual(["text"]);
    expect(completion?.usage).toMatchObject({ outputTokens: 9, reasoningTokens: 7 });
  });

  behaviour(168, async () => {
    const stage = await startStage({ cerebras: [whole({ content: "{}" })] });
    const schema = { type: "object", properties: {}, additionalProperties: false };
    const formats = [{ type: "json_object" }, { type: "json_schema", json_schema: { name: "a", schema } }];
    const body = { model: gptOss, messages: says("JSON") };
    for (const response_format of formats) {
      expect(await stage.post(paths.cerebras, { ...body, response_format, reasoning_format: "raw" })).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("reasoning_format"), code: "wrong_api_format" },
      });
    }
    const outputFormat = { format: { case: "jsonObject", value: {} } } as const;
    const raw = { outputFormat, reasoning: { format: ReasoningFormat.RAW } };
    const call = stage.service.chatClient("grpc").completeChat({ chat: ask("cerebras/gpt-oss-120b", "JSON", raw) });
    expect(await failureOf(call)).toMatchObject({ code: "InvalidArgument", fields: ["chat.reasoning.format"] });
    expect(stage.asked()).toBe(0);
    for (const response_format of formats) {
      const reply = await stage.post(paths.cerebras, { ...body, response_format, reasoning_format: "parsed" });
      expect(reply.status).toBe(200);
    }
  });

  behaviour(169, async () => {
    const stage = await startStage({ cerebras: [answered] });
    const messages = [
      { role: "user", content: "6 by 7?" },
      { role: "assistant", content: "42", reasoning: "an old thought" },
      { role: "user", content: "And 6 by 8?" },
    ];
    const sentFor = async (more: object) => {
      expect((await stage.post(paths.cerebras, { model: gptOss, messages, ...more })).status).toBe(200);
      return stage.sent("cerebras");
    };
    const cleared = await sentFor({ clear_thinking: true });
    expect(cleared).toMatchObject({ clear_thinking: true });
    expect(JSON.stringify(cleared)).not.toContain("an old thought");
    const kept = await sentFor({ clear_thinking: false });
    expect(kept).toMatchObject({ clear_thinking: false, messages });

    expect(await sentFor({ disable_reasoning: true })).toMatchObject({ reasoning_effort: "none" });
    expect(await sentFor({ disable_reasoning: false })).not.toHaveProperty("reasoning_effort");
    const both = { model: gptOss, messages, disable_reasoning: true, reasoning_effort: "high" };
    expect((await stage.post(paths.cerebras, both)).status).toBe(400);
  });

  behaviour(170, async () => {
    const usageOf = async (usage: object) => {
      const stage = await startStage({ deepinfra: [whole({ content: "42" }, { usage })], cerebras: [thought] });
      const { body } = await stage.post(paths.deepinfra, { model: thinking, messages: says("?") });
      const answer = body as {
        usage: { completion_tokens: number; completion_tokens_details: Record<string, number> };
      };
      const { completion } = await stage.service.chatClient("grpc").completeChat({ chat: ask(thinking, "?") });
      const { reasoning_tokens = -1 } = answer.usage.completion_tokens_details;
      // HTTP APIs report 0 where the provider reports no count.
      const { outputTokens, reasoningTokens = 0 } = completion?.usage ?? {};
      expect([outputTokens, reasoningTokens]).toEqual([answer.usage.completion_tokens, reasoning_tokens]);
      return [reasoning_tokens, answer.usage.completion_tokens];
    };
    expect(await usageOf(counted.usage)).toEqual([7, 9]);
    // DeepInfra's Gemini and Gemma exclude reasoning from completion_tokens; Dragoman always includes it.
    expect(await usageOf({ ...counted.usage, completion_tokens: 2, total_tokens: 5 })).toEqual([7, 9]);
    expect(await usageOf({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 })).toEqual([0, 2]);
  });
});
