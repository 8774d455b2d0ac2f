import type { UpstreamCall } from "../../upstream/upstream-call.ts";

/** Text delta of one choice. */
interface PlainChunk {
  readonly index: number;
  readonly text: string;
}

/** Values from earlier chunks of the response. Most chunks repeat them. */
interface KnownFacts {
  readonly call: UpstreamCall;
  readonly serviceTier: string;
  readonly systemFingerprint: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the text of a plain chunk, whose only new value is the text of one choice; undefined for any other chunk.
 * Nearly all chunks are plain, and to skip their schema validation saves a third of the adapter's cost per delta (2
 * instead of 3 microseconds). A property test checks that the events are the same with and without validation.
 */
export function plainChunk(
  value: unknown,
  { call, serviceTier, systemFingerprint }: KnownFacts,
): PlainChunk | undefined {
  if (!isFields(value)) return undefined;
  const { id, choices, service_tier, system_fingerprint } = value;
  if (!isAbsent(value, besideChoices) || value.object === "error") return undefined;
  // Allow these fields only if they repeat the value of an earlier chunk.
  if (!repeats(id, call.attempt.providerResponseId)) return undefined;
  if (!repeats(service_tier, serviceTier) || !repeats(system_fingerprint, systemFingerprint)) return undefined;
  if (!Array.isArray(choices) || choices.length !== 1) return undefined;
  const choice: unknown = choices[0];
  if (!isFields(choice) || !isAbsent(choice, besideDelta)) return undefined;
  const { index, delta } = choice;
  if (typeof index !== "number" || !Number.isSafeInteger(index) || index < 0) return undefined;
  if (!isFields(delta) || !isAbsent(delta, besideContent)) return undefined;
  const { content } = delta;
  return typeof content === "string" && content !== "" ? { index, text: content } : undefined;
}

// Fields that the schema reads, and that a plain chunk must not have. Fields that the schema does not read are allowed.
const besideChoices = ["usage", "x_groq", "time_info", "service_tier_used", "error", "detail", "message"] as const;
const besideDelta = [
  "message",
  "finish_reason",
  "logprobs",
  "reasoning_logprobs",
  "stop_reason",
  "matched_stop",
  "error",
] as const;
const besideContent = ["reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls"] as const;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAbsent(fields: Fields, names: readonly string[]): boolean {
  for (const name of names) if ((fields[name] ?? null) !== null) return false;
  return true;
}

function repeats(value: unknown, known: string): boolean {
  return value === known || (value ?? null) === null;
}
