import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownWords } from "../../../src/chat/planning/caller-words.ts";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { fitWindow } from "../../../src/chat/planning/fit-window.ts";
import type { Profile } from "../../../src/chat/planning/profile.ts";
import { isSystem } from "../../../src/chat/validation/request-rules.ts";
import { GatewayError } from "../../../src/errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { profiles } from "../../../src/profiles/profiles.ts";
import type { TokenCounter } from "../../../src/tokens/token-count.ts";

/** Creates a message that has this many tokens by the counter below. */
const say = (role: Role, tokens: number): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: "x".repeat(tokens) } }] });
const request = (messages: Message[], chat: MessageInitShape<typeof ChatRequestSchema> = {}): ChatRequest =>
  create(ChatRequestSchema, { model: "m", messages, ...chat });
const model = (family: string, contextWindowTokens: number, maxOutputTokens = 0) =>
  create(ModelSchema, { id: "m", family, contextWindowTokens, maxOutputTokens });

/** Creates a counter for which one character is one token and an estimate is off by at most 20 %. */
function createCounter(exact = true): TokenCounter & { readonly counts: number } {
  let counts = 0;
  const size = ({ messages }: ChatRequest): number =>
    messages.reduce((sum, { parts }) => sum + String(parts[0]?.kind.value).length, 0);
  const between = (tokens: number) => ({ tokens, exact: false, low: tokens * 0.8, high: tokens * 1.2 });
  return {
    get counts() {
      return counts;
    },
    estimate: (chat) => between(size(chat)),
    async count(chat) {
      counts++;
      const tokens = size(chat);
      return exact ? { tokens, exact, low: tokens, high: tokens } : between(tokens);
    },
  };
}

const fitTo = (chat: ChatRequest, of: ReturnType<typeof model>, profile: Profile, counter = createCounter()) =>
  fitWindow(startDraft(chat), { model: of, profile, counter, words: ownWords, needsOutputLimit: false });

const limitOf = async (chat: ChatRequest, of: ReturnType<typeof model>, profile: Profile) =>
  (await fitTo(chat, of, profile)).request.parameters?.maxOutputTokens;

describe("the default output limit", () => {
  const egp = profiles["egp-chat"];
  const deployed = profiles["egp-deployment"];
  const hundred = request([say(Role.USER, 100)]);

  it.each([
    ["openai-chat: the window less the prompt", egp, model("openai-chat", 8192, 8192), 8092],
    ["openai-chat: at most the model's limit", egp, model("openai-chat", 128_000, 16_384), 16_384],
    ["openai-completions: the window less the prompt, not 16", egp, model("openai-completions", 4096), 3996],
    ["openai-chat of a deployment: the window less the prompt", deployed, model("openai-chat", 8192, 8192), 8092],
    ["llm-engine: the model's limit", egp, model("llm-engine", 131_072, 8192), 8192],
    ["bedrock: the model's limit", egp, model("bedrock", 131_072, 4096), 4096],
    ["any other family: the window less the prompt", egp, model("moonshot", 8192), 8092],
    ["llm-engine: the window less the prompt", egp, model("llm-engine", 8192), 8092],
    ["llm-engine of a deployment: 100", deployed, model("llm-engine", 8192), 100],
    ["llm-engine of a deployment: the rest of a small window", deployed, model("llm-engine", 150), 50],
    ["anthropic: the model's limit", egp, model("anthropic", 200_000, 64_000), 64_000],
    ["anthropic of a deployment: at most the model's limit", deployed, model("anthropic", 200_000, 4096), 4096],
    ["anthropic of a deployment: 10,000", deployed, model("anthropic", 200_000, 64_000), 10_000],
    ["google: the model's limit", egp, model("google", 2_097_152, 8192), 8192],
    ["deepinfra: 16,384", profiles.deepinfra, model("deepinfra", 131_072), 16_384],
    ["deepinfra: the rest of a small window", profiles.deepinfra, model("deepinfra", 4096), 3996],
    ["plain: the provider's default", profiles.plain, model("openai-chat", 8192, 4096), undefined],
    ["cerebras: the provider's default", profiles.cerebras, model("cerebras", 8192), undefined],
  ] as const)("sets the default output limit of %s", async (_, profile, of, expected) => {
    expect(await limitOf(hundred, of, profile)).toBe(expected);
  });

  it("sets a family's default output limit even if the context window is unknown", async () => {
    expect(await limitOf(hundred, model("llm-engine", 0), deployed)).toBe(100);
    expect(await limitOf(hundred, model("openai-chat", 0), deployed)).toBeUndefined();
  });

  it("keeps the caller's max_output_tokens", async () => {
    expect(
      await limitOf(request([say(Role.USER, 9)], { parameters: { maxOutputTokens: 7 } }), model("llm-engine", 99), egp),
    ).toBe(7);
  });
});

describe("a prompt that is too long", () => {
  const rejection = async (chat: ChatRequest, profile: Profile, exact = true) => {
    try {
      await fitTo(chat, model("openai-chat", 100), profile, createCounter(exact));
      return undefined;
    } catch (error) {
      return error instanceof GatewayError ? error : undefined;
    }
  };

  it("rejects a prompt that is too long with both lengths", async () => {
    const error = await rejection(request([say(Role.USER, 101)]), profiles.plain);
    expect(error?.reason).toBe("CONTEXT_LENGTH_EXCEEDED");
    expect(error?.facts.metadata).toEqual({ input_tokens: "101", context_window_tokens: "100" });
    expect(error?.message).toMatch(/101 tokens.*100/);
  });

  it("rejects a prompt by an estimate only if it certainly does not fit", async () => {
    expect(await rejection(request([say(Role.USER, 110)]), profiles.plain, false)).toBeUndefined();
    expect((await rejection(request([say(Role.USER, 140)]), profiles.plain, false))?.message).toMatch(/about 140/);
  });

  it("adds max_output_tokens to the prompt's length only with an EGP profile", async () => {
    const chat = request([say(Role.USER, 60)], { parameters: { maxOutputTokens: 41 } });
    expect((await rejection(chat, profiles["egp-chat"]))?.facts.metadata).toMatchObject({ max_output_tokens: "41" });
    expect(await rejection(chat, profiles.plain)).toBeUndefined();
  });

  it("rejects with egp-deployment only if system text and last message do not fit", async () => {
    const long = [say(Role.SYSTEM, 10), say(Role.USER, 80), say(Role.ASSISTANT, 80), say(Role.USER, 20)];
    expect(await rejection(request(long), profiles["egp-deployment"])).toBeUndefined();
    expect(await rejection(request([...long, say(Role.USER, 100)]), profiles["egp-deployment"])).toBeDefined();
  });
});

describe("counting", () => {
  const countsFor = async (tokens: number, profile: Profile) => {
    const counter = createCounter();
    await fitTo(
      request([say(Role.USER, tokens)], { parameters: { maxOutputTokens: 1 } }),
      model("llm-engine", 100),
      profile,
      counter,
    );
    return counter.counts;
  };

  it("counts the prompt once, and only near the end of the context window", async () => {
    expect(await countsFor(50, profiles["egp-deployment"])).toBe(0);
    expect(await countsFor(85, profiles["egp-deployment"])).toBe(1);
    expect(await countsFor(50, profiles.plain)).toBe(0);
  });
});

describe("trimming", () => {
  it("warns about auto_trim if the context window is unknown", async () => {
    const chat = request([say(Role.USER, 9)], { memoryStrategy: { strategy: { case: "autoTrim", value: {} } } });
    const adaptationsOf = async (requested: ChatRequest) =>
      (await fitTo(requested, model("openai-chat", 0), profiles["egp-deployment"])).adaptations;
    expect(await adaptationsOf(chat)).toMatchObject([{ kind: "UNSUPPORTED_PARAMETER", field: ["memory_strategy"] }]);
    expect(await adaptationsOf(request([say(Role.USER, 9)]))).toEqual([]);
  });

  const roles = fc.constantFrom(Role.SYSTEM, Role.USER, Role.ASSISTANT);
  const turn = fc.tuple(roles, fc.integer({ min: 1, max: 40 })).map(([role, tokens]) => say(role, tokens));
  const conversations = fc
    .tuple(fc.array(turn, { maxLength: 14 }), fc.integer({ min: 1, max: 20 }))
    .map(([turns, last]) => [say(Role.USER, 1), ...turns, say(Role.USER, last)]);

  it("keeps system text, last message and order, and drops as few messages as possible", async () => {
    await fc.assert(
      fc.asyncProperty(conversations, async (messages) => {
        const size = (of: readonly Message[]) =>
          of.reduce((sum, { parts }) => sum + String(parts[0]?.kind.value).length, 0);
        const least = size(messages.filter((message, index) => isSystem(message) || index === messages.length - 1));
        const window = Math.max(100, least + 1);
        const strategy = { strategy: { case: "autoTrim", value: {} } } as const;
        const { request: fitted, adaptations } = await fitTo(
          request(messages, { memoryStrategy: strategy }),
          model("openai-chat", window),
          profiles.plain,
          createCounter(),
        );
        const kept = fitted.messages;
        expect(size(kept)).toBeLessThan(window);
        expect(kept).toEqual(messages.filter((message) => kept.includes(message)));
        expect(kept.filter(isSystem)).toEqual(messages.filter(isSystem));
        expect(kept.at(-1)).toBe(messages.at(-1));
        const first = kept.findIndex((message) => !isSystem(message));
        expect(adaptations).toHaveLength(kept.length < messages.length ? 1 : 0);
        if (kept.length === messages.length) return;
        // One more message would not fit.
        const begin = messages.indexOf(kept[first] ?? say(Role.USER, 1));
        let earlier = begin - 1;
        while (isSystem(messages[earlier] ?? say(Role.USER, 1))) earlier--;
        const more = messages.filter((message, index) => index >= earlier || isSystem(message));
        expect(size(more)).toBeGreaterThanOrEqual(window);
      }),
    );
  });
});
