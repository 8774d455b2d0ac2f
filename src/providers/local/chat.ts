import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type ChatEvent, completed, finished, started, textDelta } from "../../chat/stream/events.ts";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { TimeInfoSchema } from "../../gen/dragoman/v1/completion_pb.js";
import { ProviderErrorSchema } from "../../gen/dragoman/v1/error_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { UsageQuality, UsageSchema } from "../../gen/dragoman/v1/usage_pb.js";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import { Answer, finishReasons, type Piece, type StopWord } from "./answer.ts";
import type { SamplingOptions, Token } from "./engine.ts";
import { createGrammarState, type LoadedModel, promptTokens } from "./loaded-model.ts";
import { firstSeed, samplingOptions, tokenBias } from "./sampling.ts";
import type { Slot } from "./slot.ts";

/** Small models ramble, at a temperature the more, and one that answers keeps the others waiting. */
export const localDefaults = { temperature: 0, maxOutputTokens: 512 } as const;

/** All that is known before it is a request's turn. */
interface AnswerPlan {
  readonly loaded: LoadedModel;
  readonly request: ChatRequest;
  readonly prompt: readonly Token[];
  /** The most tokens of each choice. */
  readonly limit: number;
  readonly choices: number;
  /** The engine's options for a choice. */
  readonly sampling: (choice: number, generated: Token[]) => SamplingOptions;
}

/** Makes the prompt and checks that it can be answered. Throws GatewayError. */
export async function prepareAnswer(
  loaded: LoadedModel,
  request: ChatRequest,
  sandbox: TemplateSandbox,
  signal: AbortSignal,
): Promise<AnswerPlan> {
  const { parameters } = request;
  const prompt = await promptTokens(loaded, request, sandbox, signal);
  const { contextSize } = loaded;
  if (prompt.length >= contextSize) {
    throw new GatewayError(
      "CONTEXT_LENGTH_EXCEEDED",
      `the prompt has ${prompt.length} tokens, and the model's window of ${contextSize} has no room for an answer`,
      { metadata: { context_window_tokens: String(contextSize), input_tokens: String(prompt.length) } },
    );
  }
  const limit = Math.min(parameters?.maxOutputTokens ?? localDefaults.maxOutputTokens, contextSize - prompt.length);
  const grammar = await createGrammarState(loaded, request);
  const bias = tokenBias(loaded.engine, loaded.model, parameters?.logitBias);
  const seed = firstSeed(parameters?.seed);
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

/** Answers, one batch for each piece of text, as fast as it is read. */
export async function* streamAnswer(
  plan: AnswerPlan,
  slot: Slot,
  signal: AbortSignal,
): AsyncGenerator<readonly ChatEvent[], void> {
  const { prompt, choices } = plan;
  yield [started()];
  const begin = performance.now();
  const cachedInputTokens = await slot.read(prompt, signal);
  const promptRead = performance.now();
  let outputTokens = 0;
  for (let choice = 0; choice < choices; choice++) {
    if (choice > 0) await slot.read(prompt, signal);
    outputTokens += yield* streamChoice(plan, slot, choice, signal);
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

/** One choice. Returns how many tokens it took. */
async function* streamChoice(
  { loaded, request: { parameters }, prompt, limit, sampling }: AnswerPlan,
  slot: Slot,
  choice: number,
  signal: AbortSignal,
): AsyncGenerator<readonly ChatEvent[], number> {
  const answer = new Answer(loaded.model, prompt, parameters?.stopSequences ?? [], parameters?.topLogprobs ?? 0);
  const deltas = ({ text, logprobs }: Piece) => (text === "" ? [] : [textDelta(choice, 0, text, logprobs)]);
  const options = sampling(choice, answer.tokens);
  let ended: StopWord = "eos";
  for await (const generated of slot.generate(prompt, parameters?.logprobs ?? false, options, signal)) {
    const events = deltas(answer.push(generated));
    if (events.length > 0) yield events;
    if (answer.stop !== undefined) ended = "word";
    else if (answer.tokens.length >= limit) ended = "limit";
    if (ended !== "eos") break;
  }
  const rest = answer.stop === undefined ? deltas(answer.flush()) : [];
  if (answer.stop !== undefined) ended = "word";
  yield [...rest, finished(choice, finishReasons[ended], ended, answer.stop)];
  return answer.tokens.length;
}

/** What an error of the engine is to the caller. */
export function engineFault(error: unknown, { providerModel }: Model): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError("PROVIDER_FAULT", "the local engine failed; ask again", {
    cause: error,
    provider: create(ProviderErrorSchema, { provider: "local", providerModel }),
  });
}
