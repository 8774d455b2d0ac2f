import { invalidRequest } from "../errors.ts";
import { ownNames } from "./render-strictly.ts";

export type Kwargs = Readonly<Record<string, unknown>>;

/** Variables of every template that chat_template_kwargs must not replace. */
const reservedNames: ReadonlySet<string> = new Set([...ownNames, "messages", "bos_token", "eos_token"]);

/** Reserved only in stock templates, for which Dragoman sets it. Callers' templates can use the name freely. */
const reservedInStock = "add_generation_prompt";

/** Returns whether a variable name is reserved, in stock templates (`isStock`) or in callers' templates. */
export function isOwnName(name: string, isStock: boolean): boolean {
  return reservedNames.has(name) || (isStock && name === reservedInStock);
}

/** Returns the variables in chat_template_kwargs. Throws INVALID_REQUEST with a violation for each reserved name. */
export function checkKwargs(kwargs: Kwargs | undefined, isStock: boolean): Kwargs {
  const reserved = Object.keys(kwargs ?? {}).filter((name) => isOwnName(name, isStock));
  if (reserved.length === 0) return kwargs ?? {};
  throw invalidRequest(
    reserved.map((name) => ({
      field: ["chat_template_kwargs", name],
      description: `the name ${name} is reserved by the chat template; rename the variable`,
    })),
  );
}
