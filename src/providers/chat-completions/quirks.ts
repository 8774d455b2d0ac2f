import type { Adaptation } from "../../chat/planning/adaptations.ts";
import type { Reason } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { ErrorReader } from "../kit/error-body.ts";
import type { Sentence } from "../kit/sentences.ts";
import type { OptionalField } from "./fields.ts";
import type { MediaForm } from "./media.ts";

/** Fields of a request body. */
export type Body = Readonly<Record<string, unknown>>;

/** Wire form of a field: the server's name for it, or a function that returns the body fields for a value. */
export type FieldForm = string | ((value: unknown) => Body);

/** Differences between one Chat Completions server and the others. */
export interface Quirks {
  /** Name in messages for people, such as `Ollama`. */
  readonly title: string;
  /** Wire forms of the optional fields that the server supports. Dragoman drops all others, with a warning. */
  readonly fields: Readonly<Partial<Record<OptionalField, FieldForm>>>;
  /** Maximum values of fields. Dragoman lowers higher values to them, with a warning. */
  readonly maximums: Readonly<Partial<Record<OptionalField, number>>>;
  /** Reasoning efforts that the server supports. Dragoman rejects others. Undefined: they depend on the model. */
  readonly efforts: readonly ReasoningEffort[] | undefined;
  /**
   * Returns OpenAI's name of a model, whose rules then apply; undefined if OpenAI's rules do not apply to the model.
   * Undefined: they apply to no model.
   */
  readonly openAiModel: ((providerModel: string) => string | undefined) | undefined;
  /** Whether the server supports the developer role. If not, Dragoman sends developer messages as system messages. */
  readonly developerRole: boolean;
  /** Whether assistant messages support `refusal`. If not, Dragoman sends refusals as text. */
  readonly refusals: boolean;
  /**
   * Field in which Dragoman sends reasoning back. Undefined: none.
   * - `with calls`: only on turns that call tools, even if the reasoning is empty or cleared.
   * - `also with calls`: on all turns; on turns that call tools even if the reasoning is empty or cleared.
   * - `reasoning_details`: unchanged, as the server sent it; on turns that call tools even if it is cleared.
   */
  readonly reasoningReplay:
    | "reasoning"
    | "reasoning_content"
    | "reasoning_content with calls"
    | "reasoning_content also with calls"
    | "reasoning_details"
    | undefined;
  /** Supported tool choices: modes and named tools, modes only, or auto only. Undefined: the server has no tools. */
  readonly toolChoice: "named" | "modes" | "auto" | undefined;
  /** Whether tools need a parameters schema even if they have no parameters. */
  readonly needsParameters: boolean;
  /** Media that the server supports. */
  readonly media: readonly MediaForm[];
  /** JSON output formats that the server supports. */
  readonly formats: readonly ("jsonObject" | "jsonSchema")[];
  /** Returns the body fields that constrain the output to a regex. Undefined: the server does not support it. */
  readonly regex: ((pattern: string) => Body) | undefined;
  /** Whether to repeat a JSON Schema outside `json_schema`, where llama.cpp expects it. */
  readonly flatSchema: boolean;
  /** Whether messages and tools support `cache_control`, a prompt cache breakpoint. */
  readonly cacheMarks: boolean;
  /** Maximum number of stop sequences. Undefined: no limit. */
  readonly maxStopSequences: number | undefined;
  /** Maximum `n`, if the server supports it. Undefined: no limit. */
  readonly maxChoices: number | undefined;
  /** Value that turns `top_k` off. */
  readonly topKOff: 0 | -1;
  /** `stream_options` to send. Undefined: none, since the server sends the usage without them. */
  readonly streamOptions: Body | undefined;
  /** Returns additional body fields. */
  readonly alsoSend: ((request: ChatRequest) => Body) | undefined;
  /** Provider options that Dragoman sends as headers and not in the body. */
  readonly headerOptions: readonly string[];
  /** Whether the server cannot stream this response. Dragoman then requests a JSON body. Undefined: it always can. */
  readonly onlyWhole: ((request: ChatRequest) => boolean) | undefined;
  /** Returns adaptations that only this server needs. */
  readonly adaptations: ((request: ChatRequest, model: Model) => Iterable<Adaptation>) | undefined;
  /** Reasons by error code, or by HTTP status as text, where they differ from OpenAI's. */
  readonly reasons: Readonly<Record<string, Reason>>;
  /** Error messages of this server that have no error code. */
  readonly sentences: readonly Sentence[];
  /** Reads errors with more fields than OpenAI's. Undefined: they have OpenAI's fields. */
  readonly readError: ErrorReader | undefined;
}

/** Default quirks of a server. */
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
  // Without `include_usage`, a stream has no usage.
  streamOptions: { include_usage: true },
  alsoSend: undefined,
  headerOptions: [],
  onlyWhole: undefined,
  adaptations: undefined,
  reasons: {},
  sentences: [],
  readError: undefined,
} as const satisfies Partial<Quirks>;
