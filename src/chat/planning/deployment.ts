import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type FieldViolation, invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Adaptation } from "./adaptations.ts";

/** A parameter that a model or deployment takes besides those of the contract (seed 003). */
export interface DeclaredParameter {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean";
  /** For a person; may be empty. */
  readonly description: string;
  readonly required: boolean;
}

interface ParameterType {
  /** With its article: `a string`. */
  readonly name: string;
  readonly accepts: (value: JsonValue) => boolean;
}

const types = {
  string: { name: "a string", accepts: (value) => typeof value === "string" },
  integer: { name: "an integer", accepts: (value) => Number.isInteger(value) },
  number: { name: "a number", accepts: (value) => Number.isFinite(value) },
  boolean: { name: "true or false", accepts: (value) => typeof value === "boolean" },
} as const satisfies Record<DeclaredParameter["type"], ParameterType>;

/**
 * Where `deployment_parameters` do not hold to what the model declares: keys that it does not know, required ones that
 * are missing, and values of another type. A model without declared parameters takes none.
 */
export function deploymentParameterViolations(
  { deploymentParameters = {} }: ChatRequest,
  declared: readonly DeclaredParameter[] = [],
): readonly FieldViolation[] {
  const known = new Map(declared.map((parameter) => [parameter.name, parameter]));
  const names = [...known.keys()].join(", ");
  const takes = names === "" ? "this model takes none" : `this model takes ${names}`;
  const wrong = Object.entries(deploymentParameters).flatMap(([name, value]) => {
    const parameter = known.get(name);
    if (parameter === undefined) return violation(name, `is not a parameter of the model; ${takes}`);
    const { name: type, accepts } = types[parameter.type];
    return accepts(value) ? [] : violation(name, `must be ${type}`);
  });
  const missing = declared
    .filter(({ name, required }) => required && !Object.hasOwn(deploymentParameters, name))
    .flatMap(({ name, type }) => violation(name, `is required: ${types[type].name}`));
  return [...wrong, ...missing];
}

/**
 * Providers that take declared parameters under a field of their own instead of beside the others: Cerebras as
 * `model_parameters` (its SDK's chat completion request).
 */
const fields: Readonly<Record<string, string>> = { cerebras: "model_parameters" };

/**
 * The request with its deployment parameters where the provider's own fields are, so that adapters need not know them.
 * Throws INVALID_REQUEST for those that `provider_options` sets too: neither is more meant than the other.
 */
export function withDeploymentParameters(chat: ChatRequest, provider: string): ChatRequest {
  const { deploymentParameters, ...rest } = chat;
  if (deploymentParameters === undefined) return chat;
  if (Object.keys(deploymentParameters).length === 0) return rest;
  const options = chat.providerOptions[provider] ?? {};
  const field = fields[provider];
  const placed: JsonObject = field === undefined ? deploymentParameters : { [field]: deploymentParameters };
  const twice = Object.keys(placed).filter((name) => Object.hasOwn(options, name));
  if (twice.length > 0) {
    const places = twice.map((name) => ({
      field: `chat.provider_options.${provider}.${name}`,
      description: "is set by deployment_parameters too; send it once",
    }));
    throw invalidRequest(places);
  }
  return { ...rest, providerOptions: { ...chat.providerOptions, [provider]: { ...options, ...placed } } };
}

/** A request for a model that only completes text, and what was left out of it. */
export interface CompletionRequest {
  readonly request: ChatRequest;
  readonly adaptations: readonly Adaptation[];
}

/**
 * The request for a model that completes text and has no conversations: the last user message alone, as the prompt
 * (seed 003: "fall back to plain completion", without the history). Instructions, system messages and history are left
 * out, which is a warning, or an error when strict; media in the prompt and tools are refused. For the caller's request
 * as it came, before profile and memory add to it. Throws INVALID_REQUEST when there is no user message.
 */
export function completionOnly(chat: ChatRequest): CompletionRequest {
  const last = chat.messages.findLastIndex(({ role }) => role === Role.USER);
  const prompt = chat.messages[last];
  if (prompt === undefined) {
    throw invalidRequest([
      { field: "chat.messages", description: "needs a user message: the model completes the text of the last one" },
    ]);
  }
  const adaptations: Adaptation[] = mediaAdaptations(prompt, last);
  if (chat.messages.length > 1) {
    adaptations.push({
      // The messages that are sent are chosen here, so nothing is left for the adaptation to set.
      kind: chat.strictParameters ? "REJECTED" : "EMULATED",
      field: "messages",
      message: "the model completes text and has no conversations: only the last user message was sent",
    });
  }
  if (chat.instructions) {
    const message = "the model completes text and takes no instructions";
    adaptations.push({ kind: "UNSUPPORTED_PARAMETER", field: "instructions", message });
  }
  if (chat.tools.length > 0) {
    adaptations.push({ kind: "REJECTED", field: "tools", message: "the model completes text and does not call tools" });
  }
  // Empty rather than absent: there is no default for them either.
  return { request: { ...chat, messages: [prompt], instructions: "" }, adaptations };
}

function mediaAdaptations({ parts }: Message, index: number): Adaptation[] {
  return parts.flatMap(({ kind }, place): Adaptation[] =>
    kind.case === "text"
      ? []
      : [
          {
            kind: "REJECTED",
            field: `messages[${index}].parts[${place}]`,
            message: "the model completes text and takes nothing else",
          },
        ],
  );
}

function violation(name: string, description: string): readonly FieldViolation[] {
  return [{ field: `chat.deployment_parameters.${name}`, description }];
}
