import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { capabilityAdaptations } from "../../../src/chat/planning/capabilities.ts";
import { formatPath } from "../../../src/field-path.ts";
import { ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { localAdaptations } from "../../../src/providers/local/adaptations.ts";
import { modelEntry } from "../../../src/providers/local/models.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { functionTool } from "../../support/tools.ts";

type Request = MessageInitShape<typeof ChatRequestSchema>;
type Part = NonNullable<NonNullable<Request["messages"]>[number]["parts"]>[number];

const model = modelEntry({ name: "some", displayName: "Some" }, []);

function found(request: Request): string[] {
  const full = create(ChatRequestSchema, request);
  const adaptations = [...capabilityAdaptations(full, model), ...localAdaptations(full)];
  return adaptations.map(({ kind, field }) => `${kind} ${formatPath(field)}`);
}

const say = (...parts: Part[]): Request => ({ messages: [{ role: Role.USER, parts }] });

describe("the adaptations of local models", () => {
  it("reports nothing for supported fields", () => {
    const everything: Request = {
      messages: [{ role: Role.USER, parts: [{ kind: { case: "text", value: "Hi" } }] }],
      parameters: {
        temperature: 2,
        topP: 0.5,
        topK: 3,
        minP: 0.1,
        maxOutputTokens: 9,
        stopSequences: ["x"],
        n: 3,
        seedValue: { case: "seed", value: 1n },
        presencePenalty: 1,
        frequencyPenalty: -1,
        repetitionPenalty: 1.1,
        logprobs: true,
        topLogprobs: 2,
        logitBias: { 5: 1 },
      },
      outputFormat: { format: { case: "jsonObject", value: {} } },
      chatTemplate: "x",
      chatTemplateKwargs: { a: 1 },
      providerOptions: { openai: { x: 1 } },
    };
    expect(found(everything)).toEqual([]);
  });

  it.each<[string, Request]>([
    ["UNSUPPORTED_PARAMETER parameters.min_output_tokens", { parameters: { minOutputTokens: 1 } }],
    ["UNSUPPORTED_PARAMETER prompt_cache_key", { promptCacheKey: "x" }],
    ["UNSUPPORTED_PARAMETER service_tier", { serviceTier: "flex" }],
    ["UNSUPPORTED_PARAMETER prediction", { prediction: { content: "x" } }],
    ["UNSUPPORTED_PARAMETER provider_options", { providerOptions: { local: { x: 1 } } }],
    ["UNSUPPORTED_PARAMETER reasoning", { reasoning: { control: { case: "budgetTokens", value: 1 } } }],
    ["UNSUPPORTED_PARAMETER parallel_tool_calls", { parallelToolCalls: true }],
    ["REJECTED tools", { tools: [functionTool({ name: "f" })] }],
    ["REJECTED tool_choice", { toolChoice: { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } } }],
    ["REJECTED output_format.regex", { outputFormat: { format: { case: "regex", value: { pattern: "x" } } } }],
    ["REJECTED messages[0].parts[0]", say({ kind: { case: "toolCall", value: { id: "1", name: "f" } } })],
    ["REJECTED messages[0].parts[0]", say({ kind: { case: "toolResult", value: { toolCallId: "1" } } })],
    ["REJECTED messages[0].parts[0]", say({ kind: { case: "media", value: { mediaType: "video/mp4" } } })],
    ["REJECTED messages[0].parts[0].media", say({ kind: { case: "media", value: { mediaType: "image/png" } } })],
    ["EMULATED messages[0].parts[0].reasoning", say({ kind: { case: "reasoning", value: { text: "hm" } } })],
    ["EMULATED messages[0].name", { messages: [{ role: Role.USER, name: "Ada", parts: [] }] }],
    ["EMULATED messages[0].parts[0].cache_hint", say({ kind: { case: "text", value: "Hi" }, cacheHint: {} })],
  ])("reports %s", (expected, request) => {
    expect(found(request)).toEqual([expected]);
  });

  it("omits unenforced keywords from a schema, with a warning", () => {
    const request = create(ChatRequestSchema, {
      outputFormat: {
        format: { case: "jsonSchema", value: { name: "age", schemaJson: '{"type":"integer","minimum":1}' } },
      },
    });
    const limited = applyAdaptations(request, localAdaptations(request));
    expect(limited.warnings.map(({ reason, message }) => [reason, message])).toEqual([
      ["ADJUSTED", "the local engine does not enforce these keywords of the schema: minimum"],
    ]);
    expect(limited.request.outputFormat?.format.value).toMatchObject({ name: "age", schemaJson: '{"type":"integer"}' });
  });
});
