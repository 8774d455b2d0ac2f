import type { JsonObject } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { lookUp } from "../../look-up.ts";
import { betaOfTool } from "../claude/provider-tools.ts";

/** Name of the request header. Its value is a list of names, separated by commas. */
export const betaHeader = "anthropic-beta";

/** Maximum betas of a request. Anthropic has about 60. */
const mostBetas = 64;

/** Betas that provider options need: those that only the beta types of @anthropic-ai/sdk 1.11.0 have. */
const betasOfOptions: Readonly<Record<string, string>> = {
  mcp_servers: "mcp-client-2025-11-20",
  context_management: "context-management-2025-06-27",
};

interface Split {
  /** The option `betas`. Undefined if it is unset or invalid. */
  readonly betas: readonly string[] | undefined;
  /** The other options, which become fields of the body. */
  readonly options: JsonObject | undefined;
}

/** Separates the option `betas`, which becomes a header, from the provider options of a request. */
export function splitBetas({ providerOptions }: ChatRequest, provider: string): Split {
  const own = Object.hasOwn(providerOptions, provider) ? providerOptions[provider] : undefined;
  if (own === undefined || !Object.hasOwn(own, "betas")) return { betas: [], options: own };
  const { betas, ...options } = own;
  return { betas: isList(betas) ? betas : undefined, options };
}

function isList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= mostBetas &&
    value.every((name) => typeof name === "string" && /^[\w.-]{1,128}$/.test(name))
  );
}

/**
 * Returns the header with the betas of a request: those of the operator's header, of the option `betas`, and those that
 * other parts of the request need. Of a beta with several versions, the request's own is sent.
 */
export function betaHeaders(
  request: ChatRequest,
  provider: string,
  operators: string,
): Readonly<Record<string, string>> {
  const { betas = [], options = {} } = splitBetas(request, provider);
  const asked = [...operators.split(",").map((name) => name.trim()), ...betas].filter((name) => name !== "");
  const families = new Set(asked.map(familyOf));
  const needed = [
    ...request.tools.flatMap(({ kind }) => (kind.case === "providerTool" ? (betaOfTool(kind.value) ?? []) : [])),
    ...Object.keys(options).flatMap((name) => lookUp(betasOfOptions, name) ?? []),
  ].filter((name) => !families.has(familyOf(name)));
  const all = new Set([...asked, ...needed]);
  return all.size === 0 ? {} : { [betaHeader]: [...all].join(",") };
}

/** Returns the name of a beta without its date. */
function familyOf(beta: string): string {
  return beta.replace(/-\d{4}-\d{2}-\d{2}$/, "");
}
