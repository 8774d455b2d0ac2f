import { BoundedPool } from "../../bounded-pool.ts";
import { GatewayError, invalidRequest } from "../../errors.ts";
import type { Claimant } from "../../fair-slots.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import type { Engine, LlamaModel, Token } from "./engine.ts";
import { toGrammarSchema } from "./grammar-schema.ts";
import type { LocalOptions } from "./options.ts";
import { renderPrompt, tokenizePrompt } from "./prompt.ts";
import { Slot } from "./slot.ts";

/** Model in memory. */
export interface LoadedModel {
  readonly engine: Engine;
  readonly model: LlamaModel;
  /** Context window in tokens, for prompt and response together. */
  readonly contextSize: number;
  readonly slots: BoundedPool<Slot>;
}

/** What a queued request waits for. */
export const localModel = "the local model";

/** Details of the QUEUE_FULL error. A short response of a small model on a CPU takes about 2000 ms. */
export const queueNotice = { thing: localModel, retryAfterMs: 2000, metadata: { provider: "local" } };

/** Creates the memory of a model for chat. */
export async function loadModel(engine: Engine, model: LlamaModel, options: LocalOptions): Promise<LoadedModel> {
  const context = await model.createContext({
    contextSize: Math.min(options.context_size, model.trainContextSize),
    sequences: options.parallel,
    threads: options.threads,
  });
  const sequences = Array.from({ length: options.parallel }, () => context.getSequence());
  const contextSize = Math.min(...sequences.map((sequence) => sequence.contextSize));
  const slots = sequences.map((sequence) => new Slot(sequence));
  return { engine, model, contextSize, slots: new BoundedPool(slots, options.max_queue, queueNotice) };
}

/** Returns the tokens of a request's prompt. Throws INVALID_REQUEST for an empty prompt. */
export async function promptTokens(
  { model }: LoadedModel,
  request: ChatRequest,
  sandbox: TemplateSandbox,
  claimant: Claimant,
): Promise<readonly Token[]> {
  const tokens = tokenizePrompt(model, await renderPrompt(model, request, sandbox, claimant));
  if (tokens.length === 0) {
    throw invalidRequest([{ field: ["messages"], description: "the prompt is empty; add text to a message" }]);
  }
  return tokens;
}

/**
 * End of every grammar that the engine creates: newlines, for models that do not end their turn. Dragoman removes it,
 * so that the model must end its turn after the JSON.
 */
const grammarEnd = / "(\\n)+" \[\\n\]\*$/m;

/** Returns a factory of grammar states that constrain the response to the output format; undefined for plain text. */
export async function createGrammarState({ engine, model }: LoadedModel, { outputFormat }: ChatRequest) {
  const schema = schemaOf(outputFormat?.format);
  if (schema === undefined) return undefined;
  const { llama, module } = engine;
  const { grammar } = await llama.createGrammarForJsonSchema(schema).catch((cause: unknown) => {
    const field = ["output_format", "json_schema", "schema_json"];
    const description = `cannot be converted to a grammar: ${cause instanceof Error ? cause.message : "unknown cause"}`;
    throw invalidRequest([{ field, description }]);
  });
  const openGrammar = await llama.createGrammar({ grammar: grammar.replace(grammarEnd, "") });
  return () => new module.LlamaGrammarEvaluationState({ model, grammar: openGrammar });
}

function schemaOf(format: NonNullable<ChatRequest["outputFormat"]>["format"] | undefined): unknown {
  switch (format?.case) {
    case "jsonObject":
      return { type: "object", additionalProperties: true };
    case "jsonSchema":
      return toGrammarSchema(JSON.parse(format.value.schemaJson)).schema;
    case "regex":
      throw new GatewayError("UNSUPPORTED_PARAMETER", "the local engine does not support regex output");
    case "text":
    case undefined:
      return undefined;
    default:
      return format satisfies never;
  }
}
