import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaIn, type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import { mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { SearchResult } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { rejected, unsupported } from "../kit/adaptations.ts";
import { lostCitations } from "../kit/citations.ts";
import { splitBetas } from "./betas.ts";
import { isDocument, mediaForm } from "./media.ts";
import { isServerPart, toServerBlock } from "./server-blocks.ts";

/** Reports what the API does not accept of search results, files, citations and blocks of its own tools. */
export function* contentAdaptations(request: ChatRequest, { provider }: Model): Generator<Adaptation> {
  if (splitBetas(request, provider).betas === undefined) {
    const message = 'must be a list of names of betas, such as ["context-1m-2025-08-07"]';
    yield rejected(["provider_options", provider, "betas"], message);
  }
  let leftOut = 0;
  for (const placed of partsOf(request.messages)) {
    yield* mediaAdaptations(placed);
    yield* searchAdaptations(placed);
    const { part, path } = placed;
    if (isServerPart(part) && toServerBlock(part, {}) === undefined && ++leftOut <= mostViolations) {
      const message = "Anthropic accepts only blocks of its own tools that have their provider_state; it is not sent";
      yield { kind: "LEFT_OUT", field: path, message };
    }
  }
  yield* lostCitations(request.messages, "Anthropic");
}

function* mediaAdaptations(placed: PlacedPart): Generator<Adaptation> {
  for (const { media, path } of mediaIn(placed)) {
    const form = mediaForm(media);
    if (form === "upload" && placed.part.kind.case === "toolResult") {
      yield rejected(path, "Anthropic supports only images and documents in tool results; put the file into a message");
    }
    if (media.citable === true && form !== undefined && !isDocument(form)) {
      yield unsupported([...path, "citable"], "Anthropic cites only documents; citable is ignored");
    }
  }
}

function* searchAdaptations({ part: { kind }, path }: PlacedPart): Generator<Adaptation> {
  if (kind.case === "searchResult") yield* blankTexts(kind.value, [...path, "search_result"]);
  if (kind.case !== "toolResult") return;
  for (const [index, inner] of kind.value.parts.entries()) {
    if (inner.kind.case !== "searchResult") continue;
    yield* blankTexts(inner.kind.value, [...path, "tool_result", "parts", index, "search_result"]);
  }
}

/** Rejects blank texts. To omit them would change the indexes that citations have. */
function* blankTexts({ texts }: SearchResult, path: FieldPath): Generator<Adaptation> {
  const blank = texts.findIndex((text) => text.trim() === "");
  if (blank >= 0)
    yield rejected([...path, "texts", blank], "Anthropic rejects blank text in search results: remove it");
}
