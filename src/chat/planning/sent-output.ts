import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import { fitSchema } from "./schema/fit-schema.ts";
import type { MovedKeyword, SchemaTarget } from "./schema/schema-rules.ts";

/** How to send an output schema. */
interface SentOutput {
  readonly json: string;
  /** Whether the API constrains the output only if `strict` is true, and cannot do so for this schema. */
  readonly loose: boolean;
  readonly moved: readonly MovedKeyword[];
  /** Why the API cannot constrain the output to the schema. */
  readonly unfit?: string;
}

/** Returns how to send an output schema, or why the API cannot get it at all. */
export function sentOutput(
  format: OutputFormat["format"],
  target: SchemaTarget["output"],
): SentOutput | { readonly unsendable: string } | undefined {
  if (format.case !== "jsonSchema" || target === undefined) return undefined;
  const { schemaJson, strict } = format.value;
  const isConstrained = target.when === "always" || strict === true;
  const fitted = isConstrained ? fitSchema(schemaJson, target.constrained) : undefined;
  if (fitted !== undefined && !("unfit" in fitted)) return { ...fitted, loose: false };
  if (isConstrained && target.when === "always") return { unsendable: fitted?.unfit ?? "" };
  const other = fitSchema(schemaJson, target.other ?? {});
  if ("unfit" in other) return { unsendable: other.unfit };
  return { ...other, loose: isConstrained, ...(fitted && { unfit: fitted.unfit }) };
}
