import { createHash } from "node:crypto";
import { describe, expect } from "vitest";
import { ask } from "../support/requests.ts";
import { readEvents } from "../surfaces/harness.ts";
import { behaviour } from "./behaviour.ts";
import { paths, type Reply, says, startStage } from "./support.ts";
import { chunksOf, delta, finish, streamed, whole } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const llama31 = "llama3.1-8b";
const deployments = { d1: { model: "llama-3-1-8b-instruct" } };
const prompt = { prompt: "Where?", chat_history: says("Hello") };
const messages = says("Where?");
const oslo = whole({ content: "Oslo" });

/** A backend response without usage. */
const uncounted = whole({ content: "Oslo" }, { usage: undefined });

interface OpenAiUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}
const usageIn = ({ body }: Reply): OpenAiUsage => (body as { usage: OpenAiUsage }).usage;

describe("N. Responses and usage", () => {
  behaviour(194, async () => {
    const stage = await startStage({ openai: [oslo, uncounted] });
    const first = await stage.post(paths.egpChat, { model: "gpt-4o", messages });
    expect(first.body).toEqual({
      chat_completion: { message: { role: "assistant", content: "Oslo" }, finish_reason: "stop" },
      token_usage: { prompt: 3, completion: 2, total: 5 },
    });
    const second = await stage.post(paths.egpChat, { model: "gpt-4o", messages });
    expect(second.body).toMatchObject({ chat_completion: { message: { content: "Oslo" } }, token_usage: null });
  });

  behaviour(195, async () => {
    // The backend's total is wrong.
    const usage = { prompt_tokens: 30, completion_tokens: 12, total_tokens: 12 };
    const answered = [whole({ content: "Oslo" }, { usage }), streamed(delta({ content: "Oslo" }), finish({ usage }))];
    const stage = await startStage({ openai: [...answered, whole({ content: "Oslo" }, { usage })] });
    const { body } = await stage.post(paths.egpChat, { model: "gpt-4o", messages });
    const expected = { prompt: 30, completion: 12, total: 42 };
    expect(body).toMatchObject({ token_usage: expected });
    const { data } = await readEvents(await stage.send(paths.egpChat, { model: "gpt-4o", messages, stream: true }));
    expect(JSON.parse(data.at(-1) ?? "null")).toMatchObject({ token_usage: expected });
    const { completion } = await stage.service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "Where?") });
    expect(completion?.usage).toMatchObject({ inputTokens: 30, outputTokens: 12, totalTokens: 42 });
  });

  behaviour(196, async () => {
    const tokens = [{ token: "Oslo", logprob: -0.5, bytes: [79], top_logprobs: [] }];
    const logged = whole({ content: "Oslo" }, { choice: { logprobs: { content: tokens } } });
    const stage = await startStage({ "llm-engine": [oslo, logged] }, { deployments });
    const first = await stage.post(paths.egpDeployment("d1"), prompt);
    expect(first.body).toEqual({
      completions: [["Where?", ["Oslo"]]],
      finish_reason: "stop",
      prompt_tokens: 3,
      response_tokens: 2,
    });
    expect(stage.sent("llm-engine").messages).toEqual([...says("Hello"), ...says("Where?")]);
    const second = await stage.post(paths.egpDeployment("d1"), { ...prompt, logprobs: true });
    expect(second.body).toMatchObject({ choices: [{ index: 0, logprobs: { content: tokens } }] });
  });

  behaviour(197, async () => {
    const stage = await startStage({ "llm-engine": [uncounted, oslo] }, { deployments });
    const { body } = await stage.post(paths.egpDeployment("d1"), prompt);
    expect(body).toMatchObject({ completions: [["Where?", ["Oslo"]]], prompt_tokens: 0, response_tokens: 0 });
    const { body: counted } = await stage.post(paths.egpDeployment("d1"), prompt);
    expect(counted).toMatchObject({ prompt_tokens: 3, response_tokens: 2 });
  });

  behaviour(198, async () => {
    const fingerprint = { system_fingerprint: "fp_1" };
    for (const [path, model, provider] of [
      [paths.cerebras, llama31, "cerebras"],
      [paths.deepinfra, llama2, "deepinfra"],
    ] as const) {
      const stage = await startStage({ [provider]: [whole({ content: "Oslo" }, fingerprint)] });
      const before = Math.floor(Date.now() / 1000);
      const { body } = await stage.post(path, { model, messages });
      const { created } = body as { created: number };
      expect(created).toBeGreaterThanOrEqual(before);
      expect(created).toBeLessThanOrEqual(Date.now() / 1000);
      expect(body).toMatchObject({
        id: expect.stringMatching(/^chatcmpl-\w+$/),
        object: "chat.completion",
        model,
        choices: [{ index: 0, message: { role: "assistant", content: "Oslo" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
        ...fingerprint,
      });
      const { body: next } = await stage.post(path, { model, messages });
      expect((next as { id: string }).id).not.toBe((body as { id: string }).id);
    }
  });

  behaviour(199, async () => {
    const times = { queue_time: 0.25, prompt_time: 0.5, completion_time: 1, total_time: 1.75 };
    const timed = { time_info: { ...times, created: 1 } };
    const stage = await startStage({ cerebras: [whole({ content: "Oslo" }, timed), oslo] });
    const { body } = await stage.post(paths.cerebras, { model: llama31, messages });
    expect(body).toMatchObject({ time_info: { ...times, created: expect.any(Number) } });
    const { queue_time, prompt_time, completion_time, total_time } = times;
    expect(total_time).toBeGreaterThanOrEqual(queue_time + prompt_time + completion_time);
    // Without times from the backend, Dragoman measures the total itself.
    const { body: untimed } = await stage.post(paths.cerebras, { model: llama31, messages });
    const { time_info: own } = untimed as { time_info: Record<string, number> };
    expect(own.total_time).toBeGreaterThanOrEqual(0);
    expect(own).not.toHaveProperty("queue_time");
  });

  behaviour(200, async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5, estimated_cost: 0.000_125 };
    const priced = streamed(delta({ content: "Oslo" }), finish({ usage }));
    const stage = await startStage({ deepinfra: [whole({ content: "Oslo" }, { usage }), priced, oslo] });
    const body = { model: llama2, messages };
    expect(usageIn(await stage.post(paths.deepinfra, body))).toMatchObject({ estimated_cost: 0.000_125 });
    const chunks = await chunksOf(await stage.send(paths.deepinfra, { ...body, stream: true }));
    expect(chunks.at(-1)?.usage).toMatchObject({ estimated_cost: 0.000_125 });
    // Without a cost from the backend, it is that of the configured price: 5 tokens at a dollar per million.
    expect(usageIn(await stage.post(paths.deepinfra, body))).toMatchObject({ estimated_cost: 0.000_005 });
  });

  behaviour(201, async () => {
    const usage = {
      ...{ prompt_tokens: 30, completion_tokens: 12, total_tokens: 42 },
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 5 },
    };
    const counted = whole({ content: "Oslo" }, { usage });
    const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
    const keys = [
      { id: "team-a", sha256: sha256("key-a"), accounts: ["a1", "a2"] },
      { id: "team-b", sha256: sha256("key-b"), accounts: ["b1"] },
    ];
    const file = { deployments, authentication: { keys } };
    const scripts = { openai: [oslo], "llm-engine": [oslo], cerebras: [counted], deepinfra: [counted] };
    const stage = await startStage(scripts, file);
    const a2 = { "x-api-key": "key-a", "x-selected-account-id": "a2" };
    const b = { authorization: "Bearer key-b" };

    const chat = await stage.post(
      paths.egpChat,
      { model: "gpt-4o", messages, account_id: "a1" },
      { "x-api-key": "key-a" },
    );
    const { token_usage: first } = chat.body as { token_usage: { total: number } };
    const deployment = await stage.post(paths.egpDeployment("d1"), prompt, a2);
    const second = deployment.body as { prompt_tokens: number; response_tokens: number };
    const third = usageIn(await stage.post(paths.cerebras, { model: llama31, messages, user: "u1" }, b));
    const fourth = usageIn(await stage.post(paths.deepinfra, { model: llama2, messages, user: "u2" }, b));
    const question = ask(llama2, "Where?", { user: "u3" });
    const { completion } = await stage.service.chatClient("grpc").completeChat({ chat: question }, { headers: b });
    const fifth = completion?.usage;
    // A rejected call writes a record without usage.
    expect((await stage.post(paths.deepinfra, { model: llama2, messages }, { "x-api-key": "?" })).status).toBe(401);

    const { records } = stage.service;
    expect(records.map(({ keyId, accountId, model, user }) => [keyId, accountId, model, user])).toEqual([
      ["team-a", "a1", "gpt-4o", ""],
      ["team-a", "a2", "deployments/d1", ""],
      ["team-b", "b1", expect.stringContaining(llama31), "u1"],
      ["team-b", "b1", llama2, "u2"],
      ["team-b", "b1", llama2, "u3"],
      ["", "", "", ""],
    ]);
    expect(records.at(-1)?.usage).toBeUndefined();
    const sum = (count: "totalTokens" | "cachedInputTokens" | "reasoningTokens") =>
      records.reduce((total, record) => total + (record.usage?.[count] ?? 0), 0);
    const replies = [third, fourth];
    expect(sum("totalTokens")).toBe(
      first.total +
        second.prompt_tokens +
        second.response_tokens +
        replies.reduce((total, reply) => total + reply.total_tokens, 0) +
        (fifth?.totalTokens ?? 0),
    );
    expect(sum("cachedInputTokens")).toBe(
      replies.reduce((total, reply) => total + reply.prompt_tokens_details.cached_tokens, 0) +
        (fifth?.cachedInputTokens ?? 0),
    );
    expect(sum("reasoningTokens")).toBe(
      replies.reduce((total, reply) => total + reply.completion_tokens_details.reasoning_tokens, 0) +
        (fifth?.reasoningTokens ?? 0),
    );
    expect([sum("totalTokens"), sum("cachedInputTokens"), sum("reasoningTokens")]).toEqual([136, 24, 15]);
  });
});
