import type { Draft } from "./draft.ts";
import { callersError } from "./origins.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Renders the raw prompt, for providers that require one. Errors name the caller's fields, not those of the outgoing
 * messages.
 *
 * Runs after `applyAdaptations`, so that the prompt contains no dropped fields.
 */
export async function renderPrompt(draft: Draft, context: Pick<PlanningContext, "renderPrompt">): Promise<Draft> {
  try {
    return { ...draft, prompt: await context.renderPrompt(draft.request) };
  } catch (error) {
    throw callersError(draft.origins, error);
  }
}
