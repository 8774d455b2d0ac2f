import { z } from "zod";
import type { ExactJson } from "../kit/exact-json.ts";

// Responses: only the fields that Dragoman reads. Unknown event and block types are ignored, as the API requires.
// https://platform.claude.com/docs/en/api/versioning

// The counts are read by usage.ts.
const usage = z
  .looseObject({ service_tier: z.string().nullish().catch(undefined) })
  .nullish()
  .catch(undefined);

const contentBlock = z.object({
  type: z.string(),
  text: z.string().nullish(),
  thinking: z.string().nullish(),
  signature: z.string().nullish(),
  data: z.string().nullish(),
  id: z.string().nullish(),
  name: z.string().nullish(),
  citations: z.array(z.unknown()).nullish().catch(undefined),
});

export const streamEventSchema = z.object({
  type: z.string(),
  index: z.number().int().nullish(),
  message: z.object({ id: z.string().nullish(), usage }).nullish(),
  content_block: contentBlock.nullish(),
  delta: z
    .object({
      text: z.string().nullish(),
      thinking: z.string().nullish(),
      signature: z.string().nullish(),
      partial_json: z.string().nullish(),
      stop_reason: z.string().nullish(),
      stop_sequence: z.string().nullish(),
    })
    .nullish(),
  usage,
});

type StreamEvent = z.infer<typeof streamEventSchema>;
export type StreamDelta = NonNullable<StreamEvent["delta"]>;
export type StreamBlock = z.infer<typeof contentBlock>;
export type StreamUsage = NonNullable<z.infer<typeof usage>>;

// Requests.

export interface CacheControl {
  readonly type: "ephemeral";
  readonly ttl?: "5m" | "1h";
}

interface Cacheable {
  readonly cache_control?: CacheControl;
}

export interface TextBlock extends Cacheable {
  readonly type: "text";
  readonly text: string;
  /** Citations as the API sent them. */
  readonly citations?: readonly ExactJson[];
}

export type ImageType = "image/jpeg" | "image/png" | "image/gif" | "image/webp";

type UrlSource = { readonly type: "url"; readonly url: string };
type FileSource = { readonly type: "file"; readonly file_id: string };

export interface ImageBlock extends Cacheable {
  readonly type: "image";
  readonly source:
    | UrlSource
    | FileSource
    | { readonly type: "base64"; readonly media_type: ImageType; readonly data: string };
}

export interface DocumentBlock extends Cacheable {
  readonly type: "document";
  readonly title?: string;
  readonly citations?: { readonly enabled: boolean };
  readonly source:
    | UrlSource
    | FileSource
    | { readonly type: "base64"; readonly media_type: "application/pdf"; readonly data: string }
    | { readonly type: "text"; readonly media_type: "text/plain"; readonly data: string };
}

/** A file for the code execution tool. */
export interface ContainerUploadBlock extends Cacheable {
  readonly type: "container_upload";
  readonly file_id: string;
}

export interface SearchResultBlock extends Cacheable {
  readonly type: "search_result";
  readonly source: string;
  readonly title: string;
  readonly content: readonly TextBlock[];
  readonly citations: { readonly enabled: true };
}

export type ResultContent = TextBlock | ImageBlock | DocumentBlock | SearchResultBlock | ToolReferenceBlock;

/** A tool that a search found. The API shows the model a deferred tool from here on. */
interface ToolReferenceBlock {
  readonly type: "tool_reference";
  readonly tool_name: string;
}

export interface ToolResultBlock extends Cacheable {
  readonly type: "tool_result";
  readonly tool_use_id: string;
  readonly content?: string | readonly ResultContent[];
  readonly is_error?: true;
  readonly toolset_name?: string;
}

interface ToolUseBlock extends Cacheable {
  readonly type: "tool_use";
  readonly id: string;
  readonly name: string;
  readonly input: ExactJson;
}

type ThinkingBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string };

/** ExactJson: a block as the API sent it. */
export type Block =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | ContainerUploadBlock
  | SearchResultBlock
  | ToolResultBlock
  | ToolUseBlock
  | ThinkingBlock
  | ExactJson;

export interface WireTurn {
  readonly role: "user" | "assistant";
  readonly content: readonly Block[];
}

export type WireMessage = WireTurn | { readonly role: "system"; readonly content: readonly TextBlock[] };

export interface WireTool extends Cacheable {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: ExactJson;
  readonly strict?: boolean;
}

export type WireToolChoice =
  | { readonly type: "auto" | "any"; readonly disable_parallel_tool_use?: true }
  | { readonly type: "tool"; readonly name: string; readonly disable_parallel_tool_use?: true }
  | { readonly type: "none" };

type Display = { readonly display?: "summarized" | "omitted" };

export type Thinking =
  | ({ readonly type: "adaptive" } & Display)
  | ({ readonly type: "enabled"; readonly budget_tokens: number } & Display)
  | { readonly type: "disabled" | "between_tools" };

export interface OutputConfig {
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max";
  readonly format?: { readonly type: "json_schema"; readonly schema: ExactJson };
}

export interface MessagesBody {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly WireMessage[];
  readonly stream: true;
  readonly system?: readonly TextBlock[];
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly stop_sequences?: readonly string[];
  readonly thinking?: Thinking;
  readonly output_config?: OutputConfig;
  /** ExactJson: a tool that Anthropic defines. */
  readonly tools?: readonly (WireTool | ExactJson)[];
  readonly tool_choice?: WireToolChoice;
  readonly metadata?: { readonly user_id: string };
  readonly service_tier?: "auto" | "standard_only";
}
