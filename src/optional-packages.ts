import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * Describes which of these packages are not installed, for an error of the configuration: `npm install --omit=optional`
 * leaves them out. Undefined if all are installed.
 */
export function missingPackages(
  names: readonly string[],
): { readonly problem: string; readonly fix: string } | undefined {
  const missing = names.filter(
    (name) => !require.resolve.paths(name)?.some((folder) => existsSync(join(folder, name))),
  );
  if (missing.length === 0) return undefined;
  return {
    problem: `needs packages that are not installed: ${missing.join(", ")}`,
    fix: "run `npm install --include=optional`",
  };
}
