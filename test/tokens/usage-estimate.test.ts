import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MediaDetail } from "../../src/gen/dragoman/v1/media_pb.js";
import {
  type Message,
  MessageSchema,
  type Part,
  ReasoningSchema,
  Role,
  ToolCallSchema,
  ToolResultSchema,
} from "../../src/gen/dragoman/v1/message_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { estimateTokens, type VocabularySize } from "../../src/tokens/token-estimate.ts";
import { estimateChatTokens, estimateUsage, mostChatTokens, partialUsage } from "../../src/tokens/usage-estimate.ts";
import { ask } from "../support/requests.ts";
import { functionTool } from "../support/tools.ts";

const sizes: readonly VocabularySize[] = ["large", "medium", "small", "unknown"];

describe("the estimate of a text", () => {
  it("estimates zero tokens for an empty text, and at least one for any other text", () => {
    for (const size of sizes) {
      expect(estimateTokens("", size)).toBe(0);
      fc.assert(
        fc.property(
          fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text !== " "),
          (text) => {
            expect(estimateTokens(text, size)).toBeGreaterThan(0);
          },
        ),
      );
    }
  });

  it("does not estimate fewer tokens as a text grows", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (begin, more) => {
        expect(estimateTokens(begin + more)).toBeGreaterThanOrEqual(estimateTokens(begin));
      }),
    );
  });

  it("estimates more tokens for Chinese than for English of the same length", () => {
    const [english, chinese] = ["The weather is fine today", "今天的天气非常好，我们去公园散步吧，好不好呀？好的"];
    expect(chinese.length).toBe(english.length);
    expect(estimateTokens(chinese)).toBeGreaterThan(3 * estimateTokens(english));
  });

  it("estimates more tokens for a smaller vocabulary", () => {
    for (const text of ["Καλημέρα", "안녕하세요", "12345678", "déjà vu"]) {
      expect(estimateTokens(text, "small")).toBeGreaterThan(estimateTokens(text, "large"));
    }
  });
});

describe("the estimate of a very long text", () => {
  it("estimates a very long text from samples spread over it", () => {
    const sentence = "The caravan reached the city before the gates closed. ";
    const long = sentence.repeat(20_000);
    const whole = estimateTokens(sentence.repeat(1000)) * 20;
    expect(Math.abs(estimateTokens(long) / whole - 1)).toBeLessThan(0.02);
    const half = sentence.repeat(10_000);
    const mixed = estimateTokens(half + "商".repeat(half.length));
    expect(mixed).toBeGreaterThan(2 * estimateTokens(half));
  });
});

describe("the estimate of a request", () => {
  const withMessage = (parts: Message["parts"]) => {
    const message = create(MessageSchema, { role: Role.USER, parts });
    return estimateChatTokens({ ...ask("any", ""), messages: [message] });
  };
  const nothing = withMessage([]);

  it("counts all parts and tools that the model gets as text", () => {
    const result = create(ToolResultSchema, { parts: [{ kind: { case: "text", value: "some words" } }] });
    const kinds: readonly Part["kind"][] = [
      { case: "text", value: "some words" },
      { case: "refusal", value: "some words" },
      { case: "reasoning", value: create(ReasoningSchema, { text: "some words" }) },
      { case: "toolCall", value: create(ToolCallSchema, { name: "some", argumentsJson: "{}" }) },
      { case: "toolResult", value: result },
    ];
    for (const kind of kinds) {
      expect([kind.case, withMessage(create(MessageSchema, { parts: [{ kind }] }).parts) > nothing]).toEqual([
        kind.case,
        true,
      ]);
    }
    const tools = [
      functionTool({ name: "look_up", description: "Looks things up", parametersJsonSchema: '{"type":"object"}' }),
    ];
    expect(estimateChatTokens(ask("any", "", { tools }))).toBeGreaterThan(estimateChatTokens(ask("any", "")));
  });

  it("counts images by their detail, and audio as 0", () => {
    const media = (mediaType: string, detail = MediaDetail.UNSPECIFIED) => {
      const kind = {
        case: "media",
        value: { mediaType, detail, source: { case: "url", value: "https://x" } },
      } as const;
      return withMessage(create(MessageSchema, { parts: [{ kind }] }).parts) - nothing;
    };
    expect(media("image/png")).toBe(765);
    expect(media("image/png", MediaDetail.LOW)).toBe(85);
    expect(media("")).toBe(765);
    expect(media("audio/wav")).toBe(0);
  });

  it("returns estimated usage with the given quality", () => {
    const request = ask("any", "How do you do?");
    const usage = estimateUsage(request, 41, UsageQuality.ESTIMATED);
    const inputTokens = estimateChatTokens(request);
    expect(usage).toMatchObject({ inputTokens, outputTokens: 11, totalTokens: inputTokens + 11 });
    expect(usage.quality).toBe(UsageQuality.ESTIMATED);
    expect(partialUsage(request, 41)).toEqual({ ...usage, quality: UsageQuality.PARTIAL });
  });
});

describe("the upper bound of a prompt's tokens", () => {
  it("bounds a prompt's tokens by at least its bytes and its estimate", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const chat = ask("m", text);
        expect(mostChatTokens(chat)).toBeGreaterThanOrEqual(Buffer.byteLength(text));
        expect(mostChatTokens(chat)).toBeGreaterThanOrEqual(estimateChatTokens(chat));
      }),
    );
  });
});
