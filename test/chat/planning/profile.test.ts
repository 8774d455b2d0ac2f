import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownWords } from "../../../src/chat/planning/caller-words.ts";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { fillDefaults } from "../../../src/chat/planning/fill-defaults.ts";
import { type Profile, profileAdaptations, profileViolations } from "../../../src/chat/planning/profile.ts";
import { fieldText } from "../../../src/errors.ts";
import { formatPath } from "../../../src/field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { profiles } from "../../../src/profiles/profiles.ts";
import { strictSchemaProblem } from "../../../src/profiles/strict-schema.ts";
import { fieldsOf as namesOf } from "../../support/paths.ts";
import { textsOf } from "../../support/planning.ts";

const say = (role: Role, text: string): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: text } }] });
const request = (chat: MessageInitShape<typeof ChatRequestSchema> = {}): ChatRequest =>
  create(ChatRequestSchema, { model: "m", messages: [say(Role.USER, "hi")], ...chat });
const maxValues = 1000;
const wording = (profile: Profile) => ({ texts: textsOf(profile), words: ownWords });
const gpt = create(ModelSchema, { id: "gpt-4o", family: "openai-chat" });
const fieldsOf = (chat: ChatRequest, name: keyof typeof profiles, streamed = false) =>
  profileViolations(chat, profiles[name], { streamed, maxValues, ...wording(profiles[name]) }).map(fieldText);
const fill = (chat: ChatRequest, profile: Profile, model: Model) =>
  fillDefaults(startDraft(chat), { model, profile, profileTexts: textsOf(profile) });
const withDefaults = (chat: ChatRequest, profile: Profile, model: Model) => fill(chat, profile, model).request;
const defaultedFields = (chat: ChatRequest, profile: Profile, model: Model) =>
  fill(chat, profile, model).defaulted.map(formatPath);

describe("the defaults of a profile", () => {
  it("sets temperature 0.2 for EGP, 1 for Cerebras and DeepInfra, and none for plain", () => {
    const temperature = (name: keyof typeof profiles) =>
      withDefaults(request(), profiles[name], gpt).parameters?.temperature;
    expect(Object.keys(profiles).map((name) => [name, temperature(name as keyof typeof profiles)])).toEqual([
      ["plain", undefined],
      ["egp-chat", 0.2],
      ["egp-deployment", 0.2],
      ["cerebras", 1],
      ["deepinfra", 1],
    ]);
  });

  it("does not replace values that the caller set, including 0", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(profiles)),
        fc.record({ temperature: fc.constantFrom(0, 0.5), topP: fc.constantFrom(0.1, 1) }, { requiredKeys: [] }),
        (profile, parameters) => {
          const given = request({ parameters });
          expect(withDefaults(given, profile, gpt).parameters ?? {}).toMatchObject(parameters);
          expect(given).toEqual(request({ parameters }));
        },
      ),
    );
  });

  it("sets no temperature beside top_p if the family accepts only one of them", () => {
    const claude = create(ModelSchema, { id: "claude", family: "anthropic" });
    const topP = request({ parameters: { topP: 0.9 } });
    const egp = profiles["egp-chat"];
    expect(withDefaults(topP, egp, claude).parameters?.temperature).toBeUndefined();
    expect(withDefaults(topP, egp, gpt).parameters?.temperature).toBe(0.2);
    expect(withDefaults(topP, profiles["egp-deployment"], claude).parameters?.temperature).toBe(0.2);
    expect(withDefaults(request({ parameters: { topP: 1 } }), egp, claude).parameters?.temperature).toBe(0.2);
    expect(withDefaults(request(), egp, claude).parameters?.temperature).toBe(0.2);
    expect([...defaultedFields(topP, egp, gpt)]).toEqual(["parameters.temperature"]);
    expect([...defaultedFields(topP, egp, claude)]).toEqual([]);
  });

  it("adds default instructions only for egp-chat without any system prompt, with a warning", () => {
    const warningsOf = (chat: ChatRequest) => fill(chat, profiles["egp-chat"], gpt).warnings;
    expect(warningsOf(request())).toMatchObject([{ reason: "ADDED", field: ["instructions"] }]);
    expect(warningsOf(request({ instructions: "" }))).toEqual([]);
    const instructionsOf = (chat: ChatRequest) => withDefaults(chat, profiles["egp-chat"], gpt).instructions;
    expect(instructionsOf(request())).toMatch(/^You are an AI assistant that helps users .* ask the user for it\.$/);
    expect(instructionsOf(request({ instructions: "" }))).toBe("");
    expect(instructionsOf(request({ instructions: "be terse" }))).toBe("be terse");
    expect(instructionsOf(request({ messages: [say(Role.SYSTEM, "s"), say(Role.USER, "u")] }))).toBeUndefined();
    expect(withDefaults(request(), profiles["egp-deployment"], gpt).instructions).toBeUndefined();
  });
});

describe("the rules of a profile", () => {
  it.each([
    ["egp-chat", { temperature: 1.2 }, "temperature"],
    ["egp-chat", { n: 2 }, "n"],
    ["egp-chat", { stopSequences: ["a", "b", "c", "d", "e"] }, "stop_sequences"],
    ["egp-deployment", { stopSequences: ["a", "b", "c", "d", "e"] }, "stop_sequences"],
    ["egp-chat", { maxOutputTokens: 0 }, "max_output_tokens"],
    ["egp-deployment", { maxOutputTokens: 0 }, "max_output_tokens"],
    ["cerebras", { maxOutputTokens: 0 }, "max_output_tokens"],
    ["cerebras", { temperature: 1.6 }, "temperature"],
    ["cerebras", { stopSequences: ["a", "b", "c", "d", "e"] }, "stop_sequences"],
    ["deepinfra", { n: 5 }, "n"],
    ["deepinfra", { topK: 1000 }, "top_k"],
    ["deepinfra", { maxOutputTokens: 1_000_001 }, "max_output_tokens"],
  ] as const)("%s rejects %o", (name, parameters, field) => {
    const chat = request({
      parameters: {
        ...parameters,
        stopSequences: [...("stopSequences" in parameters ? parameters.stopSequences : [])],
      },
    });
    expect(fieldsOf(chat, name)).toEqual([`chat.parameters.${field}`]);
    expect(fieldsOf(chat, "plain")).toEqual([]);
  });

  it.each([
    ["egp-chat", { temperature: 1, n: 1 }],
    ["egp-deployment", { temperature: 2 }],
    ["cerebras", { temperature: 1.5, n: 8 }],
    ["deepinfra", { maxOutputTokens: 0 }],
    ["deepinfra", { temperature: 2, n: 4, topK: 999, maxOutputTokens: 1_000_000 }],
  ] as const)("%s accepts %o", (name, parameters) => {
    expect(fieldsOf(request({ parameters }), name)).toEqual([]);
  });

  it("reports several violations at once", () => {
    expect(fieldsOf(request({ parameters: { topK: 1000, n: 5 } }), "deepinfra")).toHaveLength(2);
  });

  it("rejects a streamed JSON object only with cerebras", () => {
    const json = request({ outputFormat: { format: { case: "jsonObject", value: {} } } });
    expect(fieldsOf(json, "cerebras", true)).toEqual(["chat.output_format.json_object"]);
    expect(fieldsOf(json, "cerebras", false)).toEqual([]);
    expect(fieldsOf(json, "deepinfra", true)).toEqual([]);
  });

  it("requires one system message and no assistant message last with deepinfra", () => {
    const [system, user, assistant] = [say(Role.SYSTEM, "s"), say(Role.USER, "u"), say(Role.ASSISTANT, "a")];
    expect(fieldsOf(request({ messages: [user, assistant, system, user] }), "deepinfra")).toEqual([]);
    expect(fieldsOf(request({ messages: [system, user, system] }), "deepinfra")).toEqual(["chat.messages[2].role"]);
    expect(fieldsOf(request({ messages: [user, assistant] }), "deepinfra")).toEqual(["chat.messages[1].role"]);
    expect(fieldsOf(request({ messages: [user, assistant], continueLastMessage: true }), "deepinfra")).toEqual([]);
    expect(fieldsOf(request({ messages: [user, assistant] }), "cerebras")).toEqual([]);
  });
});

describe("the adaptations of a profile for a family", () => {
  const adaptationsOf = (chat: ChatRequest, family: string, name: keyof typeof profiles) => {
    const model = create(ModelSchema, { id: "m", provider: "p", family });
    return profileAdaptations(chat, model, profiles[name], wording(profiles[name]));
  };

  it.each([
    ["egp-chat", "openai-chat", ["parameters.top_k"]],
    ["egp-chat", "anthropic", ["parameters.presence_penalty"]],
    ["egp-chat", "llm-engine", []],
    ["egp-deployment", "anthropic", ["parameters.top_p", "parameters.top_k", "parameters.presence_penalty"]],
    ["egp-deployment", "google", ["parameters.presence_penalty"]],
    ["plain", "anthropic", []],
  ] as const)("drops unsupported parameters with %s for %s: %o", (name, family, fields) => {
    const chat = request({ parameters: { topP: 0.5, topK: 4, presencePenalty: 0.5 } });
    expect(namesOf(adaptationsOf(chat, family, name))).toEqual(fields);
  });

  it("rejects image URLs with EGP profiles for all families but OpenAI", () => {
    const image = { kind: { case: "media", value: { source: { case: "url", value: "https://a/b.png" } } } } as const;
    const chat = request({ messages: [{ role: Role.USER, parts: [image] }] });
    expect(adaptationsOf(chat, "openai-chat", "egp-chat")).toEqual([]);
    const [rejected] = adaptationsOf(chat, "anthropic", "egp-chat");
    expect(rejected).toMatchObject({ kind: "REJECTED", field: ["messages", 0, "parts", 0, "media"] });
  });

  it("lowers max_output_tokens to 16,384 with deepinfra", () => {
    const chat = request({ parameters: { maxOutputTokens: 50_000 } });
    const [adjusted] = adaptationsOf(chat, "deepinfra", "deepinfra");
    expect(adjusted).toMatchObject({ kind: "ADJUSTED", field: ["parameters", "max_output_tokens"], set: 16_384 });
  });
});

describe("a strict schema", () => {
  const object = (properties: object, more: object = {}) =>
    JSON.stringify({
      type: "object",
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
      ...more,
    });

  it.each([
    ["lists of types", object({ a: { type: ["string", "null"] } }), /list of types/],
    ["additional properties", object({ a: {} }, { additionalProperties: true }), /additionalProperties/],
    ["optional properties", object({ a: {}, b: {} }, { required: ["a"] }), /add b/],
    ["six branches", object({ a: { anyOf: [{}, {}, {}, {}, {}, {}] } }), /more than 5/],
    ["items: true", object({ a: { type: "array", items: true } }), /items: true/],
    ["a violation inside a definition", object({}, { $defs: { x: { type: ["string"] } } }), /\/\$defs\/x/],
  ])("rejects a strict schema with %s", (_, schema, problem) => {
    expect(strictSchemaProblem(schema, maxValues)).toMatch(problem);
  });

  it("accepts properties named like keywords, references and enum values", () => {
    const schema = object(
      {
        type: { type: "string", enum: [["a"]] },
        anyOf: { $ref: "#/$defs/x" },
        items: { anyOf: [{}, { type: "null" }] },
      },
      { $defs: { x: { type: "string" } } },
    );
    expect(strictSchemaProblem(schema, maxValues)).toBeUndefined();
  });
});
