import { z } from "zod";
import type { ExactJson } from "../kit/exact-json.ts";
import { isAbsent, isListOf, isTokenWith, plainList } from "../kit/plain-list.ts";

// Responses: only the fields that Dragoman reads. Fields that may be missing are optional: a response that reaches its
// token limit during reasoning has no parts. Source: the types of @google/genai 3.1.0.

/** Value of an argument, or a piece of it, in a response with `streamFunctionCallArguments`. */
const partialArgument = z.looseObject({
  jsonPath: z.string().nullish(),
  stringValue: z.string().nullish(),
  numberValue: z.unknown().optional(),
  boolValue: z.boolean().nullish(),
  nullValue: z.unknown().optional(),
});

const functionCall = z.looseObject({
  id: z.string().nullish(),
  name: z.string().nullish(),
  args: z.unknown().optional(),
  partialArgs: z.array(partialArgument).nullish(),
  // Whether further pieces of the same call follow.
  willContinue: z.boolean().nullish(),
});

const displayName = z.string().nullish().catch(undefined);

// Keeps unknown fields, which Dragoman names in warnings.
const part = z.looseObject({
  text: z.string().nullish(),
  thought: z.boolean().nullish(),
  thoughtSignature: z.string().nullish(),
  inlineData: z
    .looseObject({ mimeType: z.string().min(1), data: z.string(), displayName })
    .nullish()
    .catch(undefined),
  fileData: z
    .looseObject({ fileUri: z.string().min(1), mimeType: z.string().nullish(), displayName })
    .nullish()
    .catch(undefined),
  functionCall: functionCall.nullish(),
});

interface Token {
  readonly token: string;
  readonly logProbability: number;
}

const isToken = (value: unknown): value is Token => isTokenWith(value, "logProbability");

interface TopTokens {
  readonly candidates?: readonly Token[] | null | undefined;
}

function isTopTokens(value: unknown): value is TopTokens {
  if (typeof value !== "object" || value === null) return false;
  const candidates: unknown = Reflect.get(value, "candidates");
  return isAbsent(candidates) || isListOf(candidates, isToken);
}

// Keeps unknown fields, which become metadata.
const candidate = z.looseObject({
  index: z.number().int().nonnegative().nullish(),
  content: z.looseObject({ parts: z.array(part).nullish() }).nullish(),
  finishReason: z.string().nullish(),
  finishMessage: z.string().nullish().catch(undefined),
  logprobsResult: z
    .object({
      chosenCandidates: plainList(isToken).nullish(),
      topCandidates: plainList(isTopTokens).nullish(),
    })
    .nullish()
    .catch(undefined),
});

/** One SSE event, or a complete response: both have the same schema. */
export const chunkSchema = z.looseObject({
  candidates: z.array(candidate).nullish(),
  promptFeedback: z.looseObject({ blockReason: z.string().nullish() }).nullish(),
  // Read by usage.ts.
  usageMetadata: z.unknown().optional(),
  responseId: z.string().nullish().catch(undefined),
  error: z.unknown().optional(),
});

export type Chunk = z.infer<typeof chunkSchema>;
export type ChunkCandidate = z.infer<typeof candidate>;
export type ChunkCall = z.infer<typeof functionCall>;
export type ChunkPart = z.infer<typeof part>;
export type ChunkLogProbs = NonNullable<ChunkCandidate["logprobsResult"]>;

// Requests.

interface WireBlob {
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
}

interface WireFile {
  readonly fileUri: string;
  readonly mimeType?: string;
}

export type WireMedia = { readonly inlineData: WireBlob } | { readonly fileData: WireFile };

interface Signed {
  readonly thoughtSignature?: string;
}

/** Part of a tool that Google runs, as Google sent it. */
export type WireServerPart = Signed & Readonly<Record<string, unknown>>;

export type WirePart =
  | (Signed & WireMedia)
  | WireServerPart
  | (Signed & { readonly text: string; readonly thought?: true })
  | (Signed & {
      readonly functionCall: { readonly id?: string; readonly name: string; readonly args: ExactJson };
    })
  | {
      readonly functionResponse: {
        readonly id?: string;
        readonly name: string;
        readonly response: Readonly<Record<string, unknown>>;
        readonly parts?: readonly WireMedia[];
      };
    };

export interface WireContent {
  readonly role: "user" | "model";
  readonly parts: readonly WirePart[];
}

/** Tool that Google runs, such as `{ googleSearch: {} }`. */
export type WireProviderTool = Readonly<Record<string, unknown>>;

export interface WireTool {
  readonly functionDeclarations: readonly {
    readonly name: string;
    readonly description?: string;
    readonly parametersJsonSchema?: ExactJson;
  }[];
}

export interface FunctionCallingConfig {
  readonly mode: "AUTO" | "ANY" | "NONE" | "VALIDATED";
  readonly allowedFunctionNames?: readonly string[];
}

export interface ThinkingConfig {
  readonly includeThoughts?: boolean;
  readonly thinkingBudget?: number;
  readonly thinkingLevel?: ThinkingLevel;
}

export type ThinkingLevel = "MINIMAL" | "LOW" | "MEDIUM" | "HIGH";

export interface GenerationConfig {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly maxOutputTokens?: number;
  readonly stopSequences?: readonly string[];
  readonly seed?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly responseLogprobs?: boolean;
  readonly logprobs?: number;
  readonly responseMimeType?: string;
  readonly responseJsonSchema?: ExactJson;
  readonly thinkingConfig?: ThinkingConfig;
  readonly responseModalities?: readonly ("TEXT" | "IMAGE" | "AUDIO")[];
  readonly speechConfig?: {
    readonly voiceConfig: { readonly prebuiltVoiceConfig: { readonly voiceName: string } };
  };
}

export interface GenerateContentBody {
  readonly contents: readonly WireContent[];
  readonly systemInstruction?: { readonly parts: readonly { readonly text: string }[] };
  readonly tools?: readonly (WireTool | WireProviderTool)[];
  readonly toolConfig?: { readonly functionCallingConfig: FunctionCallingConfig };
  readonly generationConfig?: GenerationConfig;
  readonly serviceTier?: string;
}
