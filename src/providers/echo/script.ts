import { z } from "zod";
import { invalidRequest, type Reason, reasons } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, type Message, Role } from "../../gen/dragoman/v1/message_pb.js";

// The limits only keep a slip of the pen from stopping the process.
const milliseconds = z.int().min(0).max(3_600_000);
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

const said = {
  text: z.string().optional(),
  deltas: z.array(z.string()).optional(),
  repeat: times.default(1),
  reasoning: z.string().default(""),
  refusal: z.string().default(""),
  tool_calls: z.array(toolCall).default([]),
  finish_reason: z.enum(["STOP", "LENGTH", "TOOL_CALLS", "CONTENT_FILTER", "OTHER"]).optional(),
};

const usage = z.strictObject({
  input_tokens: tokens.optional(),
  output_tokens: tokens.optional(),
  total_tokens: tokens.optional(),
  cached_input_tokens: tokens.default(0),
  cache_write_input_tokens: tokens.default(0),
  reasoning_tokens: tokens.optional(),
  accepted_prediction_tokens: tokens.default(0),
  rejected_prediction_tokens: tokens.default(0),
  quality: z.enum(["EXACT", "ESTIMATED", "PARTIAL"]).default("EXACT"),
});

const after = z.union([z.literal("started"), z.int().min(0)]).default(0);
const fault = z.strictObject({ after }).optional();
const failure = z.strictObject({
  after,
  reason: z.custom<Reason>(
    (value) => typeof value === "string" && Object.hasOwn(reasons, value),
    "must be a reason of this service, such as PROVIDER_RATE_LIMITED",
  ),
  retry_after_ms: milliseconds.optional(),
  http_status: z.int().min(100).max(599).default(0),
});

const scriptSchema = z
  .strictObject({
    ...said,
    choices: z.array(z.strictObject(said)).max(128).default([]),
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
    message: "takes only one of fail, stall, malformed and end",
  });

/**
 * What echo is told to do. Every field is optional.
 *
 * | field | meaning | default |
 * |---|---|---|
 * | `text` | said word by word, each with the white space after it | the prompt; nothing beside `refusal` or `tool_calls` |
 * | `deltas` | said exactly in these pieces, instead of `text` | none |
 * | `repeat` | how often the text is said, 1 to 1,000,000 | 1 |
 * | `reasoning` | thought before the text, word by word | none |
 * | `refusal` | said after the text as a refusal, word by word | none |
 * | `tool_calls` | `{id, name, arguments, fragments}`, last: arguments are an object or text, sent in `fragments` pieces | none |
 * | `finish_reason` | a FinishReason without its prefix | what fits |
 * | `choices` | the seven fields above for each choice; choices without an entry say what stands outside | none |
 * | `usage` | fields of Usage in place of the counted ones, or `"none"` | counted |
 * | `delay_ms` | pause before each delta | 0 |
 * | `first_delay_ms` | further pause before the first delta | 0 |
 * | `batch` | deltas in a batch, 1 to 10,000; its pause is as long as those of its deltas together | 1 |
 * | `large` | replaces each delta of the text by this many bytes, 1 to 1,048,576 | off |
 * | `fail` | `{after, reason, retry_after_ms, http_status}`: throws this error | never |
 * | `stall` | `{after}`: says nothing more until the call is ended | never |
 * | `malformed` | `{after}`: breaks the stream law | never |
 * | `end` | `{after}`: ends without `completed` | never |
 *
 * `after` counts deltas over all choices. 0, the default, is before the stream starts, `"started"` between its start and
 * the first delta. Of an answer with fewer deltas, the fault comes right before `completed`.
 */
export type Script = z.infer<typeof scriptSchema>;

/** What one choice says. */
export type Said = Script["choices"][number];

const promptSchema = z.strictObject({ echo: z.unknown() });

const empty: Script = scriptSchema.parse({});

/** The script of a request, and the prompt that is repeated where the script has no text. */
export function readScript(request: ChatRequest): { readonly script: Script; readonly prompt: string } {
  const index = request.messages.findLastIndex(({ role }) => role === Role.USER || role === Role.TOOL);
  const prompt = textOf(request.messages[index]);
  const options = request.providerOptions.echo;
  if (options !== undefined) return { script: parse(options, ["provider_options", "echo"]), prompt };
  const scripted = scriptIn(prompt);
  if (scripted !== undefined) return { script: parse(scripted, ["messages", index, "echo"]), prompt: "" };
  return { script: empty, prompt };
}

function parse(value: unknown, field: FieldPath): Script {
  const result = scriptSchema.safeParse(value);
  if (result.success) return result.data;
  throw invalidRequest(
    result.error.issues.map(({ path, message }) => ({ field: [...field, ...path.map(String)], description: message })),
  );
}

/** The value of `{"echo": …}`, when that is the whole prompt. */
function scriptIn(prompt: string): unknown {
  if (!/^\s*\{\s*"echo"/.test(prompt)) return undefined;
  try {
    const whole = promptSchema.safeParse(JSON.parse(prompt));
    return whole.success ? whole.data.echo : undefined;
  } catch {
    return undefined;
  }
}

/** What the last speaker said, with the media type in place of media. */
function textOf(message: Message | undefined): string {
  const texts: string[] = [];
  for (const { kind } of message?.parts ?? []) {
    if (kind.case === "toolResult") texts.push(...kind.value.parts.map((part) => textOrMedia(part.kind)));
    else if (kind.case === "text" || kind.case === "media") texts.push(textOrMedia(kind));
  }
  return texts.join(" ");
}

function textOrMedia(
  kind: { case: "text"; value: string } | { case: "media"; value: Media } | { case: undefined },
): string {
  if (kind.case === "media") return `[${kind.value.mediaType || "media"}]`;
  return kind.case === "text" ? kind.value : "";
}
