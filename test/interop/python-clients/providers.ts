import { providers } from "../../surfaces/matrix/providers.ts";

const names: ReadonlySet<string> = new Set(["echo", "anthropic", "gemini", "deepseek"]);

/** Providers of the clients for Python. MATRIX_PROVIDERS=all plays all that the clients for Node.js have. */
export const usedProviders =
  process.env.MATRIX_PROVIDERS === "all" ? providers : providers.filter(({ name }) => names.has(name));
