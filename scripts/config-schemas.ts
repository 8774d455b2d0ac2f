import type { JsonForm } from "../src/config/json-forms.ts";
import { configJsonSchema } from "../src/config/json-schema.ts";
import { dialects } from "../src/providers/registry.ts";
import { chartValuesSchema } from "./chart-values-schema.ts";
import { withMeanings } from "./reference/with-meanings.ts";

/**
 * Returns the generated JSON Schemas by their paths: that of the configuration file, and that of the chart's values,
 * whose `config` is the file.
 */
export function configSchemas(): ReadonlyMap<string, string> {
  const { $schema, definitions: own, ...file } = configJsonSchema(dialects);
  const { provider } = own as Readonly<Record<"provider", JsonForm>>;
  const config = withMeanings(file);
  const definitions = { provider: withMeanings(provider, "providers.<name>") };
  const values = { ...chartValuesSchema, properties: { ...chartValuesSchema.properties, config } };
  return new Map([
    ["dragoman.schema.json", `${format({ $schema, ...config, definitions })}\n`],
    ["deploy/chart/values.schema.json", `${format({ $schema, ...values, definitions })}\n`],
  ]);
}

const lineWidth = 120;

/** Formats JSON with every value in one line that fits in it. */
function format(value: unknown, indent = ""): string {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || value === null || indent.length + line.length <= lineWidth) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => inner + format(item, inner)).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${inner}${JSON.stringify(key)}: ${format(item, inner)}`);
  return `{\n${entries.join(",\n")}\n${indent}}`;
}
