import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { Pace } from "../../pace.ts";
import { advise } from "./advise.ts";
import { keepAllowedTools } from "./allowed-tools.ts";
import { applyAdaptations } from "./apply-adaptations.ts";
import { mapCallIds } from "./call-ids.ts";
import { checkSupport } from "./check-support.ts";
import { completeText } from "./complete-text.ts";
import { placeDeploymentParameters } from "./deployment-parameters.ts";
import { type Draft, startDraft } from "./draft.ts";
import { dropBlankText } from "./drop-blank-text.ts";
import { dropForeignState } from "./drop-foreign-state.ts";
import { emulateSchema } from "./emulate-schema.ts";
import { emulateStops } from "./emulate-stops.ts";
import { fillDefaults } from "./fill-defaults.ts";
import { fitContent } from "./fit-content.ts";
import { fitReasoning } from "./fit-reasoning.ts";
import { fitSchemas } from "./fit-schemas.ts";
import { fitWindow } from "./fit-window.ts";
import { leaveOutLearned } from "./leave-out-learned.ts";
import { keepLastMessages } from "./memory.ts";
import { moveResultMedia } from "./move-result-media.ts";
import { normalizeMedia } from "./normalize-media.ts";
import { orderResults } from "./order-results.ts";
import { placeExtraFields } from "./place-extra-fields.ts";
import { placeTools } from "./place-tools.ts";
import type { PlanningContext } from "./planning-context.ts";
import { renderPrompt } from "./render-prompt.ts";
import { scopeCacheKey } from "./scope-cache-key.ts";
import { placeSystemText } from "./system-text.ts";
import { mapToolNames } from "./tool-names.ts";
import { replaceHalves } from "./whole-characters.ts";

type Step = (draft: Draft, context: PlanningContext) => Draft | Promise<Draft>;

/**
 * Steps that turn the caller's request into the outgoing one, in order. Each step documents the reason for its place.
 */
const steps: readonly Step[] = [
  replaceHalves,
  placeExtraFields,
  placeTools,
  fitReasoning,
  normalizeMedia,
  placeDeploymentParameters,
  completeText,
  keepAllowedTools,
  fillDefaults,
  emulateSchema,
  fitSchemas,
  keepLastMessages,
  orderResults,
  fitContent,
  dropForeignState,
  placeSystemText,
  dropBlankText,
  mapToolNames,
  moveResultMedia,
  fitWindow,
  mapCallIds,
  scopeCacheKey,
  leaveOutLearned,
  checkSupport,
  emulateStops,
  applyAdaptations,
  renderPrompt,
  advise,
];

/**
 * Runs all planning steps on a request. Throws the error of the first step that fails. Calls no provider. The steps of
 * a large request run in several turns of the event loop.
 */
export async function planRequest(asked: ChatRequest, context: PlanningContext): Promise<Draft> {
  const pace = new Pace();
  let draft = startDraft(asked);
  for (const step of steps) {
    const next = step(draft, context);
    // Most steps are synchronous, and an await would cost each of them a turn of the microtask queue.
    draft = next instanceof Promise ? await next : next;
    if (pace.isLong) await pace.nextTurn();
  }
  return draft;
}
