import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
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

/** A message of so many tokens, by the counter below. */
const say = (role: Role, tokens: number): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: "x".repeat(tokens) } }] });
const request = (messages: Message[], chat: MessageInitShape<typeof ChatRequestSchema> = {}): ChatRequest =>
  create(ChatRequestSchema, { model: "m", messages, ...chat });
const model = (family: string, contextWindowTokens: number, maxOutputTokens = 0) =>
  create(ModelSchema, { id: "m", family, contextWindowTokens, maxOutputTokens });

/** One character is one token; an estimate may be a fifth off. */
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
  fitWindow(startDraft(chat), { model: of, profile, counter });

const limitOf = async (chat: ChatRequest, of: ReturnType<typeof model>, profile: Profile) =>
  (await fitTo(chat, of, profile)).request.parameters?.maxOutputTokens;

describe("the length of an answer when the caller does not say", () => {
  const egp = profiles["egp-chat"];
  const hundred = request([say(Role.USER, 100)]);

  it.each([
    ["openai-chat: the window less the prompt", egp, model("openai-chat", 8192, 8192), 8092],
    ["openai-chat: at most what the model gives", egp, model("openai-chat", 128_000, 16_384), 16_384],
    ["openai-completions: the window less the prompt, not 16", egp, model("openai-completions", 4096), 3996],
    ["llm-engine: 100", egp, model("llm-engine", 8192), 100],
    ["llm-engine: less where less is left", egp, model("llm-engine", 150), 50],
    ["anthropic: 10,000, at most what the model gives", egp, model("anthropic", 200_000, 4096), 4096],
    ["anthropic: 10,000", egp, model("anthropic", 200_000, 64_000), 10_000],
    ["google: what the model gives", egp, model("google", 2_097_152, 8192), 8192],
    ["deepinfra: 16,384", profiles.deepinfra, model("deepinfra", 131_072), 16_384],
    ["deepinfra: what the window leaves", profiles.deepinfra, model("deepinfra", 4096), 3996],
    ["plain: the provider's", profiles.plain, model("openai-chat", 8192, 4096), undefined],
    ["cerebras: the provider's", profiles.cerebras, model("cerebras", 8192), undefined],
  ] as const)("%s", async (_, profile, of, expected) => {
    expect(await limitOf(hundred, of, profile)).toBe(expected);
  });

  it("is known for a family even where the window is not", async () => {
    expect(await limitOf(hundred, model("llm-engine", 0), egp)).toBe(100);
    expect(await limitOf(hundred, model("openai-chat", 0), egp)).toBeUndefined();
  });

  it("does not touch what the caller asked for", async () => {
    expect(
      await limitOf(request([say(Role.USER, 9)], { parameters: { maxOutputTokens: 7 } }), model("llm-engine", 99), egp),
    ).toBe(7);
  });
});

describe("a prompt that is too long", () => {
  const refusal = async (chat: ChatRequest, profile: Profile, exact = true) =>
    fitTo(chat, model("openai-chat", 100), profile, createCounter(exact)).then(
      () => undefined,
      (error: unknown) => (error instanceof GatewayError ? error : undefined),
    );

  it("is rejected with both lengths", async () => {
    const error = await refusal(request([say(Role.USER, 101)]), profiles.plain);
    expect(error?.reason).toBe("CONTEXT_LENGTH_EXCEEDED");
    expect(error?.facts.metadata).toEqual({ input_tokens: "101", context_window_tokens: "100" });
    expect(error?.message).toMatch(/101 tokens.*100/);
  });

  it("is left to the provider where an estimate leaves doubt, and rejected where it leaves none", async () => {
    expect(await refusal(request([say(Role.USER, 110)]), profiles.plain, false)).toBeUndefined();
    expect((await refusal(request([say(Role.USER, 140)]), profiles.plain, false))?.message).toMatch(/about 140/);
  });

  it("counts the answer that was asked for on EGP, and only there", async () => {
    const chat = request([say(Role.USER, 60)], { parameters: { maxOutputTokens: 41 } });
    expect((await refusal(chat, profiles["egp-chat"]))?.facts.metadata).toMatchObject({ max_output_tokens: "41" });
    expect(await refusal(chat, profiles.plain)).toBeUndefined();
  });

  it("is rejected on egp-deployment only when the system text and the last message alone do not fit", async () => {
    const long = [say(Role.SYSTEM, 10), say(Role.USER, 80), say(Role.ASSISTANT, 80), say(Role.USER, 20)];
    expect(await refusal(request(long), profiles["egp-deployment"])).toBeUndefined();
    expect(await refusal(request([...long, say(Role.USER, 100)]), profiles["egp-deployment"])).toBeDefined();
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

  it("happens once near the end of the window, and not before", async () => {
    expect(await countsFor(50, profiles["egp-deployment"])).toBe(0);
    expect(await countsFor(85, profiles["egp-deployment"])).toBe(1);
    expect(await countsFor(50, profiles.plain)).toBe(0);
  });
});

describe("trimming", () => {
  it("is warned about where the window is not known, when it was asked for", async () => {
    const chat = request([say(Role.USER, 9)], { memoryStrategy: { strategy: { case: "autoTrim", value: {} } } });
    const checkSupport = async (asked: ChatRequest) =>
      (await fitTo(asked, model("openai-chat", 0), profiles["egp-deployment"])).adaptations;
    expect(await checkSupport(chat)).toMatchObject([{ kind: "UNSUPPORTED_PARAMETER", field: ["memory_strategy"] }]);
    expect(await checkSupport(request([say(Role.USER, 9)]))).toEqual([]);
  });

  const roles = fc.constantFrom(Role.SYSTEM, Role.USER, Role.ASSISTANT);
  const turn = fc.tuple(roles, fc.integer({ min: 1, max: 40 })).map(([role, tokens]) => say(role, tokens));
  const conversations = fc
    .tuple(fc.array(turn, { maxLength: 14 }), fc.integer({ min: 1, max: 20 }))
    .map(([turns, last]) => [say(Role.USER, 1), ...turns, say(Role.USER, last)]);

  it("keeps the system text, the last message and the order, and drops as little as it can", async () => {
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
        // One message more would not have fitted.
        const begin = messages.indexOf(kept[first] ?? say(Role.USER, 1));
        let earlier = begin - 1;
        while (isSystem(messages[earlier] ?? say(Role.USER, 1))) earlier--;
        const more = messages.filter((message, index) => index >= earlier || isSystem(message));
        expect(size(more)).toBeGreaterThanOrEqual(window);
      }),
    );
  });
});
