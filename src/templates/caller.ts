import { type FieldViolation, invalidRequest } from "../errors.ts";
import type { Claimant } from "../fair-slots.ts";
import { checkKwargs, type Kwargs } from "./kwargs.ts";
import type { TemplateMessage, TemplateTool } from "./messages.ts";
import type { TemplateSandbox } from "./sandbox.ts";
import type { TemplateFamily } from "./template-families.ts";

/** A chat template from the caller, and its variables. */
interface CallerTemplate {
  /** Jinja source. */
  readonly source: string;
  readonly messages: readonly TemplateMessage[];
  readonly tools: readonly TemplateTool[];
  readonly kwargs: Kwargs | undefined;
  /** Undefined: unknown. Then the template gets no special tokens, and system messages can be anywhere. */
  readonly family: Pick<TemplateFamily, "bosToken" | "eosToken" | "showsBosToken" | "systemOnlyFirst"> | undefined;
}

const unknownToken = "Dragoman does not know its value for this model; configure template_family, or write the token";

/** Variables that only a family provides. */
const unknownValues = { bos_token: unknownToken, eos_token: unknownToken };

/**
 * Renders a caller's template to the exact prompt. Throws INVALID_REQUEST for a wrong template or an empty prompt.
 *
 * The template can use the variables of Hugging Face's `apply_chat_template`, so that the templates of real tokenizers
 * work: `messages`, `bos_token`, `eos_token`, `tools`, `documents` and `add_generation_prompt`. It can also use the
 * variables in chat_template_kwargs (Scale EGP deployments API). Any other variable is an error.
 */
export async function renderCallerTemplate(
  sandbox: TemplateSandbox,
  { source, messages, tools, kwargs, family }: CallerTemplate,
  claimant: Claimant,
): Promise<string> {
  const violations = family?.systemOnlyFirst ? misplacedSystem(messages) : [];
  if (violations.length > 0) throw invalidRequest(violations);
  const variables = {
    messages,
    ...(family && { bos_token: shownBosToken(family), eos_token: family.eosToken }),
    tools: tools.length > 0 ? tools : null,
    documents: null,
    add_generation_prompt: true,
    ...checkKwargs(kwargs, false),
  };
  const prompt = await sandbox.render({ source, variables, unknownValues }, claimant);
  if (prompt === "") {
    throw invalidRequest([
      { field: ["chat_template"], description: "renders an empty prompt; add text to the template" },
    ]);
  }
  return prompt;
}

/** Returns the value of `bos_token`. Empty if the family has none, or if only the inference engine adds it. */
function shownBosToken({ bosToken = "", showsBosToken }: Pick<TemplateFamily, "bosToken" | "showsBosToken">): string {
  return showsBosToken ? bosToken : "";
}

/** Whether a template mentions `bos_token` outside of comments, although the family's is not provided to templates. */
export function omitsBosToken(
  source: string,
  family: Pick<TemplateFamily, "bosToken" | "showsBosToken"> | undefined,
): boolean {
  if (family?.bosToken === undefined || family.showsBosToken) return false;
  const [first = "", ...commented] = source.split("{#");
  const code = [first, ...commented.map((text) => text.split("#}").slice(1).join("#}"))].join("");
  return /\bbos_token\b/.test(code);
}

function misplacedSystem(messages: readonly TemplateMessage[]): readonly FieldViolation[] {
  return messages.flatMap(({ role }, index) => {
    if (index === 0 || role !== "system") return [];
    const description = "this model's chat template allows a system message only as the first message; move it there";
    return [{ field: ["messages", index, "role"], description }];
  });
}
