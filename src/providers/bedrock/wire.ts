import { z } from "zod";
import type { ExactJson } from "../kit/exact-json.ts";

// Responses: payloads of frames, whose kind is only in the header `:event-type`. Only the fields that Dragoman reads;
// fields that may be missing are optional.

const stopSequence = z.object({ stop_sequence: z.string().nullish() });

/** Payload of any event. Unknown fields are ignored, such as the random padding `p`. */
export const payloadSchema = z.object({
  contentBlockIndex: z.number().int().nonnegative().nullish(),
  start: z
    .object({
      toolUse: z
        .object({ toolUseId: z.string().nullish(), name: z.string().min(1), type: z.string().nullish() })
        .nullish(),
      toolResult: z.object({ toolUseId: z.string().nullish(), status: z.string().nullish() }).nullish(),
      image: z.object({ format: z.string().nullish() }).nullish(),
    })
    .nullish(),
  delta: z
    .object({
      text: z.string().nullish(),
      toolUse: z.object({ input: z.string().nullish() }).nullish(),
      reasoningContent: z
        .object({
          text: z.string().nullish(),
          signature: z.string().nullish(),
          redactedContent: z.string().nullish(),
        })
        .nullish(),
    })
    .nullish(),
  stopReason: z.string().nullish(),
  additionalModelResponseFields: stopSequence
    .extend({ delta: stopSequence.nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
  // Read by usage.ts.
  usage: z.unknown().optional(),
  metrics: z.object({ latencyMs: z.number().nonnegative().nullish() }).nullish().catch(undefined),
  serviceTier: z.object({ type: z.string().nullish() }).nullish().catch(undefined),
});

export type Payload = z.infer<typeof payloadSchema>;

// Requests. test/contract/types/bedrock.ts checks these types against those of Amazon's client.

export type Source = { readonly bytes: string } | { readonly s3Location: { readonly uri: string } };
export type ImageFormat = "png" | "jpeg" | "gif" | "webp";
export type DocumentFormat = "pdf" | "csv" | "doc" | "docx" | "xls" | "xlsx" | "html" | "txt" | "md";
export type VideoFormat = "mkv" | "mov" | "mp4" | "webm" | "flv" | "mpeg" | "wmv" | "three_gp";
export type AudioFormat = "wav" | "mp3" | "flac" | "ogg" | "opus" | "aac" | "m4a" | "webm";

export type MediaBlock =
  | { readonly image: { readonly format: ImageFormat; readonly source: Source } }
  | {
      readonly document: {
        readonly format: DocumentFormat;
        readonly name: string;
        readonly source: Source;
        readonly citations?: { readonly enabled: boolean };
      };
    }
  | { readonly video: { readonly format: VideoFormat; readonly source: Source } }
  | { readonly audio: { readonly format: AudioFormat; readonly source: Source } };

export interface TextBlock {
  readonly text: string;
}

export interface CachePoint {
  readonly cachePoint: { readonly type: "default"; readonly ttl?: "5m" | "1h" };
}

export type ReasoningContent =
  | { readonly reasoningText: { readonly text: string; readonly signature: string } }
  | { readonly redactedContent: string };

export interface SearchResultBlock {
  readonly searchResult: {
    readonly source: string;
    readonly title: string;
    readonly content: readonly TextBlock[];
    readonly citations: { readonly enabled: true };
  };
}

/** A text with citations. ExactJson: a citation as Bedrock sent it. */
interface CitedBlock {
  readonly citationsContent: { readonly content: readonly TextBlock[]; readonly citations: readonly ExactJson[] };
}

/** ExactJson: a call or a result of Bedrock's own tools, as Bedrock sent it. */
export type Block =
  | ExactJson
  | TextBlock
  | CitedBlock
  | SearchResultBlock
  | CachePoint
  | MediaBlock
  | { readonly reasoningContent: ReasoningContent }
  | { readonly toolUse: { readonly toolUseId: string; readonly name: string; readonly input: ExactJson } }
  | { readonly toolResult: WireToolResult };

export interface WireToolResult {
  readonly toolUseId: string;
  readonly content: readonly (TextBlock | SearchResultBlock | Exclude<MediaBlock, { audio: unknown }>)[];
  readonly status?: "error";
}

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: readonly Block[];
}

/** ExactJson: a tool that Bedrock runs. */
export type WireTool =
  | ExactJson
  | CachePoint
  | {
      readonly toolSpec: {
        readonly name: string;
        readonly description?: string;
        readonly inputSchema: { readonly json: ExactJson };
        readonly strict?: boolean;
      };
    };

export type WireToolChoice =
  | { readonly auto: Record<string, never> }
  | { readonly any: Record<string, never> }
  | { readonly tool: { readonly name: string } };

/** Request body. The model is in the path. */
export interface ConverseBody {
  readonly messages: readonly Turn[];
  readonly system?: readonly (TextBlock | CachePoint)[];
  readonly inferenceConfig?: {
    readonly maxTokens?: number;
    readonly temperature?: number;
    readonly topP?: number;
    readonly stopSequences?: readonly string[];
  };
  readonly toolConfig?: { readonly tools: readonly WireTool[]; readonly toolChoice?: WireToolChoice };
  readonly outputConfig?: {
    readonly textFormat: {
      readonly type: "json_schema";
      /** `schema` is a string that contains JSON. */
      readonly structure: {
        readonly jsonSchema: { readonly schema: string; readonly name: string; readonly description?: string };
      };
    };
  };
  readonly serviceTier?: { readonly type: ServiceTier };
  readonly additionalModelRequestFields?: Readonly<Record<string, unknown>>;
  readonly additionalModelResponseFieldPaths?: readonly string[];
}

export const serviceTiers = ["default", "flex", "priority", "reserved"] as const;
type ServiceTier = (typeof serviceTiers)[number];
