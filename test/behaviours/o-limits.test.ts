import { durationMs } from "@bufbuild/protobuf/wkt";
import { describe, expect } from "vitest";
import { RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import type { Script } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { behaviour, notHeld } from "./behaviour.ts";
import { answers, asCerebras, asDeepinfra, failureOf, paths, says, startStage } from "./support.ts";
import { replies, whole } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const llama31 = "llama3.1-8b";
const deployments = { d1: { model: "llama-3-1-8b-instruct" } };
const prompt = { prompt: "Where?", chat_history: [] };
const messages = says("Where?");

const limits = {
  "x-ratelimit-limit-requests-day": "14400",
  "x-ratelimit-limit-tokens-minute": "60000",
  "x-ratelimit-remaining-requests-day": "14399",
  "x-ratelimit-remaining-tokens-minute": "59000",
  "x-ratelimit-reset-requests-day": "86000.5",
  "x-ratelimit-reset-tokens-minute": "12.25",
};

describe("O. Limits", () => {
  behaviour(209, async () => {
    const limited = replies(429, { error: { message: "slow down" } }, { "retry-after": "7" });
    const scripts = { openai: [limited], "llm-engine": [limited], cerebras: [limited], deepinfra: [limited] };
    const stage = await startStage(scripts, { deployments });
    for (const [path, body] of [
      [paths.egpChat, { model: "gpt-4o", messages }],
      [paths.egpDeployment("d1"), prompt],
      [paths.cerebras, { model: llama31, messages }],
      [paths.deepinfra, { model: llama2, messages }],
      [paths.deepinfra, { model: llama2, messages, stream: true }],
    ] as const) {
      const { status, headers } = await stage.post(path, body);
      // Dragoman itself rejects the second call of a model, with what is left of the time.
      expect([status, headers.get("retry-after")]).toEqual([429, expect.stringMatching(/^[1-7]$/)]);
      expect(headers.get("retry-after-ms")).toMatch(/^\d{1,4}$/);
    }
    const call = stage.service.chatClient("grpc").completeChat({ chat: ask(llama31, "Where?", asCerebras) });
    const { code, reason, error } = await failureOf(call);
    expect([code, reason]).toEqual(["ResourceExhausted", "PROVIDER_RATE_LIMITED"]);
    const [retry] = error.findDetails(RetryInfoSchema);
    const delayMs = retry?.retryDelay === undefined ? 0 : durationMs(retry.retryDelay);
    expect(delayMs).toBeGreaterThan(0);
    expect(delayMs).toBeLessThanOrEqual(7000);
    // Without a delay from the backend, retry-after is the time for which Dragoman does not use the key.
    const bare = await startStage({ deepinfra: [replies(429, { error: { message: "slow down" } })] });
    const { headers } = await bare.post(paths.deepinfra, { model: llama2, messages });
    expect(headers.get("retry-after")).toBe("1");
  });

  notHeld(210, "Dragoman limits only concurrent calls; it forwards the provider's rate limits");

  behaviour(211, async () => {
    const withLimits = (script: Script): Script => ({ ...script, headers: { ...script.headers, ...limits } });
    const { whole, streamed } = answers.cerebras;
    const rejected = replies(429, { message: "slow down", type: "too_many_requests_error", param: "quota", code: "x" });
    const stage = await startStage({ cerebras: [whole, streamed, rejected, whole].map(withLimits) });
    for (const [body, status] of [
      [{ messages }, 200],
      [{ messages, stream: true }, 200],
      [{ messages }, 429],
    ] as const) {
      const response = await stage.send(paths.cerebras, { model: llama31, ...body });
      expect(response.status).toBe(status);
      expect(Object.fromEntries(response.headers)).toMatchObject(limits);
      await response.text();
    }
    const { completion } = await stage.service
      .chatClient("grpc")
      .completeChat({ chat: ask(llama31, "Where?", asCerebras) });
    expect(completion?.attempts[0]?.providerLimits).toEqual(limits);
    // Without limits from the backend, the response has no such headers.
    const bare = await startStage({ cerebras: [] });
    const { headers } = await bare.post(paths.cerebras, { model: llama31, messages });
    expect([...headers.keys()].filter((name) => name.includes("ratelimit"))).toEqual([]);
  });

  behaviour(212, async () => {
    const free = Promise.withResolvers<void>();
    const holding = { ...whole({ content: "Oslo" }), holdHeaders: free.promise };
    const stage = await startStage({ deepinfra: [holding] });
    const call = (account: string, model = llama2) =>
      stage.post(paths.deepinfra, { model, messages }, { "x-selected-account-id": account });
    const under = Array.from({ length: 200 }, () => call("a1"));
    while (stage.asked() < 200) await stage.backend("deepinfra").nextRequest();
    expect(await call("a1")).toMatchObject({
      status: 429,
      body: { error: { message: expect.stringMatching(/^rate limited/), type: "rate_limit_error" } },
    });
    // The limit applies to an account and a model, over all APIs.
    const client = stage.service.chatClient("grpc");
    expect(
      await failureOf(client.completeChat({ chat: ask(llama2, "?", { ...asDeepinfra, accountId: "a1" }) })),
    ).toMatchObject({
      code: "ResourceExhausted",
      reason: "CONCURRENCY_LIMITED",
    });
    expect(stage.asked()).toBe(200);
    const others = [call("a2"), call("a1", "meta-llama/Llama-2-7b-chat-hf")];
    while (stage.asked() < 202) await stage.backend("deepinfra").nextRequest();
    free.resolve();
    for (const reply of await Promise.all([...under, ...others])) expect(reply.status).toBe(200);
    // After a call has ended, another may start.
    expect((await call("a1")).status).toBe(200);

    const limited = await startStage({}, { limits: { max_calls_per_model: 1 } });
    const stalled = ask("echo/echo", "?", { providerOptions: { echo: { text: "a b", stall: { after: 1 } } } });
    const own = limited.service.chatClient("grpc");
    const first = new AbortController();
    const read = async () => {
      for await (const _ of own.streamChat({ chat: stalled }, { signal: first.signal })) {
        // The first call is in progress.
        expect(await failureOf(own.completeChat({ chat: ask("echo/echo", "?") }))).toMatchObject({
          code: "ResourceExhausted",
          reason: "CONCURRENCY_LIMITED",
        });
        first.abort();
      }
    };
    expect(await failureOf(read())).toMatchObject({ code: "Canceled" });
    while ((await limited.service.nextRecord()).outcome !== "cancelled");
    expect((await own.completeChat({ chat: ask("echo/echo", "hi") })).completion?.choices).toHaveLength(1);
  });

  notHeld(213, "Dragoman sends one upstream request per call and does not retry yet");
});
