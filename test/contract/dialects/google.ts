import { create } from "@bufbuild/protobuf";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import type { Dialect } from "../dialect.ts";
import { googleEverything, type OwnFields } from "./google-everything.ts";
import { begun, chunk, errors, failures, reasoning, said, sse, text, toolCall, usage } from "./google-fixtures.ts";

const providerModel = "gemini-3.8-flash";

/** One of the two services that speak generateContent. */
interface Service extends Pick<Dialect, "name" | "provenance" | "create"> {
  readonly own: OwnFields;
  /** What it alone sends. */
  readonly answers?: Partial<Dialect["answers"]>;
  readonly limited: (model: Model) => Dialect["limited"];
}

export function googleDialect({ name, own, answers, limited, ...service }: Service): Dialect {
  const model = create(ModelSchema, { id: `${name}/${providerModel}`, provider: name, providerModel });
  const signed = (signature: string) => ({
    providerState: { provider: name, model: providerModel, data: Buffer.from(signature) },
  });
  return {
    name,
    ...service,
    model,
    answers: {
      "plain text": {
        wire: sse(
          chunk([{ text: "Hello" }], undefined, { usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 } }),
          chunk([{ text: " there." }], "STOP", {
            usageMetadata: {
              promptTokenCount: 5,
              candidatesTokenCount: 3,
              totalTokenCount: 50,
              thoughtsTokenCount: 42,
            },
          }),
        ),
        completion: { choices: [said([text("Hello there.")])], usage: usage(5, 45, { reasoningTokens: 42 }) },
      },
      "empty text": { wire: sse(chunk([{ text: "" }], "STOP")), completion: { choices: [said([])] } },
      "two parallel tool calls with interleaved fragments": {
        // Calls come whole, with a signature only on the first; STOP comes in a chunk of its own.
        wire: sse(
          chunk([
            { functionCall: { id: "a1", name: "weather", args: { city: "Oslo", at: 1 } }, thoughtSignature: "EqUC" },
            { functionCall: { id: "b2", name: "weather", args: { city: "Rome" } } },
          ]),
          chunk([{ text: "" }], "STOP"),
        ),
        completion: {
          choices: [
            said(
              [
                { ...toolCall("a1", "weather", '{"city":"Oslo","at":1}'), ...signed("EqUC") },
                toolCall("b2", "weather", '{"city":"Rome"}'),
              ],
              FinishReason.TOOL_CALLS,
            ),
          ],
        },
      },
      "a tool call without arguments": {
        wire: sse(chunk([{ functionCall: { id: "a1", name: "now" } }], "STOP")),
        completion: { choices: [said([toolCall("a1", "now", "{}")], FinishReason.TOOL_CALLS)] },
      },
      "reasoning, then text": {
        request: { reasoning: { format: ReasoningFormat.PARSED } },
        wire: sse(
          chunk([{ text: "**Counting** ", thought: true }]),
          chunk([{ text: "them.", thought: true }]),
          chunk([{ text: "Three." }], "STOP"),
        ),
        completion: { choices: [said([reasoning("**Counting** them."), text("Three.")])] },
      },
      "reasoning with a signature": {
        // In a text the signature comes in a last part without text; it is joined to no other part.
        request: { reasoning: { format: ReasoningFormat.PARSED } },
        wire: sse(
          chunk([{ text: "**Counting** ...", thought: true }]),
          chunk([{ text: "Three." }]),
          chunk([{ text: "", thoughtSignature: "EqsF" }], "STOP"),
        ),
        completion: {
          choices: [said([reasoning("**Counting** ..."), text("Three."), { ...text(""), ...signed("EqsF") }])],
        },
      },
      "redacted reasoning": { why: "thoughts are told or not, and never withheld one by one" },
      "a refusal": { why: "the model refuses in plain text" },
      "a content filter": {
        wire: sse(begun, { candidates: [{ finishReason: "SAFETY", index: 0, safetyRatings: [{ blocked: true }] }] }),
        completion: { choices: [said([text("Hello")], FinishReason.CONTENT_FILTER, "SAFETY")] },
      },
      "a length stop": {
        // The limit was reached while thinking: a content without parts.
        wire: sse({ candidates: [{ content: { role: "model" }, finishReason: "MAX_TOKENS", index: 0 }] }),
        completion: { choices: [said([], FinishReason.LENGTH, "MAX_TOKENS")] },
      },
      "a matched stop sequence": { why: "the API does not tell which stop sequence matched" },
      "usage in the last chunk": {
        wire: sse(chunk([{ text: "Hi" }], "STOP"), {
          usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 1, totalTokenCount: 3 },
        }),
        completion: { choices: [said([text("Hi")])], usage: usage(2, 1) },
      },
      "usage on the finish chunk": {
        wire: sse(
          chunk([{ text: "Hi" }], "STOP", {
            usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 1, totalTokenCount: 3 },
          }),
        ),
        completion: { choices: [said([text("Hi")])], usage: usage(2, 1) },
      },
      "usage split over two events": {
        wire: sse(
          chunk([{ text: "Hi" }], undefined, { usageMetadata: { promptTokenCount: 2, trafficType: "ON_DEMAND" } }),
          chunk([], "STOP", { usageMetadata: { candidatesTokenCount: 4, trafficType: "ON_DEMAND" } }),
        ),
        completion: { choices: [said([text("Hi")])], usage: usage(2, 4) },
      },
      "no usage": {
        wire: sse(chunk([{ text: "Hi" }], "STOP")),
        completion: { choices: [said([text("Hi")])], usage: undefined },
      },
      "cached, cache-write and reasoning tokens": {
        // Thoughts and what Google's own tools read are counted beside the rest; writes to the cache are not told.
        wire: sse(
          chunk([{ text: "Hi" }], "STOP", {
            usageMetadata: {
              promptTokenCount: 100,
              cachedContentTokenCount: 64,
              toolUsePromptTokenCount: 10,
              candidatesTokenCount: 7,
              thoughtsTokenCount: 13,
              totalTokenCount: 130,
            },
          }),
        ),
        completion: {
          choices: [said([text("Hi")])],
          usage: usage(110, 20, { cachedInputTokens: 64, reasoningTokens: 13 }),
        },
      },
      "log probabilities": {
        request: { parameters: { logprobs: true, topLogprobs: 2 } },
        wire: sse({
          candidates: [
            {
              content: { role: "model", parts: [{ text: "Hi" }] },
              finishReason: "STOP",
              index: 0,
              avgLogprobs: -0.1,
              logprobsResult: {
                chosenCandidates: [{ token: "Hi", tokenId: 7, logProbability: -0.1 }],
                topCandidates: [
                  {
                    candidates: [
                      { token: "Hi", tokenId: 7, logProbability: -0.1 },
                      { token: "Hey", tokenId: 8, logProbability: -2.5 },
                    ],
                  },
                ],
              },
            },
          ],
        }),
        completion: {
          choices: [
            said([text("Hi")], FinishReason.STOP, "STOP", {
              logprobs: {
                tokens: [
                  {
                    token: "Hi",
                    logprob: -0.1,
                    topLogprobs: [
                      { token: "Hi", logprob: -0.1 },
                      { token: "Hey", logprob: -2.5 },
                    ],
                  },
                ],
              },
            }),
          ],
        },
      },
      "two choices": { why: "few models take candidateCount, so each choice is a call of its own" },
      "an unknown event and unknown fields": {
        wire: `event: weather\r\ndata: {"somethingNew":true}\r\n\r\n${sse(
          chunk([{ text: "Hi", partMetadata: { a: 1 } }], undefined, { modelStatus: { stage: "STABLE" } }),
          chunk([], "STOP", { automaticFunctionCallingHistory: [] }),
        )}`,
        completion: { choices: [said([text("Hi")])] },
      },
      "an unknown finish reason": {
        wire: sse(chunk([{ text: "Hi" }], "TOO_SLEEPY")),
        completion: { choices: [said([text("Hi")], FinishReason.OTHER, "TOO_SLEEPY")] },
      },
      "pings and comments": {
        wire: `: ping\r\n\r\n${sse(begun)}: ping\r\n\r\n\r\n${sse(chunk([{ text: "!" }], "STOP"))}`,
        completion: { choices: [said([text("Hello!")])] },
      },
      ...answers,
    },

    errors,
    failures,

    replay: {
      wire: sse(
        chunk([{ text: "I look it up.", thought: true }]),
        chunk([
          { functionCall: { name: "weather", args: { city: "Oslo", at: { hour: 7 } } }, thoughtSignature: "EqUC+/=" },
          { functionCall: { name: "time", args: {} } },
        ]),
        chunk([{ text: "" }], "STOP"),
      ),
      results: { weather: "rain", time: "noon" },
      field: "contents",
      sent: [
        { role: "user", parts: [{ text: "hello" }] },
        {
          role: "model",
          parts: [
            { text: "I look it up.", thought: true },
            { functionCall: { name: "weather", args: { city: "Oslo", at: { hour: 7 } } }, thoughtSignature: "EqUC+/=" },
            { functionCall: { name: "time", args: {} } },
          ],
        },
        {
          role: "user",
          parts: [
            { functionResponse: { name: "weather", response: { output: "rain" } } },
            { functionResponse: { name: "time", response: { output: "noon" } } },
          ],
        },
      ],
    },

    everything: googleEverything(model, own),

    limited: limited(model),
  };
}
