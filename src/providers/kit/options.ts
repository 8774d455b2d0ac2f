import type { z } from "zod";
import { ConfigError } from "../../config/config-error.ts";
import type { ProviderSettings } from "../../config/provider.ts";

/** The settings that only one provider has, checked by its schema. Throws a ConfigError that lists what there is. */
export function parseOptions<Schema extends z.ZodObject>(
  { name, options }: Pick<ProviderSettings, "name" | "options">,
  schema: Schema,
): z.infer<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => ({
      path: [`providers.${name}.options`, ...path].join("."),
      problem: message,
      fix: `the options are ${Object.keys(schema.shape).join(", ")}`,
    })),
  );
}
