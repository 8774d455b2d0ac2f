import { type FieldViolation, invalidRequest } from "../errors.ts";
import { checkKwargs, type Kwargs } from "./kwargs.ts";
import type { TemplateMessage } from "./messages.ts";
import type { TemplateSandbox } from "./sandbox.ts";
import type { TemplateFamily } from "./template-families.ts";

/** A caller's template and what it is shown. */
interface CallerTemplate {
  /** Jinja. */
  readonly source: string;
  readonly messages: readonly TemplateMessage[];
  readonly kwargs: Kwargs | undefined;
  /** Undefined when it is not known: then there are neither tokens nor rules for roles. */
  readonly family: Pick<TemplateFamily, "bosToken" | "eosToken" | "showsBosToken" | "systemOnlyFirst"> | undefined;
}

/**
 * The prompt that a caller's template makes, byte for byte. It sees the messages and, as far as its family has and shows
 * them, bos_token and eos_token (seeds 000 and 001), and chat_template_kwargs (seed 003); anything else is an error.
 */
export async function renderCallerTemplate(
  sandbox: TemplateSandbox,
  { source, messages, kwargs, family }: CallerTemplate,
  signal: AbortSignal,
): Promise<string> {
  const violations = family?.systemOnlyFirst ? misplacedSystem(messages) : [];
  if (violations.length > 0) throw invalidRequest(violations);
  const variables = {
    messages,
    ...(family?.showsBosToken && family.bosToken !== undefined && { bos_token: family.bosToken }),
    ...(family && { eos_token: family.eosToken }),
    ...checkKwargs(kwargs, false),
  };
  const prompt = await sandbox.render({ source, variables }, signal);
  if (prompt === "") {
    throw invalidRequest([{ field: ["chat_template"], description: "makes an empty prompt; write something" }]);
  }
  return prompt;
}

function misplacedSystem(messages: readonly TemplateMessage[]): readonly FieldViolation[] {
  return messages.flatMap(({ role }, index) => {
    if (index === 0 || role !== "system") return [];
    const description = "for this model's chat template only the first message can be a system message; move it there";
    return [{ field: ["messages", index, "role"], description }];
  });
}
