import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ProviderTool, ProviderToolSchema } from "../../gen/dragoman/v1/tool_pb.js";
import { toJsonText } from "../openai-shape/json-values.ts";

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

/** The model of a request, as far as its tools need it. */
export interface ToolTarget {
  /** Provider of the model. Undefined: the name has none. */
  readonly provider: string | undefined;
  /** Names of the providers that have the API of a provider. */
  providersOf(dialect: string): readonly string[];
}

type ProviderToolInit = Exclude<MessageInitShape<typeof ProviderToolSchema>, ProviderTool>;

/** Web searches of other providers. https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool and
 * https://ai.google.dev/gemini-api/docs/google-search */
const searches: Readonly<Record<string, (tool: HostedTool) => ProviderToolInit>> = {
  anthropic: ({ filters, user_location: location }) => ({
    provider: "anthropic",
    type: "web_search_20250305",
    configJson: toJsonText({
      name: "web_search",
      ...domainsOf(filters),
      ...(isObject(location) && { user_location: { ...withoutNulls(location), type: "approximate" } }),
    }),
  }),
  gemini: () => ({ provider: "gemini", type: "google_search" }),
  vertex: () => ({ provider: "vertex", type: "google_search" }),
};

const openAiProviders = ["openai", "azure-openai"] as const;

/**
 * Translates a tool that the provider runs. All are OpenAI's; a web search becomes that of the model's provider.
 * Undefined: Dragoman leaves a web search out, since most models have none, and Codex offers one in every request.
 */
export function hostedTool(tool: HostedTool, { provider, providersOf }: ToolTarget): ProviderToolInit | undefined {
  const { type, ...config } = tool;
  const own = openAiProviders.find((name) => provider !== undefined && providersOf(name).includes(provider));
  if (own !== undefined || !/^web_search/.test(type)) {
    return { provider: own ?? "openai", type, configJson: toJsonText(config) };
  }
  // The tool must not read pages, only OpenAI's copies of them.
  if (tool.external_web_access === false) return undefined;
  const name = Object.keys(searches).find((dialect) => provider && providersOf(dialect).includes(provider));
  return name === undefined ? undefined : searches[name]?.(tool);
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
