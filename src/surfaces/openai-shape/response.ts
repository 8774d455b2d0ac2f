import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { type ChatCompletion, type Choice, FinishReason, type TimeInfo } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs, TopLogProb } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { present } from "../kit/parse-request.ts";

/** What the APIs of this shape write differently in a response. */
export interface ResponseOptions {
  /** Name of the reasoning field. */
  readonly reasoning: "reasoning" | "reasoning_content";
  /** Whether refusals have a field of their own. Otherwise they are text, as they are at these APIs. */
  readonly refusals: boolean;
  /** Whether fields without a value are null (OpenAI's types have them required) instead of absent. */
  readonly nulls: boolean;
  /** `system_fingerprint` if the provider sends none. */
  readonly noFingerprint: "" | null | undefined;
  /** The text of a stream's first chunk. */
  readonly firstContent: "" | null;
  /** Whether every fragment of a tool call says its type, and not the first alone. */
  readonly typedFragments: boolean;
  /** Whether usage comes in a chunk of its own, after those of the choices. Otherwise it is on the last of those. */
  readonly usageApart: boolean;
  /** Whether to send `time_info`; in a stream, only with the usage. */
  readonly times: boolean;
  /** Models have no provider in front of their name. */
  readonly modelPrefix: string;
}

/** What a response needs to know of its request. */
export interface ResponseContext {
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  /** How many choices are expected. */
  readonly choices: number;
  /** Whether the log probabilities of reasoning stay among those of the text (Cerebras' `text_parsed`). */
  readonly mergeReasoningLogprobs: boolean;
  /** Returns the fields of the service tier, from the tier that the provider names. */
  readonly tierFields: (used: string) => object;
  /** Fields that the response repeats from the request. */
  readonly echoFields: object;
}

const finishReasons = {
  [FinishReason.UNSPECIFIED]: null,
  [FinishReason.STOP]: "stop",
  [FinishReason.LENGTH]: "length",
  [FinishReason.TOOL_CALLS]: "tool_calls",
  [FinishReason.CONTENT_FILTER]: "content_filter",
  // These APIs have no word for the rest, and their clients know no others.
  [FinishReason.OTHER]: "stop",
} as const satisfies Record<FinishReason, string | null>;

export function toFinishReason(reason: FinishReason) {
  return finishReasons[reason];
}

/** Translates a whole response: `chat.completion`. */
export function toResponse(completion: ChatCompletion, options: ResponseOptions, context: ResponseContext): object {
  const { id, model, createTime, choices, usage, serviceTier, systemFingerprint, timeInfo } = completion;
  return {
    id,
    object: "chat.completion",
    created: toSeconds(createTime),
    model: toModelName(model, options),
    choices: choices.map((choice) => toChoice(choice, options, context)),
    ...(usage && { usage: toUsage(usage) }),
    ...present({ system_fingerprint: systemFingerprint || options.noFingerprint }),
    ...(options.times && { time_info: toTimes(timeInfo, createTime) }),
    ...context.tierFields(serviceTier),
    ...context.echoFields,
  };
}

function toChoice(choice: Choice, options: ResponseOptions, context: ResponseContext): object {
  const { index, finishReason } = choice;
  return {
    index,
    message: toMessage(choice, options),
    ...logprobFields(splitRefusal(choice), choice.reasoningLogprobs, options, context),
    finish_reason: toFinishReason(finishReason),
  };
}

function toMessage({ message }: Choice, options: ResponseOptions): object {
  const said = { text: "", reasoning: "", refusal: "" };
  const calls: object[] = [];
  for (const { kind } of message?.parts ?? []) {
    switch (kind.case) {
      case "text":
        said.text += kind.value;
        break;
      case "reasoning":
        said.reasoning += kind.value.text;
        break;
      case "refusal":
        said[options.refusals ? "refusal" : "text"] += kind.value;
        break;
      case "toolCall": {
        const { id, name, argumentsJson } = kind.value;
        calls.push({ id, type: "function", function: { name, arguments: argumentsJson } });
        break;
      }
      // No provider answers with these.
      case "media":
      case "toolResult":
      case undefined:
        break;
      default:
        kind satisfies never;
    }
  }
  const isSilent = said.text === "" && (calls.length > 0 || said.refusal !== "");
  return {
    role: "assistant",
    content: isSilent ? null : said.text,
    ...(said.reasoning !== "" && { [options.reasoning]: said.reasoning }),
    ...(options.refusals && { refusal: said.refusal || null }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** The log probabilities of a choice; undefined where there are none. */
interface SpokenLogProbs {
  readonly content?: LogProbs | undefined;
  readonly refusal?: LogProbs | undefined;
}

/** A choice has one list for its text and its refusal. Models do either. */
function splitRefusal({ message, logprobs }: Choice): SpokenLogProbs {
  const isRefusal = message?.parts.some(({ kind }) => kind.case === "refusal");
  const speaks = message?.parts.some(({ kind }) => kind.case === "text" && kind.value !== "");
  return isRefusal && !speaks ? { refusal: logprobs } : { content: logprobs };
}

/** `logprobs` and `reasoning_logprobs` of a choice. */
export function logprobFields(
  spoken: SpokenLogProbs,
  reasoning: LogProbs | undefined,
  { nulls, refusals }: ResponseOptions,
  { mergeReasoningLogprobs }: ResponseContext,
): object {
  const thoughts = tokensOf(reasoning);
  const merged = mergeReasoningLogprobs ? thoughts : [];
  const content = [...merged, ...tokensOf(spoken.content), ...(refusals ? [] : tokensOf(spoken.refusal))];
  const refusal = refusals ? tokensOf(spoken.refusal) : [];
  const isThere = content.length > 0 || refusal.length > 0;
  const lists = {
    content: content.length > 0 ? content : null,
    ...(refusals && { refusal: refusal.length > 0 ? refusal : null }),
  };
  return {
    ...((isThere || nulls) && { logprobs: isThere ? lists : null }),
    ...(thoughts.length > 0 && !mergeReasoningLogprobs && { reasoning_logprobs: { content: thoughts } }),
  };
}

function tokensOf(logprobs: LogProbs | undefined): readonly object[] {
  return (logprobs?.tokens ?? []).map((token) => ({ ...toToken(token), top_logprobs: token.topLogprobs.map(toToken) }));
}

function toToken({ token, bytes, logprob }: Pick<TopLogProb, "token" | "bytes" | "logprob">) {
  return { token, bytes: bytes ? [...bytes] : null, logprob };
}

/** `usage`, with DeepInfra's name for the cost where the provider tells it. */
export function toUsage(usage: Usage): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      ...(usage.cacheWriteInputTokens > 0 && { cache_write_tokens: usage.cacheWriteInputTokens }),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      accepted_prediction_tokens: usage.acceptedPredictionTokens,
      rejected_prediction_tokens: usage.rejectedPredictionTokens,
    },
    ...(usage.providerCostUsd !== undefined && { estimated_cost: usage.providerCostUsd }),
  };
}

/** Cerebras' `time_info`, in seconds. Times that the provider does not tell are absent; the total is this service's then. */
export function toTimes(timeInfo: TimeInfo | undefined, createTime: Timestamp | undefined): object {
  const { queueDuration, promptDuration, completionDuration, providerDuration, totalDuration } = timeInfo ?? {};
  return present({
    queue_time: inSeconds(queueDuration),
    prompt_time: inSeconds(promptDuration),
    completion_time: inSeconds(completionDuration),
    total_time: inSeconds(providerDuration ?? totalDuration),
    created: toSeconds(createTime),
  });
}

function inSeconds(duration: Duration | undefined): number | undefined {
  return duration && Number(duration.seconds) + duration.nanos / 1e9;
}

/** Whole seconds since 1970. */
export function toSeconds(time: Timestamp | undefined): number {
  return Number(time?.seconds ?? 0);
}

/** The model by the name that this API has for it. */
export function toModelName(id: string, { modelPrefix }: Pick<ResponseOptions, "modelPrefix">): string {
  return modelPrefix !== "" && id.startsWith(modelPrefix) ? id.slice(modelPrefix.length) : id;
}
