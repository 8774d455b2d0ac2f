import type { SchemaTarget } from "../../chat/planning/schema/schema-rules.ts";
import type { Reason } from "../../errors.ts";

/** Facts about a server with the Responses API. */
export interface ResponsesServer {
  /** Name of the server in errors and warnings, such as `OpenAI`. */
  readonly title: string;
  /** Whether it certainly has the Responses API: it is the vendor's own, and no proxy that a base URL names. */
  readonly isVendors: boolean;
  /** Whether the server supports the developer role. If not, Dragoman sends developer messages as system messages. */
  readonly developerRole: boolean;
  /** Returns OpenAI's name for a model. Undefined: OpenAI's model rules do not apply to it. */
  readonly openAiModel: (providerModel: string) => string | undefined;
  readonly schemas: SchemaTarget;
  /** Reasons by error code, error type or HTTP status as text, where they differ from OpenAI's. */
  readonly reasons: Readonly<Record<string, Reason>>;
  /** Own fields of the adapter that the server has rejected. */
  readonly without: ReadonlySet<string>;
}
