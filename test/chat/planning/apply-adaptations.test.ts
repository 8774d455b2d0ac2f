import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { Adaptation } from "../../../src/chat/planning/adaptations.ts";
import { GatewayError } from "../../../src/errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { toPath } from "../../support/paths.ts";
import { applyAdaptations } from "../../support/planning.ts";

const say = (role: Role, text: string): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: text } }] });
const request = (chat: MessageInitShape<typeof ChatRequestSchema>): ChatRequest =>
  create(ChatRequestSchema, { model: "m", messages: [say(Role.USER, "hi")], ...chat });

describe("applying adaptations", () => {
  const topK: Adaptation = { kind: "UNSUPPORTED_PARAMETER", field: ["parameters", "top_k"], message: "p has no top_k" };

  it("drops the field with a warning, and does not change the caller's request", () => {
    const chat = request({ parameters: { topK: 5, temperature: 1 } });
    const limited = applyAdaptations(chat, [topK]);
    expect(limited.request.parameters?.topK).toBeUndefined();
    expect(limited.request.parameters?.temperature).toBe(1);
    expect(limited.warnings).toMatchObject([
      { reason: "UNSUPPORTED_PARAMETER", field: "parameters.top_k", message: "p has no top_k" },
    ]);
    expect(chat.parameters?.topK).toBe(5);
  });

  it("adjusts a value", () => {
    const adjusted: Adaptation = {
      kind: "ADJUSTED",
      field: ["parameters", "temperature"],
      message: "at most 1",
      set: 1,
    };
    expect(applyAdaptations(request({ parameters: { temperature: 2 } }), [adjusted]).request.parameters).toMatchObject({
      temperature: 1,
    });
  });

  it("clears a oneof, a list, a message and a string", () => {
    const chat = request({
      reasoning: { control: { case: "effort", value: ReasoningEffort.HIGH } },
      parameters: { stopSequences: ["x"] },
      serviceTier: "flex",
      prediction: { content: "x" },
    });
    const fields = ["reasoning.effort", "parameters.stop_sequences", "service_tier", "prediction"];
    const limited = applyAdaptations(
      chat,
      fields.map((field) => ({ kind: "UNSUPPORTED_PARAMETER", field: toPath(field), message: field }) as const),
    ).request;
    expect(limited.reasoning?.control.case).toBeUndefined();
    expect(limited.parameters?.stopSequences).toEqual([]);
    expect(limited.serviceTier).toBe("");
    expect(limited.prediction).toBeUndefined();
    expect(chat.parameters?.stopSequences).toEqual(["x"]);
  });

  it("throws an error that names every field if strict_parameters is set", () => {
    const tier: Adaptation = { kind: "UNSUPPORTED_PARAMETER", field: ["service_tier"], message: "p has no tiers" };
    const chat = request({ strictParameters: true, parameters: { topK: 5 }, serviceTier: "flex" });
    expect(() => applyAdaptations(chat, [topK, tier])).toThrow(
      expect.objectContaining({
        reason: "UNSUPPORTED_PARAMETER",
        facts: expect.objectContaining({ metadata: { fields: "parameters.top_k,service_tier" } }),
      }),
    );
  });

  it("reports only the strongest adaptation of a field", () => {
    const adjusted: Adaptation = { kind: "ADJUSTED", field: ["parameters", "top_k"], message: "at most 1", set: 1 };
    const limited = applyAdaptations(request({ parameters: { topK: 5 } }), [adjusted, topK]);
    expect(limited.request.parameters?.topK).toBeUndefined();
    expect(limited.warnings).toHaveLength(1);
  });

  it("reports no adaptations inside a dropped field", () => {
    const chat = request({ reasoning: { control: { case: "effort", value: ReasoningEffort.XHIGH } } });
    const found: Adaptation[] = [
      { kind: "REJECTED", field: ["reasoning", "effort"], message: "m takes low" },
      { kind: "UNSUPPORTED_PARAMETER", field: ["reasoning"], message: "m does not reason" },
    ];
    const { request: limited, warnings } = applyAdaptations(chat, found);
    expect(limited.reasoning).toBeUndefined();
    expect(warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "reasoning" }]);
  });

  it("always throws for a rejected field", () => {
    const field = ["messages", 0, "parts", 0, "media"];
    const image: Adaptation = { kind: "REJECTED", field, message: "p takes no images" };
    expect(() => applyAdaptations(request({}), [image])).toThrow(GatewayError);
  });

  it("drops a field of one part only, and does not change the caller's request", () => {
    const part = { kind: { case: "text", value: "hi" }, cacheHint: {} } as const;
    const chat = request({ messages: [say(Role.SYSTEM, "s"), { role: Role.USER, parts: [part, part] }] });
    const field = ["messages", 1, "parts", 1, "cache_hint"];
    const limited = applyAdaptations(chat, [{ kind: "UNSUPPORTED_PARAMETER", field, message: "p has no hints" }]);
    const hints = ({ messages }: ChatRequest) => messages.map(({ parts }) => parts.map(({ cacheHint }) => !!cacheHint));
    expect(hints(limited.request)).toEqual([[false], [true, false]]);
    expect(hints(chat)).toEqual([[false], [true, true]]);
    expect(limited.request.messages[0]).toBe(chat.messages[0]);
  });

  it("reports each different emulation of a field once", () => {
    const emulated = (message: string): Adaptation => ({ kind: "EMULATED", field: ["messages"], message });
    const found = [emulated("no names"), emulated("no thoughts"), emulated("no names")];
    const { warnings } = applyAdaptations(request({ strictParameters: true }), found);
    expect(warnings.map(({ message }) => message)).toEqual(["no names", "no thoughts"]);
  });
});
