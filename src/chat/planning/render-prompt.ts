import type { Draft } from "./draft.ts";
import { callersError } from "./origins.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Writes the raw prompt, for providers that are sent one. An error about the outgoing messages names the caller's.
 *
 * After the adaptations: the prompt shows what is sent.
 */
export async function renderPrompt(draft: Draft, context: Pick<PlanningContext, "renderPrompt">): Promise<Draft> {
  try {
    return { ...draft, prompt: await context.renderPrompt(draft.request) };
  } catch (error) {
    throw callersError(draft.origins, error);
  }
}
