import { describe, expect } from "vitest";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { failureOf, paths, says, startStage } from "./support.ts";
import { replies, whole } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const gptOss = "gpt-oss-120b";
const answered = whole({ content: "42" });

describe("L. Prediction, caching, tiers", () => {
  behaviour(171, async () => {
    const usage = {
      ...{ prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
      completion_tokens_details: { accepted_prediction_tokens: 4, rejected_prediction_tokens: 0 },
    };
    const stage = await startStage({ cerebras: [whole({ content: "const a = 2;" }, { usage })] });
    const prediction = { type: "content", content: "const a = 1;" };
    const body = { model: gptOss, messages: says("Make it 2."), temperature: 0, prediction };
    const { body: answer } = await stage.post(paths.cerebras, body);
    expect(stage.sent("cerebras")).toMatchObject({ prediction });
    const details = { accepted_prediction_tokens: 4, rejected_prediction_tokens: 0 };
    expect(answer).toMatchObject({ usage: { completion_tokens_details: details } });
    // The prediction's content may be a list of text parts.
    const parts = [
      { type: "text", text: "const a " },
      { type: "text", text: "= 1;" },
    ];
    await stage.post(paths.cerebras, { ...body, prediction: { type: "content", content: parts } });
    expect(stage.sent("cerebras")).toMatchObject({ prediction });
    const chat = ask("cerebras/gpt-oss-120b", "?", { prediction: { content: prediction.content } });
    const { completion } = await stage.service.chatClient("grpc").completeChat({ chat });
    expect(stage.sent("cerebras")).toMatchObject({ prediction });
    expect(completion?.usage).toMatchObject({ acceptedPredictionTokens: 4, rejectedPredictionTokens: 0 });
    expect((await stage.post(paths.cerebras, { ...body, prediction: { type: "content" } })).status).toBe(400);
  });

  behaviour(172, async () => {
    const cached = (cached_tokens: number) => {
      const usage = { prompt_tokens: 300, completion_tokens: 2, total_tokens: 302 };
      return whole({ content: "42" }, { usage: { ...usage, prompt_tokens_details: { cached_tokens } } });
    };
    for (const [path, model, provider] of [
      [paths.deepinfra, llama2, "deepinfra"],
      [paths.cerebras, "llama3.1-8b", "cerebras"],
    ] as const) {
      const stage = await startStage({ [provider]: [cached(0), cached(256), cached(0), cached(256)] });
      const body = { model, messages: says("A long prefix."), prompt_cache_key: "s1" };
      const ask172 = async (account: string) => {
        const { body: answer } = await stage.post(path, body, { "x-selected-account-id": account });
        const { usage } = answer as { usage: { prompt_tokens_details: { cached_tokens: number } } };
        return { key: stage.sent(provider).prompt_cache_key, cached: usage.prompt_tokens_details.cached_tokens };
      };
      const first = await ask172("a1");
      const second = await ask172("a1");
      const other = await ask172("a2");
      expect([first.cached, second.cached, other.cached]).toEqual([0, 256, 0]);
      // The cache key that the provider receives separates the accounts.
      expect([first.key, second.key, other.key]).toEqual(["a1/s1", "a1/s1", "a2/s1"]);
      const chat = ask(model, "A long prefix.", { promptCacheKey: "s1", accountId: "a1" });
      const { completion } = await stage.service.chatClient("grpc").completeChat({ chat });
      expect(stage.sent(provider)).toMatchObject({ prompt_cache_key: "a1/s1" });
      expect(completion?.usage?.cachedInputTokens).toBe(256);
      await stage.post(path, { model, messages: says("A long prefix.") }, { "x-selected-account-id": "a1" });
      expect(stage.sent(provider)).not.toHaveProperty("prompt_cache_key");
    }
  });

  behaviour(173, async () => {
    const answer = (cached_tokens: number) => {
      const usage = { prompt_tokens: 200, completion_tokens: 2, total_tokens: 202 };
      return whole({ content: "42" }, { usage: { ...usage, prompt_tokens_details: { cached_tokens } } });
    };
    const stage = await startStage({ cerebras: [answer(0), answer(128)] });
    const system = { role: "system", content: "word ".repeat(190) };
    const post = (question: string) =>
      stage.post(paths.cerebras, { model: "llama3.1-8b", messages: [system, ...says(question)] });
    const details = (cached_tokens: number) => ({ body: { usage: { prompt_tokens_details: { cached_tokens } } } });
    expect(await post("one")).toMatchObject(details(0));
    expect(await post("two")).toMatchObject(details(128));
    // Cerebras caches by itself, so Dragoman must send equal prefixes byte for byte.
    const [one = "", two = ""] = stage.backend("cerebras").requests.map(({ body }) => body);
    expect(one.replace("one", "")).toBe(two.replace("two", ""));
    expect(JSON.parse(one).messages[0]).toEqual(system);
  });

  behaviour(174, async () => {
    const used = (tier: Record<string, unknown>) => whole({ content: "42" }, tier);
    const body = { model: "llama3.1-8b", messages: says("?") };
    const auto = await startStage({ cerebras: [used({ service_tier_used: "flex" })] });
    for (const service_tier of ["auto", "default", "flex", "priority"]) {
      const reply = await auto.post(paths.cerebras, { ...body, service_tier });
      expect(auto.sent("cerebras")).toMatchObject({ service_tier });
      expect(reply.body).toMatchObject({ service_tier });
      if (service_tier === "auto") expect(reply.body).toMatchObject({ service_tier_used: "flex" });
      else expect(reply.body).not.toHaveProperty("service_tier_used");
    }
    expect((await auto.post(paths.cerebras, { ...body, service_tier: "turbo" })).status).toBe(400);
    const chat = ask("llama3.1-8b", "?", { serviceTier: "auto" });
    const { completion } = await auto.service.chatClient("grpc").completeChat({ chat });
    expect([auto.sent("cerebras").service_tier, completion?.serviceTier]).toEqual(["auto", "flex"]);

    const stage = await startStage({ deepinfra: [used({}), used({ service_tier: "priority" })] });
    const priority = { model: llama2, messages: says("?"), service_tier: "priority" };
    expect((await stage.post(paths.deepinfra, priority)).body).toMatchObject({ service_tier: "default" });
    expect(stage.sent("deepinfra")).toMatchObject({ service_tier: "priority" });
    expect((await stage.post(paths.deepinfra, priority)).body).toMatchObject({ service_tier: "priority" });
  });

  behaviour(175, async () => {
    const full = {
      message: "The queue is full.",
      type: "too_many_requests_error",
      param: "queue",
      code: "queue_exceeded",
    };
    const stage = await startStage({ cerebras: [answered, answered, replies(429, full, { "retry-after": "2" })] });
    const post = (threshold: string, service_tier?: string) =>
      stage.post(
        paths.cerebras,
        { model: "llama3.1-8b", messages: says("?"), service_tier },
        { queue_threshold: threshold },
      );
    for (const [threshold, tier] of [
      ["49", "flex"],
      ["20001", "auto"],
      ["soon", "flex"],
      ["50", "default"],
      ["50", undefined],
    ] as const) {
      expect(await post(threshold, tier)).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("queue_threshold") },
      });
    }
    const options = (queue_threshold: number) => ({
      serviceTier: "flex",
      providerOptions: { cerebras: { queue_threshold } },
    });
    const client = stage.service.chatClient("grpc");
    expect(await failureOf(client.completeChat({ chat: ask("llama3.1-8b", "?", options(49)) }))).toMatchObject({
      code: "InvalidArgument",
    });
    expect(stage.asked()).toBe(0);
    expect((await post("50", "flex")).status).toBe(200);
    await client.completeChat({ chat: ask("llama3.1-8b", "?", options(20_000)) });
    const sent = stage.backend("cerebras").requests.map(({ headers }) => headers.queue_threshold);
    expect(sent).toEqual(["50", "20000"]);
    expect(stage.sent("cerebras")).not.toHaveProperty("queue_threshold");
    // Cerebras rejects the request if its queue exceeds the threshold.
    expect(await post("50", "flex")).toMatchObject({ status: 429, body: { code: "queue_exceeded" } });
    expect(await failureOf(client.completeChat({ chat: ask("llama3.1-8b", "?", options(50)) }))).toMatchObject({
      code: "ResourceExhausted",
    });
  });
});
