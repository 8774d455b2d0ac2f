import { capabilityAdaptations } from "./capabilities.ts";
import { adapt, adaptOutgoing, type Draft } from "./draft.ts";
import { isCheckable, loosensFormat } from "./emulate-schema.ts";
import type { PlanningContext } from "./planning-context.ts";
import { profileAdaptations } from "./profile.ts";
import { systemAdaptations } from "./system-text.ts";

/**
 * Finds what profile, model and provider cannot do of the request.
 *
 * On the request as it goes out, so that what Dragoman added is checked like the rest. The one place where fields of the
 * outgoing messages become the caller's.
 */
export function checkSupport(draft: Draft, context: PlanningContext): Draft {
  const { asked, request } = draft;
  const { model, profile } = context;
  const found = [
    ...profileAdaptations(request, model, profile),
    ...capabilityAdaptations(request, model),
    ...context.checkSupport(request),
  ];
  const checked = adaptOutgoing(adapt(draft, [...systemAdaptations(draft, context)]), found);
  const isLoosened = found.some(loosensFormat) && isCheckable(asked.outputFormat);
  return { ...checked, checksSchema: draft.checksSchema || isLoosened };
}
