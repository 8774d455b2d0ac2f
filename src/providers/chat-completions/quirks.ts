import type { Adaptation } from "../../chat/planning/adaptations.ts";
import type { Reason } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { ErrorReader } from "../kit/error-body.ts";
import type { Sentence } from "../kit/sentences.ts";
import type { OptionalField } from "./fields.ts";
import type { MediaForm } from "./media.ts";

/** Fields of a request's body. */
export type Body = Readonly<Record<string, unknown>>;

/** How a server is told the value of a field: by a name of its own, or in a form of its own. */
export type FieldForm = string | ((value: unknown) => Body);

/** How one server of OpenAI's dialect differs from the others. */
export interface Quirks {
  /** For sentences that a person reads, such as `Ollama`. */
  readonly title: string;
  /** The optional fields that the server takes, with its form for each. What is not here is left out, with a warning. */
  readonly fields: Readonly<Partial<Record<OptionalField, FieldForm>>>;
  /** The highest values that the server takes. What is above is lowered to them, with a warning. */
  readonly maximums: Readonly<Partial<Record<OptionalField, number>>>;
  /** The reasoning efforts that the server takes; another one is rejected. Undefined: it depends on the model. */
  readonly efforts: readonly ReasoningEffort[] | undefined;
  /** The name at OpenAI of a model to which OpenAI's rules for its models apply. Undefined: to none. */
  readonly openAiModel: ((providerModel: string) => string | undefined) | undefined;
  /** Whether there is a developer role. Otherwise developer messages go out as system messages. */
  readonly developerRole: boolean;
  /** Whether assistant messages have a `refusal`. Otherwise refusals go out as text. */
  readonly refusals: boolean;
  /**
   * The field in which reasoning is sent back. Undefined: it is left out. `with calls`: exactly on the turns that call
   * tools. `also with calls`: on those in any case, were it empty. `reasoning_details`: as the server gave it, and always on the turns that call tools.
   */
  readonly reasoningReplay:
    | "reasoning"
    | "reasoning_content"
    | "reasoning_content with calls"
    | "reasoning_content also with calls"
    | "reasoning_details"
    | undefined;
  /** The choices among tools that are honoured: a mode or a named tool, modes only, or always auto. Undefined: no tools. */
  readonly toolChoice: "named" | "modes" | "auto" | undefined;
  /** Whether tools without parameters must say so. */
  readonly needsParameters: boolean;
  /** The media that can be sent. */
  readonly media: readonly MediaForm[];
  /** The JSON formats that the server has. */
  readonly formats: readonly ("jsonObject" | "jsonSchema")[];
  /** How a regular expression for the answer is asked for. Undefined: it cannot be. */
  readonly regex: ((pattern: string) => Body) | undefined;
  /** Repeats a JSON Schema beside `json_schema`, where llama.cpp looks for it. */
  readonly flatSchema: boolean;
  /** Whether messages and tools may carry `cache_control`, a mark for the prompt cache. */
  readonly cacheMarks: boolean;
  /** The most stop sequences. Undefined: no limit. */
  readonly maxStopSequences: number | undefined;
  /** The most choices of one call, where the server takes `n`. Undefined: no limit. */
  readonly maxChoices: number | undefined;
  /** What `top_k` is where it is off. */
  readonly topKOff: 0 | -1;
  /** The `stream_options` to send. Undefined: none, where the usage comes unasked. */
  readonly streamOptions: Body | undefined;
  /** What else belongs into the body of a request. */
  readonly alsoSend: ((request: ChatRequest) => Body) | undefined;
  /** Options of the provider that are sent as headers. */
  readonly headerOptions: readonly string[];
  /** Whether the server cannot stream the answer to a request. It is then asked for as a whole. */
  readonly onlyWhole: ((request: ChatRequest) => boolean) | undefined;
  /** Adaptations that only this server has. */
  readonly adaptations: ((request: ChatRequest, model: Model) => Iterable<Adaptation>) | undefined;
  /** What the server's error codes, or HTTP statuses as text, mean where they mean something else. */
  readonly reasons: Readonly<Record<string, Reason>>;
  /** Sentences of errors that only this server has, where it has no codes. */
  readonly sentences: readonly Sentence[];
  /** Reads errors that have more than OpenAI's. Undefined: they have not. */
  readonly readError: ErrorReader | undefined;
}

/** What holds for a server unless it says otherwise. */
export const commonQuirks = {
  maximums: {},
  efforts: undefined,
  openAiModel: undefined,
  developerRole: false,
  refusals: false,
  reasoningReplay: "reasoning_content",
  toolChoice: "named",
  needsParameters: false,
  media: ["image", "image_url"],
  formats: ["jsonObject", "jsonSchema"],
  regex: undefined,
  flatSchema: false,
  cacheMarks: false,
  maxStopSequences: undefined,
  maxChoices: undefined,
  topKOff: -1,
  // Without it a stream has no usage.
  streamOptions: { include_usage: true },
  alsoSend: undefined,
  headerOptions: [],
  onlyWhole: undefined,
  adaptations: undefined,
  reasons: {},
  sentences: [],
  readError: undefined,
} as const satisfies Partial<Quirks>;
