import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ProviderTool, ProviderToolSchema } from "../../gen/dragoman/v1/tool_pb.js";
import { toJsonText } from "../kit/json-values.ts";

/** Schema of the tools of OpenAI's that the provider runs. */
export const hostedSchema = z.looseObject({
  type: z.enum([
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
  ]),
});

export type HostedTool = z.output<typeof hostedSchema>;

type ToolInit = Exclude<MessageInitShape<typeof ProviderToolSchema>, ProviderTool>;

/** A tool that the provider runs, as OpenAI's, and the tools of other providers that do the same. */
export interface HostedTools {
  readonly tool: ToolInit;
  readonly equivalents: readonly ToolInit[];
  /** Whether the tool is left out at other providers. */
  readonly isOptional: boolean;
}

/**
 * Translates a tool that the provider runs. A web search is that of the model's provider. It is optional, since most
 * providers have none, and Codex offers one in every request.
 */
export function hostedTools(tool: HostedTool): HostedTools {
  const { type, ...config } = tool;
  const own = { provider: "openai", type, configJson: toJsonText(config) };
  const isOptional = type.startsWith("web_search");
  // Without external access, the tool reads only OpenAI's copies of pages.
  const isOpen = isOptional && tool.external_web_access !== false;
  return {
    tool: own,
    equivalents: [own, { ...own, provider: "azure-openai" }, ...(isOpen ? searches(tool) : [])],
    isOptional,
  };
}

/**
 * Returns the web searches of other providers.
 * https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool and
 * https://ai.google.dev/gemini-api/docs/google-search
 */
function searches({ filters, user_location: location }: HostedTool): readonly ToolInit[] {
  const claude = {
    name: "web_search",
    ...domainsOf(filters),
    ...(isObject(location) && { user_location: { ...withoutNulls(location), type: "approximate" } }),
  };
  return [
    { provider: "anthropic", type: "web_search_20250305", configJson: toJsonText(claude) },
    { provider: "gemini", type: "google_search" },
    { provider: "vertex", type: "google_search" },
  ];
}

function domainsOf(filters: unknown): object {
  const domains = isObject(filters) ? filters.allowed_domains : undefined;
  return Array.isArray(domains) && domains.length > 0 ? { allowed_domains: domains } : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null));
}
