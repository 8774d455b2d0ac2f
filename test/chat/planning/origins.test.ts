import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { callersError, callersField } from "../../../src/chat/planning/origins.ts";
import { GatewayError, invalidRequest } from "../../../src/errors.ts";
import { formatPath } from "../../../src/field-path.ts";
import type { ChatRequest } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { profiles } from "../../../src/profiles/profiles.ts";
import { toPath } from "../../support/paths.ts";
import { prepareDraft } from "../../support/planning.ts";
import { ask } from "../../support/requests.ts";

const text = (value: string, more: object = {}) => ({ kind: { case: "text" as const, value }, ...more });
const foreign = { providerState: { provider: "other", data: Buffer.from("x") } };
const turns = [
  { role: Role.USER, parts: [text("a"), text("b")] },
  { role: Role.ASSISTANT, parts: [text("c", foreign)] },
  { role: Role.USER, parts: [text("d")] },
];
const model = create(ModelSchema, { id: "m", provider: "p" });
const withoutSystem = create(ModelSchema, { id: "m", provider: "p", capabilities: { systemMessages: false } });

/** Maps a field of the outgoing request to the caller's field. */
function fieldOf(chat: ChatRequest, of: Model, sent: string, profile = profiles.plain): string {
  return formatPath(callersField(prepareDraft(chat, of, profile).origins, toPath(sent)));
}

describe("mapping a field to the caller's field", () => {
  it.each<[string, ChatRequest, Model, string, string]>([
    [
      "unchanged messages",
      ask("m", "", { messages: turns }),
      model,
      "messages[0].parts[1].media",
      "messages[0].parts[1].media",
    ],
    [
      "messages after instructions",
      ask("m", "", { messages: turns, instructions: "be terse" }),
      model,
      "messages[3].role",
      "messages[2].role",
    ],
    [
      "a message without its foreign state",
      ask("m", "", { messages: turns, instructions: "be terse" }),
      model,
      "messages[2].parts[0].cache_hint",
      "messages[1].parts[0].cache_hint",
    ],
    [
      "messages after dropped ones",
      ask("m", "", { messages: turns, memoryStrategy: { strategy: { case: "lastK", value: { k: 1 } } } }),
      model,
      "messages[0].name",
      "messages[2].name",
    ],
    [
      "a user message with merged instructions",
      ask("m", "", { messages: turns, instructions: "be terse" }),
      withoutSystem,
      "messages[0].parts[2].media",
      "messages[0].parts[1].media",
    ],
  ])("maps the fields of %s to the caller's fields", (_, chat, of, sent, expected) => {
    expect(fieldOf(chat, of, sent)).toBe(expected);
  });

  it("maps each part of a merged system message to its original message", () => {
    const system = (value: string, more: object = {}) => ({ role: Role.SYSTEM, parts: [text(value, more)] });
    const chat = ask("m", "", { messages: [system("x", { cacheHint: {} }), ...turns, system("y"), system("z")] });
    const field = (sent: string) => fieldOf(chat, model, sent, profiles.cerebras);
    expect(field("messages[0].parts[0].cache_hint")).toBe("messages[0].parts[0].cache_hint");
    expect(field("messages[0].parts[1].cache_hint")).toBe("messages[5].parts[0].cache_hint");
    expect(field("messages[0].name")).toBe("messages[0].name");
  });

  it("maps system text in a user message to the system message", () => {
    const system = { role: Role.SYSTEM, parts: [text("x"), text("y", { cacheHint: {} })] };
    const chat = ask("m", "", { messages: [...turns.slice(1, 2), ...turns.slice(0, 1), system] });
    const field = (sent: string) => fieldOf(chat, withoutSystem, sent);
    expect(field("messages[1].parts[1].cache_hint")).toBe("messages[2].parts[1].cache_hint");
    expect(field("messages[1].parts[2].media")).toBe("messages[1].parts[0].media");
    expect(field("messages[1].name")).toBe("messages[1].name");
  });

  it("maps the text of instructions to that field, and keeps other fields", () => {
    const chat = ask("m", "", { messages: turns, instructions: "be terse" });
    expect(fieldOf(chat, model, "messages[0].parts[0]")).toBe("instructions");
    expect(fieldOf(chat, model, "messages[0]")).toBe("instructions");
    expect(fieldOf(chat, withoutSystem, "messages[0].parts[0]")).toBe("instructions");
    expect(fieldOf(chat, withoutSystem, "messages[0].parts[1]")).toBe("messages[0].parts[0]");
    expect(fieldOf(chat, model, "tools[0].name")).toBe("tools[0].name");
    expect(fieldOf(chat, model, "messages")).toBe("messages");
  });

  it("maps the fields and the message of an INVALID_REQUEST error", () => {
    const chat = ask("m", "", { messages: turns, instructions: "be terse" });
    const { origins } = prepareDraft(chat, model, profiles.plain);
    const error = callersError(
      origins,
      invalidRequest([{ field: ["messages", 2, "role"], description: "is misplaced" }]),
    );
    expect(error).toMatchObject({ reason: "INVALID_REQUEST", facts: { fields: [{ field: ["messages", 1, "role"] }] } });
    expect(error).toHaveProperty("message", "invalid request: chat.messages[1].role: is misplaced");
    const others = [new Error("x"), new GatewayError("INTERNAL", "x")];
    for (const other of others) expect(callersError(origins, other)).toBe(other);
  });
});
