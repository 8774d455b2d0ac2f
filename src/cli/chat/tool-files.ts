import { basename } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { UsageError } from "../failures.ts";
import { readJsonFile } from "./json-values.ts";

/**
 * Reads the tools of a file, in the JSON of the proto. Accepts a tool or a list of them, each as `{name, description,
 * parameters}`, in the form of OpenAI or Anthropic, or as a Tool of the proto. Throws UsageError.
 */
export function readTools(path: string): readonly JsonObject[] {
  const content = readJsonFile("tool", path);
  return (Array.isArray(content) ? content : [content]).map((tool) => toolOf(tool, path));
}

function toolOf(tool: JsonValue, path: string): JsonObject {
  if (isObject(tool)) {
    if ("provider_tool" in tool || "providerTool" in tool) return tool;
    const written = isObject(tool.function) ? tool.function : tool;
    const { name, description, strict } = written;
    if (typeof name === "string") {
      return {
        function: {
          name,
          ...(description !== undefined && { description }),
          ...(strict !== undefined && { strict }),
          parameters_json_schema: schemaOf(written),
        },
      };
    }
  }
  throw new UsageError(
    `--tool: the file ${JSON.stringify(path)} has no tool; write {"name": ..., "description": ..., "parameters": {...}}`,
  );
}

function schemaOf(written: JsonObject): string {
  const text = written.parameters_json_schema ?? written.parametersJsonSchema;
  if (typeof text === "string") return text;
  const schema = written.parameters ?? written.input_schema;
  return schema === undefined ? "" : JSON.stringify(schema);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns a name for the schema of a file, which OutputFormat requires. */
export function schemaName(path: string): string {
  const name = basename(path, ".json")
    .replaceAll(/[^a-zA-Z0-9_-]/g, "_")
    .slice(0, 64);
  return name === "" ? "response" : name;
}
