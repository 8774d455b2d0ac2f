import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { dropForeignState } from "../../../src/chat/planning/drop-foreign-state.ts";
import type { OptionalContent } from "../../../src/chat/planning/optional-content.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type PartSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";

type Kind = NonNullable<MessageInitShape<typeof PartSchema>["kind"]>;
const thought = { case: "reasoning", value: { text: "hm" } } as const satisfies Kind;
const call = { case: "toolCall", value: { id: "c", name: "f", argumentsJson: "{}" } } as const satisfies Kind;

/** Whether the state of a part stays for a model `claude` of a provider. */
function isKept(
  kind: Kind,
  state: { provider: string; model: string },
  { provider, dialect, accepts = [] }: { provider: string; dialect?: string; accepts?: readonly OptionalContent[] },
): boolean {
  const providerState = { ...state, data: Buffer.from("{}") };
  const messages = [{ role: Role.ASSISTANT, parts: [{ kind, providerState }] }];
  const model = create(ModelSchema, { provider, providerModel: "claude" });
  const draft = startDraft(create(ChatRequestSchema, { model: "m", messages }));
  const { request } = dropForeignState(draft, { model, dialect, accepts: new Set(accepts) });
  return request.messages[0]?.parts[0]?.providerState !== undefined;
}

describe("provider state that names no model", () => {
  const state = { provider: "anthropic", model: "" };

  it("fits every provider with the same API", () => {
    expect(isKept(call, state, { provider: "anthropic" })).toBe(true);
    expect(isKept(call, state, { provider: "eu", dialect: "anthropic" })).toBe(true);
    expect(isKept(call, state, { provider: "openai" })).toBe(false);
  });

  it("of Claude's reasoning fits Claude at other hosts, but other state does not", () => {
    const bedrock = { provider: "bedrock", accepts: ["claude_signatures"] } as const;
    expect(isKept(thought, state, bedrock)).toBe(true);
    expect(isKept(call, state, bedrock)).toBe(false);
    expect(isKept(thought, state, { provider: "bedrock" })).toBe(false);
  });

  it("differs from state that names one", () => {
    const named = { provider: "anthropic", model: "claude" };
    expect(isKept(thought, named, { provider: "anthropic" })).toBe(true);
    expect(isKept(thought, named, { provider: "eu", dialect: "anthropic" })).toBe(false);
    expect(isKept(thought, { ...named, model: "other" }, { provider: "anthropic" })).toBe(false);
  });
});
