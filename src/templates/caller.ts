import { type FieldViolation, invalidRequest } from "../errors.ts";
import type { Claimant } from "../fair-slots.ts";
import { checkKwargs, type Kwargs } from "./kwargs.ts";
import type { TemplateMessage } from "./messages.ts";
import type { TemplateSandbox } from "./sandbox.ts";
import type { TemplateFamily } from "./template-families.ts";

/** A chat template from the caller, and its variables. */
interface CallerTemplate {
  /** Jinja source. */
  readonly source: string;
  readonly messages: readonly TemplateMessage[];
  readonly kwargs: Kwargs | undefined;
  /** Undefined: unknown. Then the template gets no special tokens, and system messages can be anywhere. */
  readonly family: Pick<TemplateFamily, "bosToken" | "eosToken" | "showsBosToken" | "systemOnlyFirst"> | undefined;
}

/**
 * Renders a caller's template to the exact prompt. Throws INVALID_REQUEST for a wrong template or an empty prompt.
 *
 * The template can use `messages`; `bos_token` and `eos_token`, if its family provides them (Scale EGP chat completions
 * API); and the variables in chat_template_kwargs (Scale EGP deployments API). Any other variable is an error.
 */
export async function renderCallerTemplate(
  sandbox: TemplateSandbox,
  { source, messages, kwargs, family }: CallerTemplate,
  claimant: Claimant,
): Promise<string> {
  const violations = family?.systemOnlyFirst ? misplacedSystem(messages) : [];
  if (violations.length > 0) throw invalidRequest(violations);
  const variables = {
    messages,
    ...(family?.showsBosToken && family.bosToken !== undefined && { bos_token: family.bosToken }),
    ...(family && { eos_token: family.eosToken }),
    ...checkKwargs(kwargs, false),
  };
  const prompt = await sandbox.render({ source, variables }, claimant);
  if (prompt === "") {
    throw invalidRequest([
      { field: ["chat_template"], description: "renders an empty prompt; add text to the template" },
    ]);
  }
  return prompt;
}

function misplacedSystem(messages: readonly TemplateMessage[]): readonly FieldViolation[] {
  return messages.flatMap(({ role }, index) => {
    if (index === 0 || role !== "system") return [];
    const description = "this model's chat template allows a system message only as the first message; move it there";
    return [{ field: ["messages", index, "role"], description }];
  });
}
