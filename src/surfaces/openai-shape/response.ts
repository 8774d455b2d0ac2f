import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { type ChatCompletion, type Choice, FinishReason, type TimeInfo } from "../../gen/dragoman/v1/completion_pb.js";
import type { LogProbs, TopLogProb } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import type { Cost, Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { customInput } from "../kit/custom-tools.ts";
import { present } from "../kit/parse-request.ts";
import { ContentText, metadataField, responseMetadata } from "./annotations.ts";
import { mediaFields } from "./output-media.ts";

/** Differences between the responses of the APIs of this shape. */
export interface ResponseOptions {
  /** Name of the reasoning field. */
  readonly reasoning: "reasoning" | "reasoning_content";
  /** Whether refusals are in the `refusal` field. Otherwise they are in `content`. */
  readonly refusals: boolean;
  /** Whether fields without a value are null instead of absent, since OpenAI's types require them. */
  readonly nulls: boolean;
  /** `system_fingerprint` if the provider sends none. */
  readonly noFingerprint: "" | undefined;
  /** `content` of a stream's first chunk. */
  readonly firstContent: "" | null;
  /** Whether every delta of a tool call has `type`. Otherwise only the first delta has it. */
  readonly typedFragments: boolean;
  /** Whether a stream sends usage in a separate last chunk. Otherwise it is in the last chunk with choices. */
  readonly usageApart: boolean;
  /** Whether to send `time_info`; in a stream, only with the usage. */
  readonly times: boolean;
  /** Whether responses have `annotations` and `provider_metadata`. Default false: kit/left-out.ts warns. */
  readonly annotations?: boolean;
  /** Whether messages have `audio` and `images`. Default false: kit/left-out.ts warns. */
  readonly media?: boolean;
  /** Prefix to remove from model names, such as `cerebras/`. Empty: names stay unchanged. */
  readonly modelPrefix: string;
}

/** The request settings that its response needs. */
export interface ResponseContext {
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  /** Number of requested choices. */
  readonly choices: number;
  /** Whether `logprobs` includes the log probabilities of reasoning tokens (Cerebras' `text_parsed`). */
  readonly mergeReasoningLogprobs: boolean;
  /** Returns the service tier fields. `used` is the tier that the provider reports; empty if it reports none. */
  readonly tierFields: (used: string) => object;
  /** Names of the functions that stand for custom tools. */
  readonly customTools: ReadonlySet<string>;
  /** Fields that the response repeats from the request. */
  readonly echoFields: object;
}

const finishReasons = {
  [FinishReason.UNSPECIFIED]: null,
  [FinishReason.STOP]: "stop",
  [FinishReason.LENGTH]: "length",
  [FinishReason.TOOL_CALLS]: "tool_calls",
  [FinishReason.CONTENT_FILTER]: "content_filter",
  // These APIs define no finish reason for other causes, and their clients may reject unknown ones.
  [FinishReason.OTHER]: "stop",
} as const satisfies Record<FinishReason, string | null>;

export function toFinishReason(reason: FinishReason) {
  return finishReasons[reason];
}

/** Translates a whole response to a `chat.completion` object. */
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
    ...(options.annotations && responseMetadata(completion.providerMetadataJson)),
  };
}

function toChoice(choice: Choice, options: ResponseOptions, context: ResponseContext): object {
  const { index, finishReason } = choice;
  return {
    index,
    message: toMessage(choice, options, context),
    ...logprobFields(splitRefusal(choice), choice.reasoningLogprobs, options, context),
    finish_reason: toFinishReason(finishReason),
    ...(options.annotations && metadataField(choice.providerMetadataJson)),
  };
}

function toMessage(
  { index: choiceIndex, message, sources }: Choice,
  options: ResponseOptions,
  { customTools }: ResponseContext,
): object {
  const texts = { text: "", reasoning: "", refusal: "" };
  const calls: object[] = [];
  const content = new ContentText();
  const annotations: object[] = [];
  const media: { readonly media: Media; readonly state: ProviderState | undefined }[] = [];
  for (const [index, { kind, citations, providerState: state }] of (message?.parts ?? []).entries()) {
    switch (kind.case) {
      case "text":
        texts.text += kind.value;
        content.wrote(index, kind.value);
        if (options.annotations) annotations.push(...content.annotations(citations, index));
        break;
      case "reasoning":
        texts.reasoning += kind.value.text;
        break;
      case "refusal":
        texts[options.refusals ? "refusal" : "text"] += kind.value;
        break;
      case "toolCall": {
        const { id, name, argumentsJson } = kind.value;
        const called = { name, arguments: argumentsJson };
        const isCustom = customTools.has(name);
        if (isCustom) calls.push({ id, type: "custom", custom: { name, input: customInput(argumentsJson) } });
        else calls.push({ id, type: "function", function: called });
        break;
      }
      case "media":
        if (options.media) media.push({ media: kind.value, state });
        break;
      // These APIs have no field for them; kit/left-out.ts warns.
      case "toolResult":
      case "serverToolCall":
      case "serverToolResult":
      case "searchResult":
      case undefined:
        break;
      default:
        kind satisfies never;
    }
  }
  if (options.annotations) annotations.push(...content.annotations(sources));
  const { audio, images } = mediaFields(media, choiceIndex);
  const hasNoContent = texts.text === "" && (calls.length > 0 || texts.refusal !== "" || audio !== undefined);
  return {
    role: "assistant",
    content: hasNoContent ? null : texts.text,
    ...(texts.reasoning !== "" && { [options.reasoning]: texts.reasoning }),
    ...(options.refusals && { refusal: texts.refusal || null }),
    ...(annotations.length > 0 && { annotations }),
    ...present({ audio, images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** Log probabilities of a choice's output other than reasoning. */
interface SpokenLogProbs {
  readonly content?: LogProbs | undefined;
  readonly refusal?: LogProbs | undefined;
}

/** Assigns the log probabilities of a choice to its text or its refusal: a model returns only one of the two. */
function splitRefusal({ message, logprobs }: Choice): SpokenLogProbs {
  const isRefusal = message?.parts.some(({ kind }) => kind.case === "refusal");
  const speaks = message?.parts.some(({ kind }) => kind.case === "text" && kind.value !== "");
  return isRefusal && !speaks ? { refusal: logprobs } : { content: logprobs };
}

/** Returns `logprobs` and `reasoning_logprobs` of a choice. */
export function logprobFields(
  spoken: SpokenLogProbs,
  reasoning: LogProbs | undefined,
  { nulls, refusals }: ResponseOptions,
  { mergeReasoningLogprobs }: ResponseContext,
): object {
  const reasoningTokens = tokensOf(reasoning);
  const merged = mergeReasoningLogprobs ? reasoningTokens : [];
  const content = [...merged, ...tokensOf(spoken.content), ...(refusals ? [] : tokensOf(spoken.refusal))];
  const refusal = refusals ? tokensOf(spoken.refusal) : [];
  const isThere = content.length > 0 || refusal.length > 0;
  const lists = {
    content: content.length > 0 ? content : null,
    ...(refusals && { refusal: refusal.length > 0 ? refusal : null }),
  };
  return {
    ...((isThere || nulls) && { logprobs: isThere ? lists : null }),
    ...(reasoningTokens.length > 0 && !mergeReasoningLogprobs && { reasoning_logprobs: { content: reasoningTokens } }),
  };
}

function tokensOf(logprobs: LogProbs | undefined): readonly object[] {
  return (logprobs?.tokens ?? []).map((token) => ({ ...toToken(token), top_logprobs: token.topLogprobs.map(toToken) }));
}

function toToken({ token, bytes, logprob }: Pick<TopLogProb, "token" | "bytes" | "logprob">) {
  return { token, bytes: bytes ? [...bytes] : null, logprob };
}

/** Translates usage. `estimated_cost` is DeepInfra's field, in US dollars; absent if the cost is unknown. */
export function toUsage(usage: Usage): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      ...((usage.cacheWriteInputTokens ?? 0) > 0 && { cache_write_tokens: usage.cacheWriteInputTokens }),
      ...mediaTokens(usage.audioInputTokens, usage.imageInputTokens),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens ?? 0,
      accepted_prediction_tokens: usage.acceptedPredictionTokens ?? 0,
      rejected_prediction_tokens: usage.rejectedPredictionTokens ?? 0,
      ...mediaTokens(usage.audioOutputTokens, usage.imageOutputTokens),
    },
    ...(usage.cost && { estimated_cost: dollarsOf(usage.cost) }),
  };
}

/** `image_tokens` is OpenRouter's field. */
function mediaTokens(audio = 0, image = 0): object {
  return { ...(audio > 0 && { audio_tokens: audio }), ...(image > 0 && { image_tokens: image }) };
}

function dollarsOf({ totalNanos }: Cost): number {
  return Number(totalNanos) / 1e9;
}

/**
 * Returns Cerebras' `time_info`, in seconds. A time that the provider does not report is absent, except the total:
 * Dragoman measures the total instead.
 */
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

/** Returns a Unix time in whole seconds; 0 if the time is unset. */
export function toSeconds(time: Timestamp | undefined): number {
  return Number(time?.seconds ?? 0);
}

/** Returns a model's name in this API. */
export function toModelName(id: string, { modelPrefix }: Pick<ResponseOptions, "modelPrefix">): string {
  return modelPrefix !== "" && id.startsWith(modelPrefix) ? id.slice(modelPrefix.length) : id;
}
