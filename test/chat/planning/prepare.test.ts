import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type Adaptation, applyAdaptations } from "../../../src/chat/planning/adaptations.ts";
import { messageAdaptations, prepareMessages } from "../../../src/chat/planning/prepare.ts";
import type { Profile } from "../../../src/chat/planning/profile.ts";
import { GatewayError } from "../../../src/errors.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { profiles } from "../../../src/profiles/profiles.ts";

const say = (role: Role, text: string): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: text } }] });
const request = (chat: MessageInitShape<typeof ChatRequestSchema>): ChatRequest =>
  create(ChatRequestSchema, { model: "m", messages: [say(Role.USER, "hi")], ...chat });
const model = create(ModelSchema, { id: "p/m", provider: "p", providerModel: "m" });
const prepare = (chat: ChatRequest, profile: Profile = profiles.plain) =>
  prepareMessages(chat, model, profile).messages;

describe("preparing a request", () => {
  it("puts instructions first, as a system message", () => {
    const [first, second] = prepare(request({ instructions: "be terse" }));
    expect(first).toEqual(say(Role.SYSTEM, "be terse"));
    expect(second?.role).toBe(Role.USER);
  });

  it("adds no system message for empty instructions", () => {
    expect(prepare(request({ instructions: "" }))).toHaveLength(1);
  });

  describe.each(["cerebras", "egp-deployment"] as const)("of several system messages, under %s", (name) => {
    const system = say(Role.SYSTEM, "one");
    const later = say(Role.DEVELOPER, "two");
    const spoken = [say(Role.USER, "a"), say(Role.ASSISTANT, "b")] as const;

    it("joins them to the first with a blank line, in its place, and says so", () => {
      const messages = [spoken[0], system, spoken[1], later];
      const chat = request({ messages });
      expect(prepare(chat, profiles[name])).toEqual([spoken[0], say(Role.SYSTEM, "one\n\ntwo"), spoken[1]]);
      expect([...messageAdaptations(chat, model, profiles[name])]).toMatchObject([
        { kind: "EMULATED", field: "messages[3]", message: expect.stringContaining(name) },
      ]);
      expect(chat.messages).toEqual(messages);
    });

    it("leaves a single one where it is, without a word", () => {
      const chat = request({ messages: [...spoken, system] });
      expect(prepare(chat, profiles[name])).toEqual(chat.messages);
      expect([...messageAdaptations(chat, model, profiles[name])]).toEqual([]);
    });

    it("keeps the place of a cache hint", () => {
      const hinted = create(MessageSchema, {
        role: Role.SYSTEM,
        parts: [{ kind: { case: "text", value: "one" }, cacheHint: {} }],
      });
      const [joined] = prepare(request({ messages: [hinted, later, ...spoken] }), profiles[name]);
      expect(joined?.parts.map(({ kind, cacheHint }) => [kind.value, cacheHint !== undefined])).toEqual([
        ["one", true],
        ["\n\ntwo", false],
      ]);
    });
  });

  it("leaves several system messages as they are under the other profiles", () => {
    const messages = [say(Role.SYSTEM, "one"), say(Role.SYSTEM, "two"), say(Role.USER, "a")];
    for (const name of ["plain", "egp-chat"] as const) {
      expect(prepare(request({ messages }), profiles[name])).toEqual(messages);
    }
  });

  it("leaves out opaque state of another provider or model, and keeps its own", () => {
    const state = (provider: string, name: string) => ({ provider, model: name, data: new Uint8Array([1]) });
    const messages = [state("p", "m"), state("p", "other"), state("q", "m")].map((providerState) => ({
      role: Role.ASSISTANT,
      parts: [{ kind: { case: "text", value: "x" }, providerState } as const],
    }));
    const prepared = prepare(request({ messages }));
    expect(prepared.map(({ parts }) => parts[0]?.providerState !== undefined)).toEqual([true, false, false]);
  });
});

describe("a adaptation", () => {
  const topK: Adaptation = { kind: "UNSUPPORTED_PARAMETER", field: "parameters.top_k", message: "p has no top_k" };

  it("takes the field out, warns, and leaves the caller's request as it was", () => {
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
    const adjusted: Adaptation = { kind: "ADJUSTED", field: "parameters.temperature", message: "at most 1", set: 1 };
    expect(applyAdaptations(request({ parameters: { temperature: 2 } }), [adjusted]).request.parameters).toMatchObject({
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
    const limited = applyAdaptations(
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
    const tier: Adaptation = { kind: "UNSUPPORTED_PARAMETER", field: "service_tier", message: "p has no tiers" };
    const chat = request({ strictParameters: true, parameters: { topK: 5 }, serviceTier: "flex" });
    expect(() => applyAdaptations(chat, [topK, tier])).toThrow(
      expect.objectContaining({
        reason: "UNSUPPORTED_PARAMETER",
        facts: expect.objectContaining({ metadata: { fields: "parameters.top_k,service_tier" } }),
      }),
    );
  });

  it("that two know of is told once, as the one that takes more away", () => {
    const adjusted: Adaptation = { kind: "ADJUSTED", field: "parameters.top_k", message: "at most 1", set: 1 };
    const limited = applyAdaptations(request({ parameters: { topK: 5 } }), [adjusted, topK]);
    expect(limited.request.parameters?.topK).toBeUndefined();
    expect(limited.warnings).toHaveLength(1);
  });

  it("of what is left out as a whole says nothing of its fields", () => {
    const chat = request({ reasoning: { control: { case: "effort", value: ReasoningEffort.XHIGH } } });
    const found: Adaptation[] = [
      { kind: "REJECTED", field: "reasoning.effort", message: "m takes low" },
      { kind: "UNSUPPORTED_PARAMETER", field: "reasoning", message: "m does not reason" },
    ];
    const { request: limited, warnings } = applyAdaptations(chat, found);
    expect(limited.reasoning).toBeUndefined();
    expect(warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "reasoning" }]);
  });

  it("is always an error where leaving the field out would change the question", () => {
    const image: Adaptation = { kind: "REJECTED", field: "messages[0].parts[0].media", message: "p takes no images" };
    expect(() => applyAdaptations(request({}), [image])).toThrow(GatewayError);
  });
});
