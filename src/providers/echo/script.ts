import { fromJson } from "@bufbuild/protobuf";
import { z } from "zod";
import { append } from "../../append.ts";
import { parseBounded } from "../../chat/validation/json-bounds.ts";
import { type FieldViolation, invalidRequest, type Reason, reasons } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { CitationSchema } from "../../gen/dragoman/v1/citation_pb.js";
import { type Message, Role, type ToolResultPart } from "../../gen/dragoman/v1/message_pb.js";

// The maxima in this file only protect Dragoman from mistakes in a script.
export const milliseconds = z.int().min(0).max(3_600_000);
const times = z.int().min(1).max(1_000_000);
const tokens = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

const toolCall = z.strictObject({
  id: z.string().min(1).optional(),
  name: z.string().min(1),
  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).default({}),
  fragments: z.int().min(1).max(10_000).default(1),
});

const json = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  z.array(z.unknown()),
  z.record(z.string(), z.unknown()),
]);

const serverTool = z.strictObject({
  id: z.string().optional(),
  name: z.string().min(1),
  input: json.optional(),
  output: json.optional(),
  is_error: z.boolean().default(false),
});

const media = z
  .strictObject({
    media_type: z.string().default(""),
    data: z
      .base64()
      .transform((text): Uint8Array => Buffer.from(text, "base64"))
      .optional(),
    size: z.int().min(0).max(67_108_864).default(0),
    url: z.string().default(""),
    file_id: z.string().default(""),
    transcript: z.string().default(""),
    fragments: z.int().min(1).max(10_000).default(1),
  })
  .refine((one) => one.media_type !== "" || one.url !== "" || one.file_id !== "", {
    message: "requires media_type, url or file_id",
  });

/** A Citation in the JSON of the proto. */
const citation = z.record(z.string(), z.json()).transform((value, context) => {
  try {
    return fromJson(CitationSchema, value);
  } catch {
    context.addIssue({ code: "custom", message: "must be a dragoman.v1.Citation" });
    return z.NEVER;
  }
});

const choiceFields = {
  text: z.string().optional(),
  deltas: z.array(z.string()).optional(),
  repeat: times.default(1),
  reasoning: z.string().default(""),
  refusal: z.string().default(""),
  tool_calls: z.array(toolCall).default([]),
  server_tools: z.array(serverTool).default([]),
  media: z.array(media).default([]),
  citations: z.array(citation).default([]),
  sources: z.array(citation).default([]),
  provider_metadata: z.record(z.string(), z.unknown()).optional(),
  finish_reason: z.enum(["STOP", "LENGTH", "TOOL_CALLS", "CONTENT_FILTER", "OTHER"]).optional(),
};

const usage = z.strictObject({
  input_tokens: tokens.optional(),
  output_tokens: tokens.optional(),
  total_tokens: tokens.optional(),
  cached_input_tokens: tokens.optional(),
  cache_write_input_tokens: tokens.optional(),
  reasoning_tokens: tokens.optional(),
  accepted_prediction_tokens: tokens.optional(),
  rejected_prediction_tokens: tokens.optional(),
  quality: z.enum(["EXACT", "ESTIMATED", "PARTIAL"]).default("EXACT"),
});

const after = z.union([z.literal("started"), z.int().min(0)]).default(0);
const fault = z.strictObject({ after }).optional();
/** A failure that a script requests. */
export const failureFields = {
  reason: z.custom<Reason>(
    (value) => typeof value === "string" && Object.hasOwn(reasons, value),
    "must be a Dragoman error reason, such as PROVIDER_RATE_LIMITED",
  ),
  retry_after_ms: milliseconds.optional(),
  http_status: z.int().min(100).max(599).default(0),
};
const failure = z.strictObject({ after, ...failureFields });

/** Schema of a script. docs/echo.md has a row for each field. */
export const scriptSchema = z
  .strictObject({
    ...choiceFields,
    choices: z.array(z.strictObject(choiceFields)).max(128).default([]),
    completion_metadata: z.record(z.string(), z.unknown()).optional(),
    usage: z.union([z.literal("none"), usage]).default(usage.parse({})),
    delay_ms: milliseconds.default(0),
    first_delay_ms: milliseconds.default(0),
    batch: z.int().min(1).max(10_000).default(1),
    large: z.int().min(1).max(1_048_576).optional(),
    fail: failure.optional(),
    stall: fault,
    malformed: fault,
    end: fault,
  })
  .refine(({ fail, stall, malformed, end }) => [fail, stall, malformed, end].filter(Boolean).length < 2, {
    message: "allows only one of fail, stall, malformed and end",
  });

/** Script of an echo response. Every field is optional; docs/echo.md explains them. */
export type Script = z.infer<typeof scriptSchema>;

/** Scripted content of one choice. */
export type Said = Script["choices"][number];

const promptSchema = z.strictObject({ echo: z.unknown() });

const empty: Script = scriptSchema.parse({});

/**
 * Returns the script of a request, and the prompt to repeat if the script has no text. Throws INVALID_REQUEST.
 * `provider` is the provider's name in the configuration: the key of its options in `provider_options`.
 */
export function readScript(
  request: ChatRequest,
  provider: string,
): { readonly script: Script; readonly prompt: string } {
  const index = request.messages.findLastIndex(({ role }) => role === Role.USER || role === Role.TOOL);
  const prompt = textOf(request.messages[index]);
  const options = request.providerOptions[provider];
  if (options !== undefined)
    return { script: parseScript(scriptSchema, options, ["provider_options", provider]), prompt };
  const scripted = scriptIn(prompt);
  if (scripted !== undefined)
    return { script: parseScript(scriptSchema, scripted, ["messages", index, "echo"]), prompt: "" };
  return { script: empty, prompt };
}

/**
 * Parses a script. Throws INVALID_REQUEST.
 *
 * @param root as of a FieldViolation
 */
export function parseScript<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  field: FieldPath,
  root?: FieldViolation["root"],
): z.output<Schema> {
  const result = schema.safeParse(value, { error: describe });
  if (result.success) return result.data;
  throw invalidRequest(
    result.error.issues.flatMap((issue) => {
      const place = [...field, ...issue.path.map(String)];
      const inRoot = root === undefined ? {} : { root };
      if (issue.code !== "unrecognized_keys") return [{ ...inRoot, field: place, description: issue.message }];
      return issue.keys.map((key) => ({ ...inRoot, field: [...place, key], description: unknownField }));
    }),
  );
}

const nouns: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "an integer",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a string",
};

/** Describes a value of the wrong type. Undefined: zod's text for the rest is plain. */
function describe(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === "invalid_type" ? `must be ${nouns[issue.expected] ?? issue.expected}` : undefined;
}

const unknownField = "is not a field of the script; docs/echo.md lists its fields";

/** Returns the value of `{"echo": …}` if that is the complete prompt. */
function scriptIn(prompt: string): unknown {
  if (!/^\s*\{\s*"echo"/.test(prompt)) return undefined;
  try {
    const whole = promptSchema.safeParse(parseBounded(prompt));
    return whole.success ? whole.data.echo : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the text of a message, with the media type in place of media. */
function textOf(message: Message | undefined): string {
  const texts: string[] = [];
  for (const { kind } of message?.parts ?? []) {
    if (kind.case === "toolResult")
      append(
        texts,
        kind.value.parts.map((part) => textOrMedia(part.kind)),
      );
    else if (kind.case === "text" || kind.case === "media" || kind.case === "searchResult")
      texts.push(textOrMedia(kind));
  }
  return texts.join(" ");
}

function textOrMedia(kind: ToolResultPart["kind"]): string {
  switch (kind.case) {
    case "media":
      return `[${kind.value.mediaType || "media"}]`;
    case "searchResult":
      return kind.value.texts.join(" ");
    case "toolReference":
      return kind.value.toolName;
    case "text":
      return kind.value;
    case undefined:
      return "";
    default:
      return kind satisfies never;
  }
}
