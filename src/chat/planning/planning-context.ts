import type { JsonObject } from "@bufbuild/protobuf";
import type { FieldViolation } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { TokenCounter } from "../../tokens/token-count.ts";
import type { Adaptation } from "./adaptations.ts";
import type { CallIdRule } from "./call-id-rule.ts";
import type { CallerWords } from "./caller-words.ts";
import type { ExtraFields } from "./extra-fields.ts";
import type { LearnedField, OwnField } from "./learned.ts";
import type { OptionalContent } from "./optional-content.ts";
import type { Profile } from "./profile.ts";
import type { ProfileTexts } from "./profile-texts.ts";
import type { RejectedText } from "./rejected-text.ts";
import type { SchemaTarget } from "./schema/schema-rules.ts";
import type { StopRule } from "./stop-rule.ts";
import type { ToolNameRule } from "./tool-name-rule.ts";

/** Facts and functions for the planning steps, which turn the caller's request into the outgoing one (`steps.ts`). */
export interface PlanningContext {
  readonly model: Model;
  /** Provider whose API the model's provider has (`Adapter.dialect`). Default: that provider itself. */
  readonly dialect?: string | undefined;
  readonly profile: Profile;
  readonly profileTexts: ProfileTexts;
  /** Words of the caller's API. */
  readonly words: CallerWords;
  /** Whether the model only completes text and does not support conversations. */
  readonly completionOnly: boolean;
  /** Account of the call; empty if the call has none. */
  readonly account: string;
  readonly counter: TokenCounter;
  /** Function names that the provider accepts. Undefined: all. */
  readonly toolNames: ToolNameRule | undefined;
  /** Tool call ids that the model accepts. Undefined: all. */
  readonly callIds: CallIdRule | undefined;
  /** Whether the provider's API requires an output limit. */
  readonly needsOutputLimit: boolean;
  /** Stop sequences that the model's API accepts. Undefined: all. */
  readonly stopRule: StopRule | undefined;
  /** Texts that the model's API rejects. Undefined: none. */
  readonly rejectedText: RejectedText | undefined;
  /** JSON Schemas that the model's API accepts. Undefined: all. */
  readonly schemas: SchemaTarget | undefined;
  /** Whether the adapter sends `tool_choice.allowed_tools`. */
  readonly takesAllowedTools: boolean;
  /** Content that the adapter sends although most do not. */
  readonly accepts: ReadonlySet<OptionalContent>;
  /** Fields of the caller's HTTP API that ChatRequest lacks. Undefined: the API has none. */
  readonly extras?: ExtraFields | undefined;
  /** Extra fields that the provider's API documents. */
  readonly extraFields?: ReadonlySet<string> | undefined;
  /**
   * Returns the violations in options for the model's provider; `describe` makes the text for a field that ChatRequest
   * has. Undefined: options do not become part of an upstream body.
   */
  readonly checkOptions?:
    | ((options: JsonObject, describe: (field: string) => string) => readonly FieldViolation[])
    | undefined;
  /** Returns the adaptations for fields that the model's provider does not support. */
  readonly checkSupport: (request: ChatRequest) => readonly Adaptation[];
  /** Fields that the target rejected before although their callers had not set them. */
  readonly learned: readonly LearnedField[];
  /** Returns the fields that the adapter would write by itself. Undefined: none. */
  readonly ownFields: ((request: ChatRequest) => readonly OwnField[]) | undefined;
  /** Renders the raw prompt of a request. Undefined for providers that accept messages. */
  readonly renderPrompt: ((request: ChatRequest) => Promise<string | undefined>) | undefined;
}
