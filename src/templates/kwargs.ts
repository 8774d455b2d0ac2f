import { invalidRequest } from "../errors.ts";
import { ownNames } from "./render-strictly.ts";

export type Kwargs = Readonly<Record<string, unknown>>;

/** The variables that a template has by itself: chat_template_kwargs do not take their place. */
const ownVariables: ReadonlySet<string> = new Set([...ownNames, "messages", "bos_token", "eos_token"]);

/** Set for stock templates, and a free name for callers': theirs say themselves where the answer begins. */
const stockVariable = "add_generation_prompt";

/** Whether a name is a stock or a caller's template's own. */
export function isOwnName(name: string, isStock: boolean): boolean {
  return ownVariables.has(name) || (isStock && name === stockVariable);
}

/** The variables of chat_template_kwargs. Throws INVALID_REQUEST for each name that is taken. */
export function checkKwargs(kwargs: Kwargs | undefined, isStock: boolean): Kwargs {
  const taken = Object.keys(kwargs ?? {}).filter((name) => isOwnName(name, isStock));
  if (taken.length === 0) return kwargs ?? {};
  throw invalidRequest(
    taken.map((name) => ({
      field: ["chat_template_kwargs", name],
      description: `${name} is a name of the template's own; give the variable another one`,
    })),
  );
}
