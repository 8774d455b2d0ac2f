import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { Profile } from "../../../src/chat/planning/profile.ts";
import { systemAdaptations } from "../../../src/chat/planning/system-text.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { profiles } from "../../../src/profiles/profiles.ts";
import { prepareDraft, prepareMessages, textsOf } from "../../support/planning.ts";

const say = (role: Role, text: string): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: text } }] });
const request = (chat: MessageInitShape<typeof ChatRequestSchema>): ChatRequest =>
  create(ChatRequestSchema, { model: "m", messages: [say(Role.USER, "hi")], ...chat });
const model = create(ModelSchema, { id: "p/m", provider: "p", providerModel: "m" });
const prepare = (chat: ChatRequest, profile: Profile = profiles.plain) =>
  prepareMessages(chat, model, profile).messages;
const adaptationsOf = (chat: ChatRequest, profile: Profile) => [
  ...systemAdaptations(prepareDraft(chat, model, profile), { model, profile, profileTexts: textsOf(profile) }),
];

describe("placing system text", () => {
  it("puts instructions first, as a system message", () => {
    const [first, second] = prepare(request({ instructions: "be terse" }));
    expect(first).toEqual(say(Role.SYSTEM, "be terse"));
    expect(second?.role).toBe(Role.USER);
  });

  it("adds no system message for empty instructions", () => {
    expect(prepare(request({ instructions: "" }))).toHaveLength(1);
  });

  describe.each(["cerebras", "egp-deployment"] as const)("several system messages with profile %s", (name) => {
    const system = say(Role.SYSTEM, "one");
    const later = say(Role.DEVELOPER, "two");
    const turns = [say(Role.USER, "a"), say(Role.ASSISTANT, "b")] as const;

    it("merges system messages into the first, with a blank line and a warning", () => {
      const messages = [turns[0], system, turns[1], later];
      const chat = request({ messages });
      expect(prepare(chat, profiles[name])).toEqual([turns[0], say(Role.SYSTEM, "one\n\ntwo"), turns[1]]);
      expect(adaptationsOf(chat, profiles[name])).toMatchObject([
        { kind: "EMULATED", field: ["messages", 3], message: expect.stringContaining(name) },
      ]);
      expect(chat.messages).toEqual(messages);
    });

    it("leaves a single system message in place without a warning", () => {
      const chat = request({ messages: [...turns, system] });
      expect(prepare(chat, profiles[name])).toEqual(chat.messages);
      expect(adaptationsOf(chat, profiles[name])).toEqual([]);
    });

    it("keeps a cache hint between merged system messages", () => {
      const hinted = create(MessageSchema, {
        role: Role.SYSTEM,
        parts: [{ kind: { case: "text", value: "one" }, cacheHint: {} }],
      });
      const [joined] = prepare(request({ messages: [hinted, later, ...turns] }), profiles[name]);
      expect(joined?.parts.map(({ kind, cacheHint }) => [kind.value, cacheHint !== undefined])).toEqual([
        ["one", true],
        ["\n\ntwo", false],
      ]);
    });
  });

  it("does not merge system messages with other profiles", () => {
    const messages = [say(Role.SYSTEM, "one"), say(Role.SYSTEM, "two"), say(Role.USER, "a")];
    for (const name of ["plain", "egp-chat"] as const) {
      expect(prepare(request({ messages }), profiles[name])).toEqual(messages);
    }
  });

  it("drops provider state of another provider or model, and keeps its own", () => {
    const state = (provider: string, name: string) => ({ provider, model: name, data: new Uint8Array([1]) });
    const messages = [state("p", "m"), state("p", "other"), state("q", "m")].map((providerState) => ({
      role: Role.ASSISTANT,
      parts: [{ kind: { case: "text", value: "x" }, providerState } as const],
    }));
    const prepared = prepare(request({ messages }));
    expect(prepared.map(({ parts }) => parts[0]?.providerState !== undefined)).toEqual([true, false, false]);
  });
});
