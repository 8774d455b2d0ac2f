import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { functionCallingTestCases } from "gpt-tokenizer/fixtures/functionCallingTestCases";
import { afterEach, describe, expect, it, test, vi } from "vitest";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import {
  type Message,
  MessageSchema,
  Role,
  ToolResultPartSchema,
  ToolResultSchema,
} from "../../src/gen/dragoman/v1/message_pb.js";
import { countTextTokens, estimateBounds, tokenCounter } from "../../src/tokens/counter.ts";
import { countingThread } from "../../src/tokens/counting-thread.ts";
import { estimateTokens } from "../../src/tokens/token-estimate.ts";
import { chatOverhead } from "../../src/tokens/usage-estimate.ts";
import { loadTokenizer } from "../../src/tokens/vocabularies.ts";
import { beginOf, vocabularyOf, vocabularySizeOf } from "../../src/tokens/vocabulary-of-model.ts";
import { counting } from "../support/counting.ts";
import { functionTool } from "../support/tools.ts";
import { chatWithTools, says } from "./chats.ts";
import { named } from "./models.ts";
import { texts } from "./texts.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const chat = (...messages: Message[]): ChatRequest => create(ChatRequestSchema, { model: "any", messages });

/** Example of num_tokens_from_messages in OpenAI's cookbook, How_to_count_tokens_with_tiktoken.ipynb. */
const cookbook = chat(
  says(
    Role.SYSTEM,
    "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
  ),
  says(Role.SYSTEM, "New synergies will help drive top-line growth.", "example_user"),
  says(Role.SYSTEM, "Things working well together will increase revenue.", "example_assistant"),
  says(
    Role.SYSTEM,
    "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    "example_user",
  ),
  says(Role.SYSTEM, "Let's talk later when we're less busy about how to do better.", "example_assistant"),
  says(Role.USER, "This late pivot means we don't have time to boil the ocean for the client deliverable."),
);

describe("counting a conversation with an OpenAI model", () => {
  it.each([
    ["gpt-3.5-turbo", 129],
    ["gpt-4-0613", 129],
    ["gpt-4", 129],
    ["gpt-4o", 124],
    ["gpt-4o-mini-2024-07-18", 124],
    ["ft:gpt-4o-mini-2024-07-18:acme::abc", 124],
  ])("returns OpenAI's own count for %s", async (name, tokens) => {
    expect(await tokenCounter(named(name), counting).count(cookbook)).toEqual({
      tokens,
      exact: true,
      low: tokens,
      high: tokens,
    });
  });

  it.each([
    "gpt-5.2",
    "o3",
    "gpt-4.1",
  ])("returns an inexact count for %s, whose overhead OpenAI does not document", async (name) => {
    const count = await tokenCounter(named(name), counting).count(cookbook);
    expect(count).toMatchObject({ tokens: 124, exact: false });
    expect(count.low).toBeLessThan(124);
    expect(count.high).toBeGreaterThan(124);
  });

  it("returns inexact counts for tools, media, several parts and Azure deployments", async () => {
    const model = named("gpt-4o");
    const image = create(MessageSchema, {
      role: Role.USER,
      parts: [
        { kind: { case: "media", value: { mediaType: "image/png", source: { case: "url", value: "https://x" } } } },
      ],
    });
    const text = { kind: { case: "text", value: "Hi" } } as const;
    const twoParts = create(MessageSchema, { role: Role.USER, parts: [text, text] });
    const counts = [
      await tokenCounter(model, counting).count(chatWithTools),
      await tokenCounter(model, counting).count(chat(image)),
      await tokenCounter(model, counting).count(chat(twoParts)),
      await tokenCounter(named("gpt-4o", "azure-openai"), counting).count(cookbook),
    ];
    for (const { tokens, exact, low, high } of counts) {
      expect(exact).toBe(false);
      expect(low).toBeLessThan(tokens);
      expect(high).toBeGreaterThan(tokens);
    }
  });

  it("returns bounds that include OpenAI's counts of requests with functions", async () => {
    let exact = 0;
    for (const { tokens, messages, functions = [] } of functionCallingTestCases) {
      const request = create(ChatRequestSchema, {
        messages: messages.map(toMessage),
        tools: functions.map(({ name, description, parameters }) =>
          functionTool({
            name,
            description: description ?? "",
            parametersJsonSchema: JSON.stringify(parameters ?? {}),
          }),
        ),
      });
      const count = await tokenCounter(named("gpt-4o"), counting).count(request);
      if (count.exact) exact++;
      expect(tokens).toBeGreaterThanOrEqual(count.low);
      expect(tokens).toBeLessThanOrEqual(count.high);
    }
    expect(exact).toBeGreaterThan(5);
  });
});

type PublishedMessage = (typeof functionCallingTestCases)[number]["messages"][number];

function toMessage({ role, name = "", content, function_call: call }: PublishedMessage): Message {
  if (role === "function") {
    const parts = [create(ToolResultPartSchema, { kind: { case: "text", value: content } })];
    const value = create(ToolResultSchema, { toolCallId: "1", parts });
    return create(MessageSchema, { role: Role.TOOL, parts: [{ kind: { case: "toolResult", value } }] });
  }
  if (call) {
    const value = { id: "1", name: call.name ?? "", argumentsJson: call.arguments ?? "" };
    return create(MessageSchema, { role: Role.ASSISTANT, parts: [{ kind: { case: "toolCall", value } }] });
  }
  const roles = new Map([
    ["system", Role.SYSTEM],
    ["assistant", Role.ASSISTANT],
  ]);
  return says(roles.get(role ?? "user") ?? Role.USER, content, name);
}

describe("counting a text", () => {
  it("counts exactly with a tokenizer, including the token that servers prepend", async () => {
    expect(await countTextTokens("Hello world!", named("gpt-4"), counting)).toMatchObject({ tokens: 3, exact: true });
    expect(await countTextTokens("Hello world!", named("llama-3-8b-instruct"), counting)).toMatchObject({
      tokens: 4,
      exact: true,
    });
    const begun = await countTextTokens("<|begin_of_text|>Hello world!", named("llama-3-8b-instruct"), counting);
    expect(begun).toMatchObject({ tokens: 4, exact: true });
    expect(await countTextTokens("Hello world!", named("mixtral-8x7b-instruct"), counting)).toMatchObject({
      tokens: 4,
      exact: true,
    });
  });

  it("estimates a text if the model has no tokenizer", async () => {
    const count = await countTextTokens(texts["English prose"], named("claude-opus-4-5", "anthropic"), counting);
    expect(count).toMatchObject({ exact: false, ...estimateBounds(count.tokens) });
  });

  it("does not count a megabyte of one character exactly", async () => {
    const count = await countTextTokens("a".repeat(1_000_000), named("gpt-4o"), counting);
    expect(count.exact).toBe(false);
    expect(count.low).toBeLessThan(count.tokens);
    expect(count.tokens).toBeGreaterThanOrEqual(125_000);
  });

  it("estimates a text if the thread dies", async () => {
    const text = texts["English prose"];
    const count = countTextTokens(text, named("gpt-4o"), counting);
    countingThread.close();
    const tokens = estimateTokens(text, "large");
    expect(await count).toEqual({ tokens, exact: false, ...estimateBounds(tokens) });
  });

  it("stops counting when the signal is aborted", async () => {
    const call = new AbortController();
    const count = countTextTokens("天".repeat(1_000_000), named("gpt-4o"), { ...counting, signal: call.signal });
    call.abort(new Error("the caller left"));
    await expect(count).rejects.toThrow("the caller left");
  });
});

describe("a counter", () => {
  const texted = fc.constantFrom(...Object.values(texts)).map((text) => says(Role.USER, text));
  const models = fc
    .constantFrom("gpt-4o", "gpt-4", "llama-3-8b", "llama-2-7b", "mixtral-8x7b", "claude-x")
    .map((name) => named(name));

  it("counts two joined conversations as their sum less one response overhead", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texted, { maxLength: 4 }), fc.array(texted, { maxLength: 4 }), async (one, other) => {
        const counter = tokenCounter(named("gpt-4o"), counting);
        const [whole, first, second] = await Promise.all([
          counter.count(chat(...one, ...other)),
          counter.count(chat(...one)),
          counter.count(chat(...other)),
        ]);
        expect(whole.tokens).toBe(first.tokens + second.tokens - chatOverhead.answer);
      }),
      { numRuns: 25 },
    );
  });

  it("reuses the count of a message, but not whether another request was exact", async () => {
    const counter = tokenCounter(named("gpt-4o"), counting);
    expect((await counter.count({ ...cookbook, tools: chatWithTools.tools })).exact).toBe(false);
    expect(await counter.count(cookbook)).toMatchObject({ tokens: 124, exact: true });
  });

  it("sends only uncounted messages to the thread, in one job", async () => {
    const sent = vi.spyOn(countingThread, "count");
    const counter = tokenCounter(named("gpt-4o"), counting);
    const [first, ...others] = cookbook.messages;
    if (first === undefined) throw new Error("the example has no messages");
    await counter.count(chat(...others));
    await counter.count(cookbook);
    await counter.count(chat(first));
    expect(sent.mock.calls.map(([, texts]) => texts.length)).toEqual([others.length, 1]);
  });

  it("returns only estimates after the thread died", async () => {
    const counter = tokenCounter(named("gpt-4o"), counting);
    const count = counter.count(cookbook);
    countingThread.close();
    expect(await count).toEqual(counter.estimate(cookbook));
    expect(await counter.count(cookbook)).toMatchObject({ exact: false });
    expect(await tokenCounter(named("gpt-4o"), counting).count(cookbook)).toMatchObject({ tokens: 124, exact: true });
  });

  it("estimates more tokens for more messages", () => {
    fc.assert(
      fc.property(models, fc.array(texted, { maxLength: 5 }), texted, (model, messages, message) => {
        const estimate = (...all: Message[]) => tokenCounter(model, counting).estimate(chat(...all)).tokens;
        const before = estimate(...messages);
        expect(estimate(...messages, message)).toBeGreaterThan(before);
      }),
    );
  });

  it("counts within the bounds of its estimate", async () => {
    await fc.assert(
      fc.asyncProperty(models, fc.array(texted, { minLength: 1, maxLength: 6 }), async (model, messages) => {
        const counter = tokenCounter(model, counting);
        const request = chat(...messages);
        const { low, high } = counter.estimate(request);
        const { tokens } = await counter.count(request);
        expect(tokens).toBeGreaterThanOrEqual(low);
        expect(tokens).toBeLessThanOrEqual(high);
      }),
      { numRuns: 60 },
    );
  });
});

test.each([
  ["gpt-4o-2024-08-06", "o200k"],
  ["openai/gpt-4o-mini", "o200k"],
  ["gpt-4.1", "o200k"],
  ["gpt-5.2", "o200k"],
  ["o1", "o200k"],
  ["o3-mini", "o200k"],
  ["gpt-4", "cl100k"],
  ["gpt-4-32k-0613", "cl100k"],
  ["gpt-4-turbo", "cl100k"],
  ["gpt-3.5-turbo-16k-0613", "cl100k"],
  ["gpt-35-turbo", "cl100k"],
  ["openai.gpt-oss-120b-1:0", "harmony"],
  ["gpt-oss-20b", "harmony"],
  ["llama-2-70b-chat", "llama-2"],
  ["meta-llama/Llama-2-70b-chat-hf", "llama-2"],
  ["llama-3-1-8b-instruct", "llama-3"],
  ["llama3.1-8b", "llama-3"],
  ["us.meta.llama3-3-70b-instruct-v1:0", "llama-3"],
  ["dolphin-2.9-llama3-8b", "llama-3"],
  ["Meta-Llama-3-8B-Instruct-RMU", "llama-3"],
  ["mixtral-8x7b-instruct", "mistral"],
  ["mixtral-8x22b-instruct", "mistral-v3"],
  ["HuggingFaceH4/zephyr-7b-beta", "mistral"],
  ["us.meta.llama4-scout-17b-instruct-v1:0", undefined],
  ["codellama-34b", undefined],
  ["claude-opus-4-5", undefined],
  ["gemini-2.5-pro", undefined],
  ["mistral-large-latest", undefined],
  ["gpt-6-sol", undefined],
])("maps the model %s to the vocabulary %s", (name, vocabulary) => {
  expect(vocabularyOf(named(name))).toBe(vocabulary);
});

test("uses the vocabulary of the template family if the model name is unknown", () => {
  expect(vocabularyOf(named("donovan-combat", "llm-engine", "llama-3"))).toBe("llama-3");
  expect(vocabularyOf(named("zephyr-cat-merged", "llm-engine", "zephyr"))).toBe("mistral");
  expect(vocabularyOf(named("phi-3-cat-merged", "llm-engine", "phi-3"))).toBeUndefined();
});

test("returns the vocabulary size unknown for a model without a vocabulary", () => {
  expect(vocabularySizeOf(named("claude-opus-4-5"))).toBe("unknown");
  expect(vocabularySizeOf(undefined)).toBe("unknown");
});

test.each([
  "llama-3",
  "llama-2",
  "mistral",
  "mistral-v3",
] as const)("reads the token that begins a prompt as one control token of %s", async (name) => {
  const tokenizer = await loadTokenizer(name);
  const pieces = [...tokenizer.pieces(beginOf(name) ?? "")];
  expect(pieces).toMatchObject([{ control: true }]);
});
