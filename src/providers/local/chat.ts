import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { seedOf } from "../../chat/planning/seed.ts";
import { type ChatEvent, completed, finished, started, textDelta } from "../../chat/stream/events.ts";
import { GatewayError } from "../../errors.ts";
import type { Claimant } from "../../fair-slots.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { TimeInfoSchema } from "../../gen/dragoman/v1/completion_pb.js";
import { ProviderErrorSchema } from "../../gen/dragoman/v1/error_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { UsageQuality, UsageSchema } from "../../gen/dragoman/v1/usage_pb.js";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import type { AttemptContext } from "../../upstream/upstream-call.ts";
import { Answer, finishReasons, type Piece, type StopWord } from "./answer.ts";
import type { SamplingOptions, Token } from "./engine.ts";
import { createGrammarState, type LoadedModel, promptTokens } from "./loaded-model.ts";
import { firstSeed, samplingOptions, tokenBias } from "./sampling.ts";
import type { Slot } from "./slot.ts";

/** Defaults for small models, which otherwise write long, aimless text and block other requests. */
export const localDefaults = { temperature: 0, maxOutputTokens: 512 } as const;

/** Prepared request, ready for a slot: a token sequence in the model's memory, see slot.ts. */
interface AnswerPlan {
  readonly loaded: LoadedModel;
  readonly request: ChatRequest;
  readonly prompt: readonly Token[];
  /** Maximum number of tokens per choice. */
  readonly limit: number;
  readonly choices: number;
  /** The engine's options for a choice. */
  readonly sampling: (choice: number, generated: Token[]) => SamplingOptions;
}

/** Renders the prompt and validates the request. Throws GatewayError, such as CONTEXT_LENGTH_EXCEEDED. */
export async function prepareAnswer(
  loaded: LoadedModel,
  request: ChatRequest,
  sandbox: TemplateSandbox,
  claimant: Claimant,
): Promise<AnswerPlan> {
  const { parameters } = request;
  const prompt = await promptTokens(loaded, request, sandbox, claimant);
  const { contextSize } = loaded;
  if (prompt.length >= contextSize) {
    throw new GatewayError(
      "CONTEXT_LENGTH_EXCEEDED",
      `the prompt has ${prompt.length} tokens, which fill the context window of ${contextSize} tokens; shorten it`,
      { metadata: { context_window_tokens: String(contextSize), input_tokens: String(prompt.length) } },
    );
  }
  const limit = Math.min(parameters?.maxOutputTokens ?? localDefaults.maxOutputTokens, contextSize - prompt.length);
  const grammar = await createGrammarState(loaded, request);
  const bias = tokenBias(loaded.engine, loaded.model, parameters?.logitBias);
  const seed = firstSeed(seedOf(parameters));
  return {
    loaded,
    request,
    prompt,
    limit,
    choices: parameters?.n ?? 1,
    sampling: (choice, generated) => ({
      ...samplingOptions(parameters, seed + choice, generated, limit),
      ...(bias !== undefined && { tokenBias: bias }),
      ...(grammar !== undefined && { grammarEvaluationState: grammar() }),
    }),
  };
}

/** Streams the response, one batch per text delta. Generates no faster than the consumer reads. */
export async function* streamAnswer(
  plan: AnswerPlan,
  slot: Slot,
  { signal, onOutput }: Pick<AttemptContext, "signal" | "onOutput">,
): AsyncGenerator<readonly ChatEvent[], void> {
  const { prompt, choices } = plan;
  yield [started()];
  const begin = performance.now();
  const cachedInputTokens = await slot.read(prompt, signal);
  const promptRead = performance.now();
  let outputTokens = 0;
  let hadOutput = false;
  const noteDeltas = ({ length }: readonly ChatEvent[]) => {
    if (length > 0 && !hadOutput) onOutput?.();
    hadOutput ||= length > 0;
  };
  for (let choice = 0; choice < choices; choice++) {
    if (choice > 0) await slot.read(prompt, signal);
    outputTokens += yield* streamChoice(plan, slot, choice, signal, noteDeltas);
  }
  const end = performance.now();
  const usage = create(UsageSchema, {
    inputTokens: prompt.length,
    outputTokens,
    totalTokens: prompt.length + outputTokens,
    cachedInputTokens,
    quality: UsageQuality.EXACT,
  });
  const timeInfo = create(TimeInfoSchema, {
    promptDuration: durationFromMs(Math.round(promptRead - begin)),
    completionDuration: durationFromMs(Math.round(end - promptRead)),
    providerDuration: durationFromMs(Math.round(end - begin)),
  });
  yield [completed({ usage, timeInfo })];
}

/** Streams one choice. Returns the number of its tokens. */
async function* streamChoice(
  { loaded, request: { parameters }, prompt, limit, sampling }: AnswerPlan,
  slot: Slot,
  choice: number,
  signal: AbortSignal,
  noteDeltas: (deltas: readonly ChatEvent[]) => void,
): AsyncGenerator<readonly ChatEvent[], number> {
  const answer = new Answer(loaded.model, prompt, parameters?.stopSequences ?? [], parameters?.topLogprobs ?? 0);
  const deltas = ({ text, logprobs }: Piece) => (text === "" ? [] : [textDelta(choice, 0, text, logprobs)]);
  const options = sampling(choice, answer.tokens);
  let ended: StopWord = "eos";
  for await (const generated of slot.generate(prompt, parameters?.logprobs ?? false, options, signal)) {
    const events = deltas(answer.push(generated));
    noteDeltas(events);
    if (events.length > 0) yield events;
    if (answer.stop !== undefined) ended = "word";
    else if (answer.tokens.length >= limit) ended = "limit";
    if (ended !== "eos") break;
  }
  const rest = answer.stop === undefined ? deltas(answer.flush()) : [];
  if (answer.stop !== undefined) ended = "word";
  noteDeltas(rest);
  yield [...rest, finished(choice, finishReasons[ended], ended, answer.stop)];
  return answer.tokens.length;
}

/** Converts an error of the engine to PROVIDER_FAULT. */
export function engineFault(error: unknown, { providerModel }: Model): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError("PROVIDER_FAULT", "the local engine failed; retry", {
    cause: error,
    provider: create(ProviderErrorSchema, { provider: "local", providerModel }),
  });
}
