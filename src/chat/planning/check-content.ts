import { mostViolations } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { hasPart, mayHaveMedia, mediaIn, partsOf } from "./parts.ts";
import type { PlanningContext } from "./planning-context.ts";

type Context = Pick<PlanningContext, "model" | "accepts">;

/** Returns the adaptations for optional content that `fitContent` does not replace. */
export function* contentAdaptations(request: ChatRequest, context: Context): Generator<Adaptation> {
  const { model, accepts } = context;
  if (hasPart(request.messages, mayHaveMedia)) yield* mediaAdaptations(request, context);
  if (request.tools.length > 0) yield* toolOptions(request, context);
  if (!accepts.has("response_modalities")) {
    const { responseModalities, audioOutput } = request;
    if (responseModalities.some((modality) => modality !== Modality.TEXT)) {
      const message = `Dragoman can request only text from ${model.id}; other response modalities are ignored`;
      yield { kind: "UNSUPPORTED_PARAMETER", field: ["response_modalities"], message };
    }
    if (audioOutput !== undefined) {
      const message = `Dragoman cannot request audio output from ${model.id}`;
      yield { kind: "UNSUPPORTED_PARAMETER", field: ["audio_output"], message };
    }
  }
}

function* toolOptions({ tools }: ChatRequest, { model: { provider }, accepts }: Context): Generator<Adaptation> {
  if (accepts.has("tool_options")) return;
  const message = `Dragoman cannot send options of a tool to ${provider}; they are dropped`;
  for (const [index, { kind }] of tools.entries()) {
    if (kind.case !== "function" || Object.keys(kind.value.providerOptions[provider] ?? {}).length === 0) continue;
    const field = ["tools", index, "function", "provider_options"];
    yield { kind: "UNSUPPORTED_PARAMETER", field, message };
  }
}

function* mediaAdaptations({ messages }: ChatRequest, { model, accepts }: Context): Generator<Adaptation> {
  const all = () => partsOf(messages).flatMap(mediaIn);
  if (!accepts.has("file_ids")) {
    const message = `Dragoman cannot send file_id to ${model.provider}; send the bytes in data, or a url`;
    for (const { path } of all()
      .filter(({ media }) => media.source.case === "fileId")
      .take(mostViolations)) {
      yield { kind: "REJECTED", field: [...path, "file_id"], message };
    }
  }
  const citable = accepts.has("citable") ? undefined : all().find(({ media }) => media.citable === true);
  if (citable !== undefined) {
    const message = `Dragoman cannot request citations of documents from ${model.provider}; citable is ignored`;
    yield { kind: "UNSUPPORTED_PARAMETER", field: [...citable.path, "citable"], message };
  }
}
