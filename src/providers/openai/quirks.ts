import type { OptionalField } from "./fields.ts";

/** How one server of OpenAI's dialect differs from the others. */
export interface Quirks {
  /** For sentences that a person reads, such as `Ollama`. */
  readonly title: string;
  /** The optional fields that the server takes, with its name for each. What is not here is left out, with a warning. */
  readonly fields: Readonly<Partial<Record<OptionalField, string>>>;
  /** Applies OpenAI's rules for its reasoning models, by the model's name. */
  readonly reasoningModelRules: boolean;
  /** Whether there is a developer role. Otherwise developer messages go out as system messages. */
  readonly developerRole: boolean;
  /** Whether assistant messages have a `refusal`. Otherwise refusals go out as text. */
  readonly refusals: boolean;
  /** The field in which reasoning is sent back. Undefined: it is left out. */
  readonly reasoningReplay: "reasoning" | "reasoning_content" | undefined;
  /** The choices among tools that are honoured: a mode or a named tool, modes only, or nothing (always auto). */
  readonly toolChoice: "named" | "modes" | "auto";
  /** Whether images may be given by address. Otherwise only as bytes. */
  readonly imageUrls: boolean;
  /** Whether sounds and documents can be sent. */
  readonly audioAndFiles: boolean;
  /** The most stop sequences. Undefined: no limit. */
  readonly maxStopSequences: number | undefined;
  /** What `top_k` is where it is off. */
  readonly topKOff: 0 | -1;
  /** How a regular expression for the answer is asked for. Undefined: it cannot be. */
  readonly regex: ((pattern: string) => Readonly<Record<string, unknown>>) | undefined;
  /** Repeats a JSON Schema beside `json_schema`, where llama.cpp looks for it. */
  readonly flatSchema: boolean;
  /** Asks the server to leave out the random padding of its chunks. */
  readonly declineObfuscation: boolean;
}
