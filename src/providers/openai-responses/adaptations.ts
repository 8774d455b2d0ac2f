import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaIn, type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { safetyIdentifierLimit } from "../chat-completions/adaptations.ts";
import { askedFields, effortOf, pathOf } from "../chat-completions/fields.ts";
import { effortRejected, leftOut, lostThought, rejected, unsupported } from "../kit/adaptations.ts";
import { mediaProblem } from "./content.ts";
import { hasField, rulesOf, takes } from "./fields.ts";
import { isStored } from "./input.ts";
import { imageItem, isInCall, reasoningItem, serverItem } from "./replay.ts";
import type { ResponsesServer } from "./server.ts";

/** Least `max_output_tokens`: OpenAI rejects less with `integer_below_min_value`. */
const leastOutputTokens = 16;

/** Reports what the model or the API does not support in the request. `provider` is the key of the options. */
export function checkSupport(
  request: ChatRequest,
  model: Model,
  server: ResponsesServer,
  provider: string,
): readonly Adaptation[] {
  return [
    ...fieldAdaptations(request, model, server),
    ...messageAdaptations(request, server, provider),
    ...leftOut(request, {
      name: `${server.title}'s Responses API does not support names of messages; they are dropped`,
      cacheHint: `${server.title} has no cache hints for this model; they are dropped`,
    }),
  ];
}

function* fieldAdaptations(request: ChatRequest, model: Model, server: ResponsesServer): Generator<Adaptation> {
  const { title } = server;
  const rules = rulesOf(model, server);
  const subject = `the model ${model.providerModel}`;
  for (const [field] of askedFields(request)) {
    // Dragoman sends one request per choice: see `Adapter.maxChoices`.
    if (field === "parameters.n" || takes(field, request, rules)) continue;
    const who = hasField(field) ? subject : `${title}'s Responses API`;
    yield unsupported(pathOf(field, request), `${who} does not support ${field}`);
  }
  const { parameters, outputFormat, user } = request;
  if ((parameters?.maxOutputTokens ?? leastOutputTokens) < leastOutputTokens) {
    const message = `${title}'s Responses API has an output limit of at least ${leastOutputTokens} tokens`;
    yield { kind: "ADJUSTED", field: ["parameters", "max_output_tokens"], message, set: leastOutputTokens };
  }
  const effort = effortOf(request);
  if (rules && effort !== undefined && model.reasoningEfforts.length === 0 && !rules.efforts.includes(effort)) {
    yield effortRejected(subject, rules.efforts);
  }
  if (outputFormat?.format.case === "regex") {
    yield rejected(["output_format", "regex"], `${title} does not support regex output`);
  }
  if (user.length > safetyIdentifierLimit) {
    yield unsupported(["user"], `${title} supports at most ${safetyIdentifierLimit} characters in user`);
  }
}

function* messageAdaptations(
  request: ChatRequest,
  { title }: ResponsesServer,
  provider: string,
): Generator<Adaptation> {
  const stored = isStored(request.providerOptions[provider]);
  for (const placed of partsOf(request.messages)) {
    const { path, message } = placed;
    const isAssistants = message.role === Role.ASSISTANT;
    for (const { media, path: place } of isAssistants ? [] : mediaIn(placed)) {
      const problem = mediaProblem(media);
      if (problem !== undefined) yield rejected(place, `${title}'s Responses API ${problem}`);
    }
    if (isAssistants && !isSent(placed)) {
      yield { kind: "LEFT_OUT", field: path, message: `${title} does not accept this part back; it is not sent` };
    }
  }
  yield* lostThought(
    request.messages,
    ({ part }) => reasoningItem(part, stored) === undefined,
    `${title} accepts only its own reasoning back; other reasoning is dropped`,
  );
}

/** Whether the API gets a part of an earlier response. `lostThought` is about reasoning. */
function isSent({ part }: PlacedPart): boolean {
  switch (part.kind.case) {
    case "media":
      return imageItem(part) !== undefined;
    case "serverToolCall":
      return serverItem(part) !== undefined;
    case "serverToolResult":
      return isInCall(part) || serverItem(part) !== undefined;
    default:
      return true;
  }
}
