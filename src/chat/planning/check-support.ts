import { mostViolations } from "../../errors.ts";
import type { Adaptation } from "./adaptations.ts";
import { capabilityAdaptations } from "./capabilities.ts";
import { contentAdaptations } from "./check-content.ts";
import { adapt, adaptOutgoing, type Draft } from "./draft.ts";
import { isCheckable, loosensFormat } from "./emulate-schema.ts";
import type { PlanningContext } from "./planning-context.ts";
import { profileAdaptations } from "./profile.ts";
import { providerToolAdaptations } from "./provider-tools.ts";
import { systemAdaptations } from "./system-text.ts";

/**
 * Collects the adaptations for fields that the profile, model or provider does not support.
 *
 * Checks the outgoing request, including fields that Dragoman added. Warnings and errors name the caller's fields,
 * whose indexes may be different.
 */
export function checkSupport(draft: Draft, context: PlanningContext): Draft {
  const { asked, request } = draft;
  const { model, profile, profileTexts: texts, words } = context;
  const found = untilRejected([
    profileAdaptations(request, model, profile, { texts, words }),
    capabilityAdaptations(request, model),
    request.tools.length === 0 ? [] : providerToolAdaptations(request, context),
    contentAdaptations(request, context),
    context.checkSupport(request),
  ]);
  const checked = adaptOutgoing(adapt(draft, systemAdaptations(draft, context)), found);
  const isLoosened = found.some(loosensFormat) && isCheckable(asked.outputFormat);
  return isLoosened ? { ...checked, checksSchema: true } : checked;
}

/** Collects adaptations. Ends after as many REJECTED ones as an error names: the request fails anyway. */
function untilRejected(sources: readonly Iterable<Adaptation>[]): readonly Adaptation[] {
  const found: Adaptation[] = [];
  let rejected = 0;
  for (const source of sources) {
    for (const adaptation of source) {
      found.push(adaptation);
      if (adaptation.kind === "REJECTED" && ++rejected === mostViolations) return found;
    }
  }
  return found;
}
