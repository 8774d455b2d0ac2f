import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ChatCompletion, type Choice, FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import type { PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import { toServiceTier } from "../openai-shape/service-tier.ts";
import { splitTokens } from "./logprobs.ts";
import { ResponseOutput } from "./output.ts";
import type { ToolNames } from "./tool-names.ts";
import type { ResponseFacts, ResponseUsage } from "./wire.ts";

/** What the response needs of its request. */
export interface ResponseContext {
  /** Fields that the response repeats from the request. */
  readonly echo: object;
  readonly toolNames: ToolNames;
  /** Requested service tier. Empty: none. */
  readonly serviceTier: string;
}

/** Returns the part of an id that is the same in the ids of the response and its items. */
export function baseOf(callId: string): string {
  return callId.replace(/^.*-/, "");
}

/** Joins the facts of a response with what it repeats from the request. */
export function toResponseObject({ id, ...facts }: ResponseFacts, echo: object): object {
  const none = { background: false, previous_response_id: null, access_programs: null };
  return { id, object: "response", ...facts, ...echo, ...none };
}

/** Translates a whole response. */
export function toResponse(
  completion: ChatCompletion,
  { echo, toolNames, serviceTier: requestedTier }: ResponseContext,
): object {
  const base = baseOf(completion.id);
  const output = new ResponseOutput(base, toolNames, () => {});
  const [choice] = completion.choices;
  const finishReason = choice?.finishReason ?? FinishReason.STOP;
  if (choice) addChoice(output, choice);
  const end = endOf(finishReason, output.isRefused);
  output.finish({ sources: choice?.sources ?? [] }, end.status === "incomplete");
  const { createTime, timeInfo, usage, serviceTier, model } = completion;
  const createdMs = createTime ? timestampMs(createTime) : 0;
  const facts: ResponseFacts = {
    id: `resp_${base}`,
    created_at: Math.floor(createdMs / 1000),
    completed_at: completedAt(createdMs, timeInfo?.totalDuration, end.status),
    ...end,
    error: null,
    model,
    output: output.items,
    usage: usage ? toUsage(usage) : null,
    service_tier: toServiceTier(serviceTier) ?? toServiceTier(requestedTier) ?? null,
    ...metadataOf(completion.providerMetadataJson, choice?.providerMetadataJson),
  };
  return toResponseObject(facts, echo);
}

/** Adds a whole choice in the order of its parts: one delta for each part, then its citations. */
function addChoice(output: ResponseOutput, { message, logprobs }: Choice): void {
  let rest = logprobs;
  const parts = message?.parts ?? [];
  const lastSpoken = parts.findLastIndex(({ kind }) => kind.case === "text" || kind.case === "refusal");
  for (const [partIndex, part] of parts.entries()) {
    const delta: PartDelta = {
      $typeName: "dragoman.v1.PartDelta",
      choiceIndex: 0,
      partIndex,
      delta: deltaOf(part.kind),
      ...(part.providerState && { providerState: part.providerState }),
    };
    if (rest && (part.kind.case === "text" || part.kind.case === "refusal")) {
      const length = partIndex === lastSpoken ? Number.POSITIVE_INFINITY : part.kind.value.length;
      [delta.logprobs, rest] = splitTokens(rest, length);
    }
    output.add(delta);
    for (const value of part.citations) output.add({ ...delta, delta: { case: "citation", value } });
  }
}

/** Parts of the caller's messages are never in a response. */
function deltaOf(kind: Part["kind"]): PartDelta["delta"] {
  return kind.case === "toolResult" || kind.case === "searchResult" ? { case: undefined } : kind;
}

/** Returns the status of a response, and why it is incomplete. A refusal is a complete response. */
export function endOf(
  finishReason: FinishReason,
  isRefused: boolean,
): Pick<ResponseFacts, "status" | "incomplete_details"> & { readonly status: "completed" | "incomplete" } {
  if (finishReason === FinishReason.LENGTH) {
    return { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
  }
  if (finishReason === FinishReason.CONTENT_FILTER && !isRefused) {
    return { status: "incomplete", incomplete_details: { reason: "content_filter" } };
  }
  return { status: "completed", incomplete_details: null };
}

/** Returns the Unix time in seconds at which a response was complete. Null if it is not, or if the time is unknown. */
export function completedAt(
  createdMs: number,
  duration: { readonly seconds: bigint; readonly nanos: number } | undefined,
  status: ResponseFacts["status"],
): number | null {
  if (duration === undefined || status !== "completed") return null;
  return Math.floor((createdMs + Number(duration.seconds) * 1000 + duration.nanos / 1e6) / 1000);
}

export function toUsage(usage: Usage): ResponseUsage {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens ?? 0,
      cache_write_tokens: usage.cacheWriteInputTokens ?? 0,
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.totalTokens,
  };
}

/** Returns `provider_metadata`, which OpenAI does not have: the facts of the choice and of the response. */
export function metadataOf(...texts: readonly (string | undefined)[]): Pick<ResponseFacts, "provider_metadata"> {
  const facts = texts.flatMap((json) => (json ? [JSON.parse(json)] : []));
  return facts.length === 0 ? {} : { provider_metadata: Object.assign({}, ...facts) };
}
