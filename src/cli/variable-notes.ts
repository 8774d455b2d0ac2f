import type { Environment } from "../config/environment.ts";
import { unknownVariables } from "../config/unknown-variables.ts";
import { providers } from "../providers/registry.ts";

/** Returns a line for each variable that looks like one of Dragoman's, and has no effect. */
export function notesOn(environment: Environment): readonly string[] {
  return unknownVariables(environment, providers).map((note) => `dragoman: ${note}\n`);
}
