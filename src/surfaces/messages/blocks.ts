import { z } from "zod";
import { decodeBase64 } from "../kit/data-uri.ts";

// Content blocks of requests: https://platform.claude.com/docs/en/api/messages

const text = z.string().nullish();
const flag = z.boolean().nullish();

/** Mark of a prompt cache breakpoint. Claude Code adds `scope`. */
export const cacheControl = z
  .looseObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).nullish() })
  .nullish();

/** Base64 text. The output is the bytes. */
const base64 = z.string().transform((value, context) => {
  const bytes = decodeBase64(value);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: "custom", message: "must be base64" });
  return z.NEVER;
});

const urlSource = z.looseObject({ type: z.literal("url"), url: z.string() });
const fileSource = z.looseObject({ type: z.literal("file"), file_id: z.string() });
const base64Source = z.looseObject({ type: z.literal("base64"), media_type: z.string(), data: base64 });
const textSource = z.looseObject({ type: z.literal("text"), media_type: z.literal("text/plain"), data: z.string() });

const textBlock = z.looseObject({
  type: z.literal("text"),
  text: z.string(),
  citations: z.array(z.looseObject({ type: z.string() })).nullish(),
  cache_control: cacheControl,
});

const imageBlock = z.looseObject({
  type: z.literal("image"),
  source: z.discriminatedUnion("type", [base64Source, urlSource, fileSource]),
  cache_control: cacheControl,
});

/** Content of a document that is given as blocks. Images have no place in a text document. */
const contentSource = z.looseObject({
  type: z.literal("content"),
  content: z.union(
    [z.string(), z.array(textBlock)],
    "must be a string or a list of text blocks; send images as image blocks",
  ),
});

const documentBlock = z.looseObject({
  type: z.literal("document"),
  source: z.discriminatedUnion("type", [base64Source, textSource, contentSource, urlSource, fileSource]),
  title: text,
  context: text,
  citations: z.looseObject({ enabled: flag }).nullish(),
  cache_control: cacheControl,
});

const searchResultBlock = z.looseObject({
  type: z.literal("search_result"),
  source: z.string(),
  title: text,
  content: z.array(textBlock),
  citations: z.looseObject({ enabled: flag }).nullish(),
  cache_control: cacheControl,
});

const uploadBlock = z.looseObject({
  type: z.literal("container_upload"),
  file_id: z.string(),
  cache_control: cacheControl,
});

const toolReference = z.looseObject({
  type: z.literal("tool_reference"),
  tool_name: z.string(),
  cache_control: cacheControl,
});

/** Content of a tool result that the contract has no place for. */
const browserState = z.looseObject({ type: z.literal("browser_state") });

const toolResultBlock = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z
    .union(
      [
        z.string(),
        z.array(
          z.discriminatedUnion("type", [
            textBlock,
            imageBlock,
            documentBlock,
            searchResultBlock,
            toolReference,
            browserState,
          ]),
        ),
      ],
      "must be a string or a list of blocks",
    )
    .nullish(),
  is_error: flag,
  cache_control: cacheControl,
});

const userBlock = z.discriminatedUnion("type", [
  textBlock,
  imageBlock,
  documentBlock,
  searchResultBlock,
  toolResultBlock,
  uploadBlock,
]);

const thinkingBlock = z.looseObject({ type: z.literal("thinking"), thinking: z.string(), signature: text });
const redactedBlock = z.looseObject({ type: z.literal("redacted_thinking"), data: z.string() });
const toolUseBlock = z.looseObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
  cache_control: cacheControl,
});

const assistantBlocks = [textBlock, thinkingBlock, redactedBlock, toolUseBlock] as const;

const typesElsewhere: ReadonlySet<string> = new Set(
  [...assistantBlocks, ...userBlock.options]
    .map(({ shape }) => shape.type.value)
    .filter((type) => type !== "container_upload"),
);

/** Block of a tool that Anthropic runs, and other blocks that only Anthropic's API has. They are sent back unchanged. */
const serverBlock = z.looseObject({
  type: z.string().refine((type) => !typesElsewhere.has(type), {
    error: "is the type of a block that an assistant message cannot have",
    // Otherwise the union below takes this form for the meant one.
    abort: true,
  }),
  cache_control: cacheControl,
});

const contentProblem = "must be a string or a list of blocks";

export const systemContent = z.union([z.string(), z.array(textBlock)], "must be a string or a list of text blocks");
export const userContent = z.union([z.string(), z.array(userBlock)], contentProblem);
export const assistantContent = z.union(
  [z.string(), z.array(z.union([z.discriminatedUnion("type", assistantBlocks), serverBlock], "must be a block"))],
  contentProblem,
);

export type CacheControl = z.output<typeof cacheControl>;
export type TextBlock = z.output<typeof textBlock>;
export type UserBlock = z.output<typeof userBlock>;
export type ToolResultBlock = z.output<typeof toolResultBlock>;
export type DocumentBlock = z.output<typeof documentBlock>;
export type AssistantBlock = z.output<(typeof assistantBlocks)[number]>;
export type ServerBlock = z.output<typeof serverBlock>;

/** Fields of blocks that the schemas do not validate: the toolset of a result follows from its call. */
const furtherNames: Readonly<Record<string, readonly string[]>> = {
  tool_use: ["caller", "toolset_name"],
  tool_result: ["toolset_name"],
};

/** Names of what Dragoman reads of each type of block. */
export const blockNames: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...assistantBlocks, ...userBlock.options].map(({ shape }) => [
    shape.type.value,
    new Set([...Object.keys(shape), ...(furtherNames[shape.type.value] ?? [])]),
  ]),
);
