import { create, type JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { completeText } from "../../../src/chat/planning/complete-text.ts";
import {
  type DeclaredParameter,
  deploymentParameterViolations,
  placeDeploymentParameters,
} from "../../../src/chat/planning/deployment-parameters.ts";
import { startDraft } from "../../../src/chat/planning/draft.ts";
import { GatewayError } from "../../../src/errors.ts";
import { formatPath } from "../../../src/field-path.ts";
import type { ChatRequest } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { fieldsOf } from "../../support/paths.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { ask } from "../../support/requests.ts";
import { functionTool } from "../../support/tools.ts";

const declare = (name: string, type: DeclaredParameter["type"], required = false): DeclaredParameter => ({
  name,
  type,
  description: "",
  required,
});
const declared = [
  declare("tone", "string", true),
  declare("depth", "integer"),
  declare("weight", "number"),
  declare("deep", "boolean"),
];

const bound = (deploymentParameters: JsonObject, more: Parameters<typeof ask>[2] = {}): ChatRequest =>
  ask("deployments/d", "hi", { ...more, deploymentParameters });
const wrong = (parameters: JsonObject) =>
  deploymentParameterViolations(bound(parameters), declared).map(({ field, description }) => [
    formatPath(field.slice(1)),
    description,
  ]);

const withDeploymentParameters = (chat: ChatRequest, provider: string) =>
  placeDeploymentParameters(startDraft(chat), { model: create(ModelSchema, { provider }) }).request;
const completionOnly = (chat: ChatRequest) => completeText(startDraft(chat), { completionOnly: true });

function errorOf(attempt: () => unknown): GatewayError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("deployment parameters", () => {
  it("accepts strings, integers, numbers and booleans as declared", () => {
    expect(wrong({ tone: "kind", depth: 3, weight: 0.5, deep: false })).toEqual([]);
    expect(wrong({ tone: "", depth: -1, weight: 2 })).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ["tone", { tone: 1 }, "must be a string"],
    ["depth", { tone: "a", depth: 1.5 }, "must be an integer"],
    ["depth", { tone: "a", depth: "1" }, "must be an integer"],
    ["weight", { tone: "a", weight: true }, "must be a number"],
    ["deep", { tone: "a", deep: 0 }, "must be true or false"],
  ])("rejects a value of another type for %s: %o", (name, parameters, description) => {
    expect(wrong(parameters)).toEqual([[name, description]]);
  });

  it("rejects null, lists and objects as deployment parameters", () => {
    const nested = fc.oneof(fc.constant(null), fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(nested, fc.constantFrom(...declared), (value, { name }) => {
        const parameters = { tone: "a", [name]: value } as JsonObject;
        expect(wrong(parameters).map(([field]) => field)).toEqual([name]);
      }),
    );
  });

  it("rejects all undeclared and missing parameters at once, by name", () => {
    expect(wrong({ foo: "bar", depth: "deep" })).toEqual([
      ["foo", "is not a deployment parameter of this model; this model accepts tone, depth, weight, deep"],
      ["depth", "must be an integer"],
      ["tone", "is required and must be a string"],
    ]);
    expect(deploymentParameterViolations(ask("deployments/d", "hi"), declared)).toHaveLength(1);
  });

  it("accepts only an empty map if the model declares no parameters", () => {
    expect(deploymentParameterViolations(bound({ foo: 1 }))).toEqual([
      {
        field: ["deployment_parameters", "foo"],
        description: "is not a deployment parameter of this model; this model accepts none",
      },
    ]);
    expect(deploymentParameterViolations(bound({}))).toEqual([]);
    expect(deploymentParameterViolations(ask("m", "hi"))).toEqual([]);
  });

  it("does not confuse parameters with properties of Object.prototype", () => {
    expect(deploymentParameterViolations(ask("d", "hi"), [declare("constructor", "string", true)])).toHaveLength(1);
    expect(wrong({ tone: "a", toString: "b" })).toHaveLength(1);
  });
});

describe("placing deployment parameters", () => {
  it("adds the parameters to the provider's own options", () => {
    const chat = bound({ tone: "kind" }, { providerOptions: { openai: { verbosity: "low" }, xai: { a: 1 } } });
    const placed = withDeploymentParameters(chat, "openai");
    expect(placed.deploymentParameters).toBeUndefined();
    expect(placed.providerOptions).toEqual({ openai: { verbosity: "low", tone: "kind" }, xai: { a: 1 } });
    expect(chat.providerOptions).toEqual({ openai: { verbosity: "low" }, xai: { a: 1 } });
  });

  it("puts the parameters into model_parameters for Cerebras", () => {
    const placed = withDeploymentParameters(bound({ x: 1 }), "cerebras");
    expect(placed.providerOptions).toEqual({ cerebras: { model_parameters: { x: 1 } } });
  });

  it("adds no provider options without deployment parameters", () => {
    const chat = ask("deployments/d", "hi");
    expect(withDeploymentParameters(chat, "openai")).toBe(chat);
    const emptied = withDeploymentParameters(bound({}), "openai");
    expect(emptied).not.toHaveProperty("deploymentParameters");
    expect(emptied.providerOptions).toEqual({});
  });

  it("rejects a parameter that provider_options also sets", () => {
    const chat = bound({ tone: "kind", depth: 1 }, { providerOptions: { openai: { tone: "rude" } } });
    const error = errorOf(() => withDeploymentParameters(chat, "openai"));
    expect(error.reason).toBe("INVALID_REQUEST");
    expect(error.facts.fields?.map(({ field }) => field)).toEqual([["provider_options", "openai", "tone"]]);
    expect(error.message).not.toMatch(/kind|rude/);
  });
});

const say = (role: Role, text: string): Message =>
  create(MessageSchema, { role, parts: [{ kind: { case: "text", value: text } }] });
const conversation = [
  say(Role.SYSTEM, "be terse"),
  say(Role.USER, "one"),
  say(Role.ASSISTANT, "two"),
  say(Role.USER, "three"),
];

describe("a text completion model", () => {
  it("sends only the last user message, with a warning about messages", () => {
    const chat = ask("deployments/d", "", { messages: conversation });
    const { request, adaptations } = completionOnly(chat);
    const limited = applyAdaptations(request, adaptations);
    expect(limited.request.messages).toEqual([conversation[3]]);
    expect(limited.warnings).toMatchObject([{ field: "messages", reason: "EMULATED" }]);
    expect(chat.messages).toHaveLength(4);
  });

  it("sends only the last user message of any conversation, or rejects one without it", () => {
    const roles = fc.array(fc.constantFrom(Role.SYSTEM, Role.USER, Role.ASSISTANT), { maxLength: 8 });
    fc.assert(
      fc.property(roles, (chosen) => {
        const messages = chosen.map((role, index) => say(role, String(index)));
        const last = messages.findLast(({ role }) => role === Role.USER);
        const chat = ask("deployments/d", "", { messages });
        if (last === undefined) {
          expect(errorOf(() => completionOnly(chat)).facts.fields?.[0]?.field).toEqual(["messages"]);
        } else {
          const { request, adaptations } = completionOnly(chat);
          expect(request.messages).toEqual([last]);
          expect(adaptations).toHaveLength(messages.length === 1 ? 0 : 1);
        }
      }),
    );
  });

  it("sends a single prompt without a warning or default instructions", () => {
    const { request, adaptations } = completionOnly(ask("deployments/d", "hi"));
    expect(adaptations).toEqual([]);
    expect(request.instructions).toBe("");
  });

  it("drops instructions with a warning", () => {
    const { request, adaptations } = completionOnly(ask("deployments/d", "hi", { instructions: "be terse" }));
    expect(request.instructions).toBe("");
    expect(applyAdaptations(request, adaptations).warnings).toMatchObject([
      { field: "instructions", reason: "UNSUPPORTED_PARAMETER" },
    ]);
  });

  it("rejects dropped fields if strict_parameters is set", () => {
    const chat = ask("deployments/d", "", { messages: conversation, instructions: "x", strictParameters: true });
    const { request, adaptations } = completionOnly(chat);
    const error = errorOf(() => applyAdaptations(request, adaptations));
    expect(error.facts.metadata).toEqual({ fields: "messages,instructions" });
  });

  it("rejects tools and media in the prompt, but not media in the history", () => {
    const image = { mediaType: "image/png", source: { case: "url", value: "https://host/a.png" } } as const;
    const shown = create(MessageSchema, {
      role: Role.USER,
      parts: [{ kind: { case: "text", value: "see" } }, { kind: { case: "media", value: image } }],
    });
    const fields = (messages: Message[]) => {
      const chat = ask("deployments/d", "", { messages, tools: [functionTool({ name: "f" })] });
      const rejected = completionOnly(chat).adaptations.filter(({ kind }) => kind === "REJECTED");
      return fieldsOf(rejected);
    };
    expect(fields([say(Role.USER, "one"), shown])).toEqual(["messages[1].parts[1]", "tools"]);
    expect(fields([shown, say(Role.USER, "one")])).toEqual(["tools"]);
  });
});
