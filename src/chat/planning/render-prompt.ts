import type { Draft } from "./draft.ts";
import { callersError } from "./origins.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Renders the raw prompt, for providers that require one. Errors name the caller's fields, not those of the outgoing
 * messages.
 *
 * Runs after `applyAdaptations`, so that the prompt contains no dropped fields.
 */
export function renderPrompt(
  draft: Draft,
  { renderPrompt: render }: Pick<PlanningContext, "renderPrompt">,
): Draft | Promise<Draft> {
  return render === undefined ? draft : withPrompt(draft, render);
}

async function withPrompt(draft: Draft, render: NonNullable<PlanningContext["renderPrompt"]>): Promise<Draft> {
  try {
    return { ...draft, prompt: await render(draft.request) };
  } catch (error) {
    throw callersError(draft.origins, error);
  }
}
