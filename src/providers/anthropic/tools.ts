import type { Adaptation } from "../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type FunctionTool, ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { lookUp } from "../../look-up.ts";
import type { ClaudeModel } from "../claude/claude-models.ts";
import { claudeTool } from "../claude/provider-tools.ts";
import { rejected } from "../kit/adaptations.ts";
import { ExactJson, withKey } from "../kit/exact-json.ts";
import { objectOf } from "../kit/json-text.ts";
import { type Mark, type Marker, markMembers } from "./cache-marks.ts";
import type { MessagesBody, WireTool, WireToolChoice } from "./wire.ts";

/** Returns the tools and the tool choice. */
export function toolsBody(
  request: ChatRequest,
  rules: ClaudeModel,
  { mark, provider }: { readonly mark: Marker; readonly provider: string },
): Pick<MessagesBody, "tools" | "tool_choice"> {
  if (request.tools.length === 0) return {};
  const choice = toToolChoice(request);
  return {
    tools: request.tools.flatMap(({ kind }, index): readonly (WireTool | ExactJson)[] => {
      if (kind.case === "function")
        return [{ ...kind.value.providerOptions[provider], ...toTool(kind.value, rules, mark(index)) }];
      return kind.case === "providerTool"
        ? [new ExactJson(objectOf([...claudeTool(kind.value), ...markMembers(mark(index))]))]
        : [];
    }),
    ...(choice && { tool_choice: choice }),
  };
}

function toTool(
  { name, description, parametersJsonSchema, strict }: FunctionTool,
  { jsonSchema }: ClaudeModel,
  mark: Mark,
): WireTool {
  const schema = parametersJsonSchema || '{"properties":{}}';
  return {
    name,
    ...(description && { description }),
    // The API rejects a schema without a type.
    input_schema: new ExactJson(withKey(schema, "type", "object")),
    ...(strict !== undefined && jsonSchema && { strict }),
    ...mark,
  };
}

/** Fields of a tool that Dragoman writes, and the fields of the contract for them. */
const ownFields: Readonly<Record<string, string>> = {
  type: "tools.provider_tool",
  name: "tools.function.name",
  description: "tools.function.description",
  input_schema: "tools.function.parameters_json_schema",
  strict: "tools.function.strict",
  cache_control: "tools.cache_hint",
};

/** Rejects options of tools that the contract has fields for. */
export function* toolOptionAdaptations({ tools }: ChatRequest, provider: string): Generator<Adaptation> {
  for (const [index, { kind }] of tools.entries()) {
    if (kind.case !== "function") continue;
    for (const name of Object.keys(kind.value.providerOptions[provider] ?? {})) {
      const instead = lookUp(ownFields, name);
      if (instead === undefined) continue;
      const field = ["tools", index, "function", "provider_options", { key: provider }, name];
      yield rejected(field, `${name} is not an option of a tool; use ${instead}`);
    }
  }
}

const choiceModes = {
  [ToolChoiceMode.UNSPECIFIED]: "auto",
  [ToolChoiceMode.AUTO]: "auto",
  [ToolChoiceMode.NONE]: "none",
  [ToolChoiceMode.REQUIRED]: "any",
} as const satisfies Record<ToolChoiceMode, WireToolChoice["type"]>;

/** Converts the tool choice. `parallel_tool_calls` false becomes a field of the choice, the API's only place for it. */
function toToolChoice({ toolChoice, parallelToolCalls }: ChatRequest): WireToolChoice | undefined {
  const choice = toolChoice?.choice;
  const oneAtATime = parallelToolCalls === false ? ({ disable_parallel_tool_use: true } as const) : {};
  if (choice?.case === "toolName") return { type: "tool", name: choice.value, ...oneAtATime };
  if (choice?.case !== "mode") return parallelToolCalls === false ? { type: "auto", ...oneAtATime } : undefined;
  const type = choiceModes[choice.value];
  return type === "none" ? { type } : { type, ...oneAtATime };
}
