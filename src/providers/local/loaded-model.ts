import { availableParallelism } from "node:os";
import type { z } from "zod";
import { BoundedPool } from "../../bounded-pool.ts";
import { section, wholeNumber } from "../../config/rules.ts";
import { GatewayError, invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import type { Engine, LlamaModel, Token } from "./engine.ts";
import { toGrammarSchema } from "./grammar-schema.ts";
import type { LocalModelFile } from "./home.ts";
import { defaultContextSize } from "./models.ts";
import { renderPrompt, tokenizePrompt } from "./prompt.ts";
import { Slot } from "./slot.ts";

/** `providers.local.options` of the configuration. */
export const optionsSchema = section({
  /** Tokens of prompt and answer together, 64 or more. Default 2048; at most what the model was trained with. */
  context_size: wholeNumber(64).prefault(defaultContextSize),
  /**
   * Threads that compute. Default: one less than there are processors, for the service itself; threads that have to
   * share a processor slow each other down five times (measured).
   */
  threads: wholeNumber(1).prefault(Math.max(1, availableParallelism() - 1)),
  /** Requests that may wait for their turn; beyond it QUEUE_FULL. Default 16. */
  max_queue: wholeNumber(0).prefault(16),
  /** Requests that are answered at once. Default 1: on a CPU, two at once are answered at half the speed (measured). */
  parallel: wholeNumber(1, 64).prefault(1),
});

export type LocalOptions = z.output<typeof optionsSchema>;

/** A model in memory. */
export interface LoadedModel {
  readonly engine: Engine;
  readonly model: LlamaModel;
  /** Tokens of prompt and answer together. */
  readonly contextSize: number;
  readonly slots: BoundedPool<Slot>;
}

/** A short answer of a small model on a CPU takes about so long. */
const notice = { thing: "the local model", retryAfterMs: 2000 };

export async function loadModel(engine: Engine, file: LocalModelFile, options: LocalOptions): Promise<LoadedModel> {
  const model = await engine.llama.loadModel({ modelPath: file.path });
  const context = await model.createContext({
    contextSize: Math.min(options.context_size, model.trainContextSize),
    sequences: options.parallel,
    threads: options.threads,
  });
  const sequences = Array.from({ length: options.parallel }, () => context.getSequence());
  const contextSize = Math.min(...sequences.map((sequence) => sequence.contextSize));
  const slots = sequences.map((sequence) => new Slot(sequence));
  return { engine, model, contextSize, slots: new BoundedPool(slots, options.max_queue, notice) };
}

/** The tokens of a request's prompt. */
export async function promptTokens(
  { model }: LoadedModel,
  request: ChatRequest,
  sandbox: TemplateSandbox,
  signal: AbortSignal,
): Promise<readonly Token[]> {
  const tokens = tokenizePrompt(model, await renderPrompt(model, request, sandbox, signal));
  if (tokens.length === 0) {
    throw invalidRequest([{ field: ["messages"], description: "the prompt is empty; write something" }]);
  }
  return tokens;
}

/** The engine ends each of its grammars so, for models that do not end by themselves. Without it they have to end. */
const grammarEnd = / "(\\n)+" \[\\n\]\*$/m;

/** Keeps the answer to the form that is asked for. Undefined when any text will do. */
export async function createGrammarState({ engine, model }: LoadedModel, { outputFormat }: ChatRequest) {
  const schema = schemaOf(outputFormat?.format);
  if (schema === undefined) return undefined;
  const { llama, module } = engine;
  const { grammar } = await llama.createGrammarForJsonSchema(schema).catch((cause: unknown) => {
    const field = ["output_format", "json_schema", "schema_json"];
    const description = `cannot be made a grammar: ${cause instanceof Error ? cause.message : "unknown cause"}`;
    throw invalidRequest([{ field, description }]);
  });
  const made = await llama.createGrammar({ grammar: grammar.replace(grammarEnd, "") });
  return () => new module.LlamaGrammarEvaluationState({ model, grammar: made });
}

function schemaOf(format: NonNullable<ChatRequest["outputFormat"]>["format"] | undefined): unknown {
  switch (format?.case) {
    case "jsonObject":
      return { type: "object", additionalProperties: true };
    case "jsonSchema":
      return toGrammarSchema(JSON.parse(format.value.schemaJson)).schema;
    case "regex":
      throw new GatewayError("UNSUPPORTED_PARAMETER", "the local engine fits no answer to a regular expression");
    case "text":
    case undefined:
      return undefined;
    default:
      return format satisfies never;
  }
}
