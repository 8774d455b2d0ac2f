import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import type { FieldPath } from "../../field-path.ts";
import { type Tool, ToolSchema } from "../../gen/dragoman/v1/tool_pb.js";
import { customDescription, customSchema } from "../kit/custom-tools.ts";
import { jsonRecord, toJsonText } from "../kit/json-values.ts";
import { present } from "../kit/parse-request.ts";
import { flag, text } from "../openai-shape/body.ts";
import { unreadNames } from "../openai-shape/unread-names.ts";
import { type HostedTool, type HostedTools, hostedSchema, hostedTools } from "./hosted-tools.ts";
import { type RejectedTypes, rejectTypes } from "./rejected-types.ts";
import { isStrictSchema } from "./strict-schema.ts";
import type { ToolNames } from "./tool-names.ts";

const functionTool = z.looseObject({
  type: z.literal("function"),
  name: z.string(),
  description: text,
  parameters: jsonRecord.nullish(),
  strict: flag,
  defer_loading: flag,
});
const customTool = z.looseObject({
  type: z.literal("custom"),
  name: z.string(),
  description: text,
  defer_loading: flag,
  format: z
    .discriminatedUnion("type", [
      z.looseObject({ type: z.literal("text") }),
      z.looseObject({ type: z.literal("grammar"), syntax: z.string(), definition: z.string() }),
    ])
    .nullish(),
});
const callable = z.discriminatedUnion("type", [functionTool, customTool]);
const namespaceTool = z.looseObject({
  type: z.literal("namespace"),
  name: z.string().min(1, "must not be empty"),
  description: text,
  tools: z.array(callable),
});

const declareFunction = "is a tool in a format of OpenAI's that the client runs; declare a function or a custom tool";

/** Tools that Dragoman rejects, with the reason. */
export const rejectedTools: RejectedTypes = {
  local_shell: declareFunction,
  shell: declareFunction,
  apply_patch: declareFunction,
  computer: declareFunction,
  computer_use: declareFunction,
  computer_use_preview: declareFunction,
  tool_search: "is not supported; declare all functions in tools",
  programmatic_tool_calling: "is not supported; the model calls the functions itself",
};

const anyTool = z.preprocess(
  (value, context) => {
    rejectTypes(value, rejectedTools, context);
    return value;
  },
  z.discriminatedUnion("type", [functionTool, customTool, namespaceTool, hostedSchema]),
);

/** Schema of `tools`. */
export const toolsSchema = z.array(anyTool).nullish();

type CallableTool = z.output<typeof callable>;
type NamespaceTool = z.output<typeof namespaceTool>;
export type BodyTool = CallableTool | NamespaceTool | HostedTool;

function isCallable(tool: BodyTool): tool is CallableTool {
  return tool.type === "function" || tool.type === "custom";
}

function isNamespace(tool: BodyTool): tool is NamespaceTool {
  return tool.type === "namespace";
}

type ToolInit = Exclude<MessageInitShape<typeof ToolSchema>, Tool>;

/** Translated tools. */
export interface ReadTools {
  readonly tools: readonly (ToolInit | Tool)[];
  /** For each tool, its path in the body. */
  readonly places: readonly FieldPath[];
  /** Paths in the body of what Dragoman leaves out. */
  readonly leftOut: readonly FieldPath[];
  readonly equivalentTools: NonNullable<ExtraFields["equivalentTools"]>;
  /** Paths of the custom tools, which functions stand for. */
  readonly emulated: readonly FieldPath[];
  /** The tools as the response repeats them. */
  readonly echo: readonly object[];
}

/** Translates `tools`, and adds their names to `names`. */
export function readTools(tools: readonly BodyTool[], names: ToolNames): ReadTools {
  const read: { tool: ToolInit | Tool; place: FieldPath }[] = [];
  const leftOut: FieldPath[] = [];
  const emulated: FieldPath[] = [];
  const equivalentTools = new Map<number, { readonly tools: readonly Tool[]; readonly isOptional: boolean }>();
  const add = (tool: CallableTool, place: FieldPath, namespace?: NamespaceTool): void => {
    const isCustom = tool.type === "custom";
    const name = names.add({ name: tool.name, isCustom, ...(namespace && { namespace: namespace.name }) });
    read.push({ tool: { kind: { case: "function", value: functionOf(tool, name, namespace) } }, place });
    if (isCustom) emulated.push(place);
    if (tool.defer_loading) leftOut.push([...place, "defer_loading"]);
    const { shape } = isCustom ? customTool : functionTool;
    for (const name of unreadNames(tool, shape)) leftOut.push([...place, name]);
  };
  for (const [index, tool] of tools.entries()) {
    const place = ["tools", index];
    if (isCallable(tool)) add(tool, place);
    else if (isNamespace(tool))
      for (const [at, inner] of tool.tools.entries()) add(inner, [...place, "tools", at], tool);
    else {
      const { tool: value, equivalents, isOptional } = hostedTools(tool);
      equivalentTools.set(read.length, { tools: equivalents.map(toProviderTool), isOptional });
      read.push({ tool: toProviderTool(value), place });
    }
  }
  return {
    tools: read.map(({ tool }) => tool),
    places: read.map(({ place }) => place),
    leftOut,
    emulated,
    equivalentTools,
    echo: tools.map(echoOf),
  };
}

function toProviderTool(value: HostedTools["tool"]): Tool {
  return create(ToolSchema, { kind: { case: "providerTool", value } });
}

function functionOf(tool: CallableTool, name: string, namespace: NamespaceTool | undefined) {
  const description = tool.type === "custom" ? customDescription(tool) : (tool.description ?? "");
  const inNamespace = namespace?.description ? `${namespace.description}\n\n${description}` : description;
  if (tool.type === "custom") return { name, description: inNamespace, parametersJsonSchema: customSchema };
  return {
    name,
    description: inNamespace,
    parametersJsonSchema: tool.parameters ? toJsonText(tool.parameters) : "",
    ...present({ strict: strictOf(tool) }),
  };
}

/**
 * In this API, functions are strict unless they say otherwise. OpenAI rewrites a schema that strict mode does not allow,
 * which makes optional parameters required. Dragoman does not: it constrains arguments only to schemas that allow it.
 */
function strictOf({ strict, parameters }: Extract<CallableTool, { type: "function" }>): boolean | undefined {
  if (typeof strict === "boolean") return strict;
  return isStrictSchema(parameters) ? true : undefined;
}

function echoOf(tool: BodyTool): object {
  if (isNamespace(tool)) return { ...tool, tools: tool.tools.map(echoOf) };
  if (!isCallable(tool) || tool.type === "custom") return tool;
  return { ...tool, parameters: tool.parameters ?? null, strict: strictOf(tool) ?? false };
}
