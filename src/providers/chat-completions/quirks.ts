import type { Adaptation } from "../../chat/planning/adaptations.ts";
import type { CallIdRule } from "../../chat/planning/call-id-rule.ts";
import type { SchemaTarget } from "../../chat/planning/schema/schema-rules.ts";
import type { StopRule } from "../../chat/planning/stop-rule.ts";
import type { ToolNameRule } from "../../chat/planning/tool-name-rule.ts";
import type { Reason } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { familyCallIds } from "../kit/call-ids.ts";
import type { ErrorReader } from "../kit/error-body.ts";
import { familySchemas } from "../kit/schema-rules.ts";
import type { Sentence } from "../kit/sentences.ts";
import { openAiToolNames } from "../kit/tool-names.ts";
import type { CacheMarks } from "./cache-marks.ts";
import type { EmbeddingQuirks } from "./embedding-quirks.ts";
import type { OptionalField } from "./fields.ts";
import type { MediaForm } from "./media.ts";

/** Fields of a request body. */
export type Body = Readonly<Record<string, unknown>>;

/** Wire form of a field: the server's name for it, or a function that returns the body fields for a value. */
export type FieldForm = string | ((value: unknown) => Body);

/** Quirks of a Chat Completions server: what it supports, and how it differs from other servers. */
export interface Quirks {
  /** Name of the server in errors and warnings, such as `Ollama`. */
  readonly title: string;
  /** Wire forms of the optional fields that the server supports. Dragoman drops all others, with a warning. */
  readonly fields: Readonly<Partial<Record<OptionalField, FieldForm>>>;
  /** Embeddings of the server. Undefined: it has none. */
  readonly embeddings: EmbeddingQuirks | undefined;
  /** Maximum value of each field. Dragoman lowers a higher value to the maximum, with a warning. */
  readonly maximums: Readonly<Partial<Record<OptionalField, number>>>;
  /** Reasoning efforts that the server supports. Dragoman rejects others. Undefined: they depend on the model. */
  readonly efforts: readonly ReasoningEffort[] | undefined;
  /**
   * Returns OpenAI's name for a model, which selects its rules in reasoning-models.ts; undefined if OpenAI's rules do
   * not apply to the model. If there is no function, they apply to no model of the server.
   */
  readonly openAiModel: ((providerModel: string) => string | undefined) | undefined;
  /** Whether to send effort NONE with tools to the OpenAI models that require it. */
  readonly effortForTools: boolean;
  /** Whether the server supports the developer role. If not, Dragoman sends developer messages as system messages. */
  readonly developerRole: boolean;
  /** Whether assistant messages support `refusal`. If not, Dragoman sends refusals as text. */
  readonly refusals: boolean;
  /**
   * Field in which Dragoman sends the reasoning of earlier turns back to the server. Undefined: Dragoman drops it,
   * unless the model's family requires it (conversation-rules.ts). A request clears earlier reasoning with
   * `clear_earlier_reasoning`.
   * - `also with calls`: on all turns; on turns that call tools even if the reasoning is empty or cleared.
   * - `reasoning_details`: unchanged, as the server sent it; on turns that call tools even if it is cleared.
   * - Other fields: on all turns, unless the reasoning is empty or cleared.
   */
  readonly reasoningReplay:
    | "reasoning"
    | "reasoning_content"
    | "reasoning_content also with calls"
    | "reasoning_details"
    | undefined;
  /** Supported tool choices: modes and named tools, modes only, or auto only. Undefined: the server has no tools. */
  readonly toolChoice: "named" | "modes" | "auto" | undefined;
  /** Whether `tool_choice` can be `allowed_tools`. If not, Dragoman sends only the allowed tools. */
  readonly allowedTools: boolean;
  /** Function names that the server accepts. Undefined: all. */
  readonly toolNames: ToolNameRule | undefined;
  /** Returns the tool call ids that a model accepts (`Adapter.callIds`). */
  readonly callIds: (providerModel: string) => CallIdRule | undefined;
  /** Returns the JSON Schemas that a model accepts (`Adapter.schemas`). */
  readonly schemas: (providerModel: string) => SchemaTarget | undefined;
  /** Whether the server requires a parameters schema for every tool, even for tools without parameters. */
  readonly needsParameters: boolean;
  /** Output besides text that the server can return. Dragoman sends its audio and images back with their turn. */
  readonly outputs: readonly Modality[];
  /** Whether assistant messages accept `annotations`. If not, Dragoman does not send citations back. */
  readonly annotations: boolean;
  /** Whether the server runs tools of its own in `tools`. The caller names them (ProviderTool). */
  readonly providerTools: boolean;
  /** Media that the server supports. */
  readonly media: readonly MediaForm[];
  /** JSON output formats that the server supports. */
  readonly formats: readonly ("jsonObject" | "jsonSchema")[];
  /** Returns the body fields that constrain the output to a regex. Undefined: the server does not support regexes. */
  readonly regex: ((pattern: string) => Body) | undefined;
  /** Whether to repeat a JSON Schema in `response_format.schema`, where llama.cpp expects it. */
  readonly flatSchema: boolean;
  /** Returns how the server takes prompt cache breakpoints for a model. Undefined: it does not. */
  readonly cacheMarks: (providerModel: string) => CacheMarks | undefined;
  /** Stop sequences that the server accepts. Undefined: all. */
  readonly stopRule: StopRule | undefined;
  /** Maximum of `n`, for servers that support `n`. Undefined: no limit. */
  readonly maxChoices: number | undefined;
  /** Value that turns `top_k` off. */
  readonly topKOff: 0 | -1;
  /** `stream_options` to send. Undefined: none, since the server reports the usage without them. */
  readonly streamOptions: Body | undefined;
  /** Returns body fields to send in addition to those that the request sets. Undefined: none. */
  readonly alsoSend: ((request: ChatRequest) => Body) | undefined;
  /** Fields that the server documents and ChatRequest lacks (`Adapter.extraFields`). */
  readonly extraFields: readonly string[];
  /** Provider options that Dragoman sends as headers and not in the body. */
  readonly headerOptions: readonly string[];
  /**
   * Returns the field because of which the server cannot stream the response, so that Dragoman requests it as one body.
   * Undefined: the server can stream every response.
   */
  readonly onlyWhole: ((request: ChatRequest) => Adaptation | undefined) | undefined;
  /** Returns changes to a request (adaptations) that only this server needs. */
  readonly adaptations: ((request: ChatRequest, model: Model) => Iterable<Adaptation>) | undefined;
  /** Reasons by error code, error type or HTTP status as text, where they differ from OpenAI's. */
  readonly reasons: Readonly<Record<string, Reason>>;
  /** Patterns of this server's messages for errors without an error code. */
  readonly sentences: readonly Sentence[];
  /** Reads errors that have other fields than OpenAI's. Undefined: the server's errors have OpenAI's fields. */
  readonly readError: ErrorReader | undefined;
}

/** Values of the quirks that a server does not set. */
export const commonQuirks = {
  embeddings: undefined,
  maximums: {},
  efforts: undefined,
  openAiModel: undefined,
  effortForTools: true,
  developerRole: false,
  refusals: false,
  reasoningReplay: "reasoning_content",
  toolChoice: "named",
  allowedTools: false,
  toolNames: openAiToolNames,
  callIds: familyCallIds,
  schemas: familySchemas,
  needsParameters: false,
  outputs: [],
  annotations: false,
  providerTools: false,
  media: ["image", "image_url"],
  formats: ["jsonObject", "jsonSchema"],
  regex: undefined,
  flatSchema: false,
  cacheMarks: () => undefined,
  stopRule: undefined,
  maxChoices: undefined,
  topKOff: -1,
  // Without `include_usage`, a stream has no usage.
  streamOptions: { include_usage: true },
  alsoSend: undefined,
  extraFields: [],
  headerOptions: [],
  onlyWhole: undefined,
  adaptations: undefined,
  reasons: {},
  sentences: [],
  readError: undefined,
} as const satisfies Partial<Quirks>;
