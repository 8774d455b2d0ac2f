import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { applyAdaptations } from "../../src/chat/planning/apply-adaptations.ts";
import { adaptOutgoing, startDraft } from "../../src/chat/planning/draft.ts";
import { dropForeignState } from "../../src/chat/planning/drop-foreign-state.ts";
import { fitContent } from "../../src/chat/planning/fit-content.ts";
import type { ChatEvent } from "../../src/chat/stream/events.ts";
import { started } from "../../src/chat/stream/events.ts";
import { createFold } from "../../src/chat/stream/fold.ts";
import { createStreamValidator } from "../../src/chat/stream/stream-validator.ts";
import { requestViolations } from "../../src/chat/validation/request-rules.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import type { ChatCompletion } from "../../src/gen/dragoman/v1/completion_pb.js";
import { type Message, MessageSchema } from "../../src/gen/dragoman/v1/message_pb.js";
import type { Model } from "../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import { startCall, type UpstreamCall } from "../../src/upstream/upstream-call.ts";
import { replayRequest } from "../contract/replay-request.ts";

/** Starts an upstream call whose response a test plays. */
export function playedCall({ provider, providerModel }: Model): UpstreamCall {
  const attempt = create(AttemptSchema, { provider, providerModel });
  return startCall({
    signal: new AbortController().signal,
    holder: "account:a",
    attempt,
    queue: { waitsFor: undefined },
  });
}

/** Returns the completion of a response, and checks the order of its events. */
export function completionOf(events: readonly ChatEvent[]): ChatCompletion {
  const fold = createFold();
  const validator = createStreamValidator();
  for (const event of [started(), ...events]) {
    validator.accept(event);
    fold.add(event);
  }
  validator.end();
  return fold.completion;
}

/** Returns the upstream body of the next request of a conversation, and the warnings about content left out. */
export function nextBody(completion: ChatCompletion, adapter: Adapter, model: Model) {
  const overWire = (message: Message) => fromBinary(MessageSchema, toBinary(MessageSchema, message));
  const asked = replayRequest(model.id, completion, {});
  const request = { ...asked, messages: asked.messages.map(overWire) };
  const violations = requestViolations(request, 250_000);
  const own = typeof adapter.accepts === "function" ? adapter.accepts(model) : adapter.accepts;
  const target = { model, dialect: adapter.dialect, accepts: own ?? new Set() };
  const fitted = dropForeignState(fitContent(startDraft(request), target), target);
  const draft = applyAdaptations(adaptOutgoing(fitted, adapter.checkSupport(fitted.request, model)));
  const leftOut = draft.warnings.filter(({ reason }) => reason === "LEFT_OUT");
  return { body: JSON.parse(stringifyExact(adapter.describe(draft.request, model))), violations, leftOut };
}
