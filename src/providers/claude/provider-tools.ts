import type { ProviderTool } from "../../gen/dragoman/v1/tool_pb.js";
import { lookUp } from "../../look-up.ts";
import { membersOf } from "../kit/json-text.ts";

/** Names of tools whose type does not begin with the name. Source: the types of @anthropic-ai/sdk 1.11.0. */
const namesOfTypes: Readonly<Record<string, string>> = {
  text_editor_20241022: "str_replace_editor",
  text_editor_20250124: "str_replace_editor",
  text_editor_20250429: "str_replace_based_edit_tool",
  text_editor_20250728: "str_replace_based_edit_tool",
};

/**
 * Betas that tools need: those that only the beta types of @anthropic-ai/sdk 1.11.0 have. A request with a newer tool
 * names the beta itself.
 */
const betasOfTypes: Readonly<Record<string, string>> = {
  computer_20241022: "computer-use-2024-10-22",
  text_editor_20241022: "computer-use-2024-10-22",
  bash_20241022: "computer-use-2024-10-22",
  computer_20250124: "computer-use-2025-01-24",
  computer_20251124: "computer-use-2025-11-24",
  advisor_20260301: "advisor-tool-2026-03-01",
  mcp_toolset: "mcp-client-2025-11-20",
};

/** Returns the name of the beta that a tool needs, if any. */
export function betaOfTool({ type }: ProviderTool): string | undefined {
  return lookUp(betasOfTypes, type);
}

/**
 * Returns a tool that Anthropic defines, as the JSON texts of its members. The API requires its name, which follows
 * from the type: `web_search` for `web_search_20250305`. Toolsets have no name.
 */
export function claudeTool({ type, configJson }: ProviderTool): ReadonlyMap<string, string> {
  const config = membersOf(configJson || "{}");
  const name = lookUp(namesOfTypes, type) ?? /^(\w+)_\d{8}$/.exec(type)?.[1];
  const isNamed = name !== undefined && !name.endsWith("_toolset") && !config.has("name");
  return new Map([
    ...(isNamed ? [["name", JSON.stringify(name)] as const] : []),
    ...config,
    ["type", JSON.stringify(type)],
  ]);
}
