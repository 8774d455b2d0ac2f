import type { ExtraFields } from "../../chat/planning/extra-fields.ts";
import { optionsAreOff } from "../../chat/planning/provider-options.ts";
import { type FieldViolation, invalidRequest, mostViolations } from "../../errors.ts";
import { toStruct } from "../kit/json-values.ts";
import { misspelledHint, type PropertyHints } from "../kit/property-hints.ts";
import { countedBody, type MessagesBody, translatedNames } from "./body.ts";
import { anthropic } from "./claude.ts";

/** What to write instead of the names of other APIs. */
const hints: PropertyHints = {
  betas: "send the header anthropic-beta",
  extra_body: "write its fields at the top level of the body",
  functions: "write tools",
  max_completion_tokens: "write max_tokens",
  max_output_tokens: "write max_tokens",
  prompt: "write messages",
  reasoning_effort: "write output_config.effort",
  response_format: "write output_config.format",
  stop: "write stop_sequences",
  user: "write metadata.user_id",
};

const outputNames: ReadonlySet<string> = new Set(["effort", "format"]);

/**
 * Returns the fields of a body that ChatRequest lacks. Throws INVALID_REQUEST for one that is nearly the name of a field
 * of this API, and for each one if the operator has turned provider options off.
 */
export function readExtraFields(
  body: MessagesBody,
  rejectsOptions: boolean,
): Pick<ExtraFields, "fields" | "isDocumented" | "dialect"> {
  const fields: [string, unknown][] = [];
  const wrong: FieldViolation[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined || translatedNames.has(name)) continue;
    const isKnown = Object.hasOwn(countedBody.shape, name);
    const hint = isKnown || wrong.length >= mostViolations ? undefined : misspelledHint(countedBody, name, hints);
    const description = hint ? `is not a property of this API; ${hint}` : rejectsOptions ? optionsAreOff : undefined;
    if (description === undefined) fields.push([name, value]);
    else wrong.push({ root: "body", field: [name], description, ...(hint && { rule: "unknown_property" }) });
  }
  if (wrong.length > 0) throw invalidRequest(wrong);
  const output = Object.entries(body.output_config ?? {}).filter(
    ([name, value]) => !outputNames.has(name) && value !== null && value !== undefined,
  );
  if (output.length > 0 && !rejectsOptions) fields.push(["output_config", Object.fromEntries(output)]);
  return { fields: toStruct(Object.fromEntries(fields), []), isDocumented: () => false, dialect: anthropic };
}
