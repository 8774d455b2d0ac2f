import type { ChatEvent } from "../../chat/stream/events.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { ChatCompleted, ChatStarted, ChoiceFinished, PartDelta } from "../../gen/dragoman/v1/stream_pb.js";
import { customInput } from "../kit/custom-tools.ts";
import { present } from "../kit/parse-request.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import { ContentText, metadataField, responseMetadata } from "./annotations.ts";
import { OutputMedia } from "./output-media.ts";
import {
  logprobFields,
  type ResponseContext,
  type ResponseOptions,
  toFinishReason,
  toModelName,
  toSeconds,
  toTimes,
  toUsage,
} from "./response.ts";

const hasField: ReadonlySet<PartDelta["delta"]["case"]> = new Set(["text", "reasoning", "refusal", "toolCall"]);

/** Makes the translator of one stream. It returns the `chat.completion.chunk` objects of each event. */
export function createChunks(
  options: ResponseOptions,
  context: ResponseContext,
): (event: ChatEvent) => readonly ServerSentEvent[] {
  let envelope = {};
  let createTime: ChatStarted["createTime"];
  // Chunk with the finish reason of a choice, held until the next event. The stream's last chunk also gets the final
  // fields, such as usage.
  let last: object | undefined;
  const contents = new Map<number, ContentText>();
  const medias = new Map<number, OutputMedia>();
  const toolIndexes = new Map<number, Map<number, number>>();
  // Arguments of the calls of custom tools, by choice and index: JSON whose text is the input.
  const customCalls = new Map<number, Map<number, string>>();
  let outputTokens = 0;

  const chunk = (choices: readonly object[], usage: object | null = runningUsage()) => ({
    ...envelope,
    choices,
    ...((usage !== null || (options.usageApart && context.includeUsage)) && { usage }),
  });

  /**
   * Returns the usage so far. Prompt tokens are 0 until the end, when the provider reports them. A delta without log
   * probabilities counts as one output token, the minimum, so that the counts never decrease.
   */
  function runningUsage(): object | null {
    if (!context.continuousUsage) return null;
    return { prompt_tokens: 0, completion_tokens: outputTokens, total_tokens: outputTokens };
  }

  function flush(): readonly ServerSentEvent[] {
    const held = last === undefined ? [] : [{ data: last }];
    last = undefined;
    return held;
  }

  function begin(started: ChatStarted): readonly ServerSentEvent[] {
    createTime = started.createTime;
    envelope = {
      id: started.id,
      object: "chat.completion.chunk",
      created: toSeconds(createTime),
      model: toModelName(started.model, options),
      ...present({ system_fingerprint: options.noFingerprint }),
    };
    const delta = { role: "assistant", content: options.firstContent, ...(options.refusals && { refusal: null }) };
    return Array.from({ length: context.choices }, (_, index) => ({ data: chunk([toChoice(index, delta)]) }));
  }

  function toChoice(index: number, delta: object, finishReason: string | null = null): object {
    return { index, delta, ...(options.nulls && { logprobs: null }), finish_reason: finishReason };
  }

  function extend(part: PartDelta): readonly ServerSentEvent[] {
    const { choiceIndex: index, delta, logprobs } = part;
    if (delta.case === "media" && options.media) return extendMedia(part, delta.value);
    if (delta.case === "citation" && options.annotations) contentOf(index).cited(part.partIndex, delta.value);
    // Skip a delta that contains only what these APIs have no field for.
    if (logprobs === undefined && isEmpty(delta)) return [];
    outputTokens += logprobs?.tokens.length || 1;
    return [{ data: chunk([{ ...toChoice(index, toDelta(part)), ...toLogProbs(part) }]) }];
  }

  function extendMedia(part: PartDelta, value: Media): readonly ServerSentEvent[] {
    const { choiceIndex, partIndex, providerState, logprobs } = part;
    const media = medias.get(choiceIndex) ?? new OutputMedia(choiceIndex);
    medias.set(choiceIndex, media);
    const fields = media.add(partIndex, value, providerState);
    if (fields === undefined && logprobs === undefined) return [];
    return [{ data: chunk([{ ...toChoice(choiceIndex, fields ?? {}), ...toLogProbs(part) }]) }];
  }

  function isEmpty({ case: kind, value }: PartDelta["delta"]): boolean {
    return kind === "reasoning" ? value.text === "" : !hasField.has(kind);
  }

  function toLogProbs({ delta, logprobs }: PartDelta): object {
    if (logprobs === undefined) return {};
    if (delta.case === "reasoning") return logprobFields({}, logprobs, options, context);
    const spoken = delta.case === "refusal" ? { refusal: logprobs } : { content: logprobs };
    return logprobFields(spoken, undefined, options, context);
  }

  function toDelta({ choiceIndex, partIndex, delta }: PartDelta): object {
    switch (delta.case) {
      case "text":
        if (options.annotations) contentOf(choiceIndex).wrote(partIndex, delta.value);
        return { content: delta.value };
      case "refusal":
        return options.refusals ? { refusal: delta.value } : { content: delta.value };
      case "reasoning":
        return { [options.reasoning]: delta.value.text };
      case "toolCall": {
        const { id, name, argumentsJson } = delta.value;
        const index = toolIndexOf(choiceIndex, partIndex);
        const isFirst = id !== "";
        const custom = customCalls.get(choiceIndex);
        if (custom?.has(index) || context.customTools.has(name)) {
          const inputs = custom ?? new Map<number, string>();
          customCalls.set(choiceIndex, inputs.set(index, (inputs.get(index) ?? "") + argumentsJson));
          return isFirst ? { tool_calls: [{ index, id, type: "custom", custom: { name, input: "" } }] } : {};
        }
        return {
          tool_calls: [
            {
              index,
              ...(isFirst && { id }),
              ...((isFirst || options.typedFragments) && { type: "function" }),
              function: { ...(isFirst && { name }), arguments: argumentsJson },
            },
          ],
        };
      }
      case "citation":
      case "media":
      case "serverToolCall":
      case "serverToolResult":
      case undefined:
        return {};
      default:
        return delta satisfies never;
    }
  }

  function contentOf(choiceIndex: number): ContentText {
    const content = contents.get(choiceIndex) ?? new ContentText();
    contents.set(choiceIndex, content);
    return content;
  }

  function toolIndexOf(choiceIndex: number, partIndex: number): number {
    const indexes = toolIndexes.get(choiceIndex) ?? new Map<number, number>();
    toolIndexes.set(choiceIndex, indexes);
    const index = indexes.get(partIndex) ?? indexes.size;
    indexes.set(partIndex, index);
    return index;
  }

  function finish({
    choiceIndex,
    finishReason,
    sources,
    providerMetadataJson,
  }: ChoiceFinished): readonly ServerSentEvent[] {
    const before = flush();
    // Clients that join deltas keep the last list of annotations, or require an index in each later one: send one list.
    const content = contentOf(choiceIndex);
    const annotations = options.annotations ? [...content.held(), ...content.annotations(sources)] : [];
    const delta = annotations.length > 0 ? { annotations } : {};
    const metadata = options.annotations ? metadataField(providerMetadataJson) : {};
    const calls = [...(customCalls.get(choiceIndex) ?? [])].map(([index, json]) => ({
      tool_calls: [{ index, custom: { input: customInput(json) } }],
    }));
    const rest = [...calls, medias.get(choiceIndex)?.end()].filter((one) => one !== undefined);
    const ends = rest.map((held) => ({ data: chunk([toChoice(choiceIndex, held)]) }));
    last = chunk([{ ...toChoice(choiceIndex, delta, toFinishReason(finishReason)), ...metadata }]);
    return [...before, ...ends];
  }

  function end(completed: ChatCompleted): readonly ServerSentEvent[] {
    const { usage, timeInfo, systemFingerprint, serviceTier, providerMetadataJson } = completed;
    const facts = {
      ...present({ system_fingerprint: systemFingerprint || options.noFingerprint }),
      ...context.tierFields(serviceTier),
      ...(options.annotations && responseMetadata(providerMetadataJson)),
    };
    const counted = (context.includeUsage || context.continuousUsage) && usage ? toUsage(usage) : undefined;
    const final = last && {
      ...last,
      ...facts,
      ...(!options.usageApart && counted && { usage: counted }),
      ...(options.times && context.includeUsage && { time_info: toTimes(timeInfo, createTime) }),
    };
    const apart = options.usageApart && counted && { ...chunk([], counted), ...facts };
    return [final, apart].flatMap((data) => (data ? [{ data }] : []));
  }

  return (event) => {
    switch (event.case) {
      case "started":
        return begin(event.value);
      case "delta":
        return [...flush(), ...extend(event.value)];
      case "finished":
        return finish(event.value);
      case "completed":
        return end(event.value);
      default:
        return event satisfies never;
    }
  };
}
