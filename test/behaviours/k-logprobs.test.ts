import { describe, expect } from "vitest";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { answers, failureOf, paths, type Reply, type Stage, says, startStage, wrongPlaces } from "./support.ts";
import { chunksOf, delta, finish, streamed, warningsOf, whole } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const llama31 = "llama3.1-8b";

/** Output token in a backend's format. The token itself is the first of its alternatives. */
function record(token: string, alternatives = 0) {
  const one = { token, logprob: -0.25, bytes: [...Buffer.from(token)] };
  const others = Array.from({ length: alternatives }, (_, rank) => ({
    token: `${token}${rank}`,
    logprob: -1,
    bytes: [65],
  }));
  return { ...one, top_logprobs: [one, ...others].slice(0, alternatives) };
}
const tokens = ["O", "s", "lo"];
const usage = { prompt_tokens: 3, completion_tokens: tokens.length, total_tokens: 6 };
const saying = (alternatives = 0) =>
  whole(
    { content: tokens.join("") },
    { choice: { logprobs: { content: tokens.map((token) => record(token, alternatives)) } }, usage },
  );

const deployments = {
  d1: { model: "llama-3-1-8b-instruct" },
  claude: { model: "claude-3-opus-20240229" },
  gpt: { model: "gpt-4o" },
};
const prompt = { prompt: "Where?", chat_history: [] };

interface Token {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Token[];
}

/** Returns the log probabilities of the only choice. */
function contentOf({ body }: Reply): readonly Token[] {
  const { choices } = body as { choices: readonly { logprobs: { content: readonly Token[] } }[] };
  return choices[0]?.logprobs.content ?? [];
}

/** The HTTP APIs that support log probabilities. */
const ways = [
  { path: paths.deepinfra, provider: "deepinfra", body: { model: llama2, messages: says("Where?") } },
  { path: paths.cerebras, provider: "cerebras", body: { model: llama31, messages: says("Where?") } },
  { path: paths.egpDeployment("d1"), provider: "llm-engine", body: prompt },
] as const;

function startAll(alternatives = 0): Promise<Stage> {
  const scripts = [saying(alternatives)];
  return startStage({ deepinfra: scripts, cerebras: scripts, "llm-engine": scripts }, { deployments });
}

describe("K. Logprobs", () => {
  behaviour(156, async () => {
    const stage = await startAll();
    for (const { path, provider, body } of ways) {
      const reply = await stage.post(path, { ...body, logprobs: true });
      expect(stage.sent(provider)).toMatchObject({ logprobs: true });
      expect(contentOf(reply)).toEqual(tokens.map((token) => ({ ...record(token) })));
      const model = "model" in body ? body.model : "deployments/d1";
      const chat = ask(model, "Where?", { parameters: { logprobs: true } });
      const { completion } = await stage.service.chatClient("grpc").completeChat({ chat });
      const records = completion?.choices[0]?.logprobs?.tokens ?? [];
      // The egp-deployment profile supports log probabilities only for LLM Engine, the provider of d1.
      expect(records.map(({ token }) => token)).toEqual(tokens);
      expect(records).toHaveLength(completion?.usage?.outputTokens ?? 0);
      expect(records[2]).toMatchObject({ logprob: -0.25, bytes: Uint8Array.from(Buffer.from("lo")) });
    }
    const chunks = tokens.map((token) => delta({ content: token }, { logprobs: { content: [record(token)] } }));
    const streaming = await startStage({ deepinfra: [streamed(...chunks, finish({ usage }))] });
    const body = { ...ways[0].body, logprobs: true, stream: true };
    const chunksSent = await chunksOf(await streaming.send(paths.deepinfra, body));
    const lists = chunksSent.flatMap(({ choices: [choice] }) => choice?.logprobs?.content ?? []);
    expect(lists).toEqual(tokens.map((token) => record(token)));
  });

  behaviour(157, async () => {
    const stage = await startAll(20);
    const body = { model: llama31, messages: says("Where?") };
    const rejected = (message: string) => ({ status: 400, body: { message: expect.stringContaining(message) } });
    for (const wrong of [
      { logprobs: true, top_logprobs: 21 },
      { logprobs: true, top_logprobs: -1 },
    ]) {
      expect(await stage.post(paths.cerebras, { ...body, ...wrong })).toMatchObject(rejected("top_logprobs"));
    }
    for (const wrong of [{ top_logprobs: 1 }, { logprobs: false, top_logprobs: 1 }]) {
      expect(await stage.post(paths.cerebras, { ...body, ...wrong })).toMatchObject(rejected("top_logprobs"));
      const reply = await stage.post(paths.egpDeployment("d1"), { ...prompt, ...wrong });
      expect([reply.status, wrongPlaces(reply)]).toEqual([422, ["body.top_logprobs"]]);
    }
    const client = stage.service.chatClient("grpc");
    for (const parameters of [{ logprobs: true, topLogprobs: 21 }, { topLogprobs: 1 }]) {
      expect(await failureOf(client.completeChat({ chat: ask(llama31, "?", { parameters }) }))).toMatchObject({
        code: "InvalidArgument",
        reason: "INVALID_REQUEST",
      });
    }
    expect(stage.asked()).toBe(0);
    for (const top_logprobs of [0, 20]) {
      const reply = await stage.post(paths.cerebras, { ...body, logprobs: true, top_logprobs });
      expect(reply.status).toBe(200);
      expect(stage.sent("cerebras")).toMatchObject({ logprobs: true, top_logprobs });
    }
  });

  behaviour(158, async () => {
    const stage = await startAll(3);
    for (const { path, provider, body } of ways) {
      const content = contentOf(await stage.post(path, { ...body, logprobs: true, top_logprobs: 3 }));
      expect(stage.sent(provider)).toMatchObject({ logprobs: true, top_logprobs: 3 });
      expect(content).toHaveLength(tokens.length);
      for (const { token, top_logprobs } of content) {
        expect(top_logprobs).toHaveLength(3);
        expect(top_logprobs.map((one) => one.token)).toContain(token);
      }
    }
    const chat = ask("echo/echo", "a b", { parameters: { logprobs: true, topLogprobs: 3 } });
    const { completion } = await stage.service.chatClient("grpc").completeChat({ chat });
    const records = completion?.choices[0]?.logprobs?.tokens ?? [];
    expect(records.map(({ topLogprobs }) => topLogprobs.length)).toEqual([3, 3]);
  });

  behaviour(159, async () => {
    const stage = await startStage({ anthropic: [answers.anthropic.whole], openai: [saying(2)] }, { deployments });
    const asked = { ...prompt, logprobs: true, top_logprobs: 2 };
    for (const [id, provider] of [
      ["claude", "anthropic"],
      ["gpt", "openai"],
    ] as const) {
      const reply = await stage.post(paths.egpDeployment(id), asked);
      expect(reply.status).toBe(200);
      expect(warningsOf(reply)).toEqual(
        expect.arrayContaining([
          ["UNSUPPORTED_PARAMETER", "logprobs"],
          ["UNSUPPORTED_PARAMETER", "top_logprobs"],
        ]),
      );
      expect(Object.keys(stage.sent(provider))).not.toContain("logprobs");
      expect(Object.keys(stage.sent(provider))).not.toContain("top_logprobs");
    }
    const chat = ask("deployments/claude", "?", { parameters: { logprobs: true }, strictParameters: true });
    const before = stage.asked();
    expect(await failureOf(stage.service.chatClient("grpc").completeChat({ chat }))).toMatchObject({
      code: "InvalidArgument",
      reason: "UNSUPPORTED_PARAMETER",
      fields: ["chat.parameters.logprobs"],
    });
    expect(stage.asked()).toBe(before);
  });

  behaviour(160, async () => {
    const stage = await startAll(1);
    const reply = await stage.post(paths.egpDeployment("d1"), { ...prompt, logprobs: true, top_logprobs: 1 });
    expect(reply.body).toMatchObject({
      completions: [["Where?", ["Oslo"]]],
      choices: [{ index: 0, logprobs: { content: tokens.map((token) => record(token, 1)) } }],
    });
  });

  behaviour(161, async () => {
    const silent = [whole({ content: "Oslo" }, { choice: { logprobs: null } })];
    const stage = await startStage({ deepinfra: silent, cerebras: silent, "llm-engine": silent }, { deployments });
    for (const { path, provider, body } of ways) {
      const { body: answer } = await stage.post(path, body);
      const { choices = [] } = answer as { choices?: readonly object[] };
      for (const choice of choices) expect(choice).not.toHaveProperty("logprobs");
      expect(stage.sent(provider)).not.toHaveProperty("logprobs");
    }
    // The Scale EGP deployments API returns choices only if they have log probabilities.
    expect((await stage.post(paths.egpDeployment("d1"), prompt)).body).not.toHaveProperty("choices");
    const { completion } = await stage.service.chatClient("grpc").completeChat({ chat: ask(llama31, "Where?") });
    expect(completion?.choices[0]?.logprobs).toBeUndefined();
  });
});
