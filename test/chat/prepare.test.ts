import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyLimitations, type Limitation } from "../../src/chat/limitations.ts";
import { keepLast } from "../../src/chat/memory.ts";
import { prepareMessages } from "../../src/chat/prepare.ts";
import { isSystem } from "../../src/chat/request-rules.ts";
import { GatewayError } from "../../src/errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../src/gen/dragoman/v1/reasoning_pb.js";

const say = (role: Role, text: string): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: text } }] });
const request = (chat: MessageInitShape<typeof ChatRequestSchema>): ChatRequest =>
  create(ChatRequestSchema, { model: "m", messages: [say(Role.USER, "hi")], ...chat });
const model = create(ModelSchema, { id: "p/m", provider: "p", providerModel: "m" });

const conversation = fc.array(
  fc.constantFrom(Role.SYSTEM, Role.DEVELOPER, Role.USER, Role.ASSISTANT, Role.TOOL).map((role) => say(role, "x")),
  { maxLength: 12 },
);

describe("keeping the last k messages", () => {
  it("keeps every system message, the last k of the others, and the order", () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 1, max: 14 }), (messages, k) => {
        const kept = keepLast(messages, k);
        expect(kept).toEqual(messages.filter((message) => kept.includes(message)));
        expect(kept.filter(isSystem)).toEqual(messages.filter(isSystem));
        const others = messages.filter((message) => !isSystem(message));
        expect(kept).toEqual(expect.arrayContaining(others.slice(-k)));
      }),
    );
  });

  it("never begins with a tool result whose call was left out", () => {
    const messages = [say(Role.USER, "a"), say(Role.ASSISTANT, "call"), say(Role.TOOL, "1"), say(Role.TOOL, "2")];
    expect(keepLast(messages, 1)).toEqual(messages.slice(1));
  });

  it("keeps all when k is above their number", () => {
    const messages = [say(Role.USER, "a"), say(Role.ASSISTANT, "b"), say(Role.USER, "c")];
    expect(keepLast(messages, 99)).toEqual(messages);
  });
});

describe("preparing a request", () => {
  it("puts instructions first, as a system message", () => {
    const [first, second] = prepareMessages(request({ instructions: "be terse" }), model).messages;
    expect(first).toEqual(say(Role.SYSTEM, "be terse"));
    expect(second?.role).toBe(Role.USER);
  });

  it("adds no system message for empty instructions", () => {
    expect(prepareMessages(request({ instructions: "" }), model).messages).toHaveLength(1);
  });

  it("leaves out opaque state of another provider or model, and keeps its own", () => {
    const state = (provider: string, name: string) => ({ provider, model: name, data: new Uint8Array([1]) });
    const messages = [state("p", "m"), state("p", "other"), state("q", "m")].map((providerState) => ({
      role: Role.ASSISTANT,
      parts: [{ kind: { case: "text", value: "x" }, providerState } as const],
    }));
    const prepared = prepareMessages(request({ messages }), model).messages;
    expect(prepared.map(({ parts }) => parts[0]?.providerState !== undefined)).toEqual([true, false, false]);
  });
});

describe("a limitation", () => {
  const topK: Limitation = { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_k", message: "p has no top_k" };

  it("takes the field out, warns, and leaves the caller's request as it was", () => {
    const chat = request({ parameters: { topK: 5, temperature: 1 } });
    const limited = applyLimitations(chat, [topK]);
    expect(limited.request.parameters?.topK).toBeUndefined();
    expect(limited.request.parameters?.temperature).toBe(1);
    expect(limited.warnings).toMatchObject([
      { reason: "UNSUPPORTED_PARAMETER", field: "parameters.top_k", message: "p has no top_k" },
    ]);
    expect(chat.parameters?.topK).toBe(5);
  });

  it("adjusts a value", () => {
    const adjusted: Limitation = { kind: "ADJUSTED", field: "parameters.temperature", message: "at most 1", set: 1 };
    expect(applyLimitations(request({ parameters: { temperature: 2 } }), [adjusted]).request.parameters).toMatchObject({
      temperature: 1,
    });
  });

  it("clears a member of a oneof, a list, a message and a text", () => {
    const chat = request({
      reasoning: { control: { case: "effort", value: ReasoningEffort.HIGH } },
      parameters: { stopSequences: ["x"] },
      serviceTier: "flex",
      prediction: { content: "x" },
    });
    const fields = ["reasoning.effort", "parameters.stop_sequences", "service_tier", "prediction"];
    const limited = applyLimitations(
      chat,
      fields.map((field) => ({ kind: "UNSUPPORTED_PARAMETER", field, message: field }) as const),
    ).request;
    expect(limited.reasoning?.control.case).toBeUndefined();
    expect(limited.parameters?.stopSequences).toEqual([]);
    expect(limited.serviceTier).toBe("");
    expect(limited.prediction).toBeUndefined();
    expect(chat.parameters?.stopSequences).toEqual(["x"]);
  });

  it("is an error that names every field when the caller asked for strictness", () => {
    const tier: Limitation = { kind: "UNSUPPORTED_PARAMETER", field: "service_tier", message: "p has no tiers" };
    const chat = request({ strictParameters: true, parameters: { topK: 5 }, serviceTier: "flex" });
    expect(() => applyLimitations(chat, [topK, tier])).toThrow(
      expect.objectContaining({
        reason: "UNSUPPORTED_PARAMETER",
        facts: expect.objectContaining({ metadata: { fields: "parameters.top_k,service_tier" } }),
      }),
    );
  });

  it("that two know of is told once, as the one that takes more away", () => {
    const adjusted: Limitation = { kind: "ADJUSTED", field: "parameters.top_k", message: "at most 1", set: 1 };
    const limited = applyLimitations(request({ parameters: { topK: 5 } }), [adjusted, topK]);
    expect(limited.request.parameters?.topK).toBeUndefined();
    expect(limited.warnings).toHaveLength(1);
  });

  it("is always an error where leaving the field out would change the question", () => {
    const image: Limitation = { kind: "REFUSED", field: "messages[0].parts[0].media", message: "p takes no images" };
    expect(() => applyLimitations(request({}), [image])).toThrow(GatewayError);
  });
});
