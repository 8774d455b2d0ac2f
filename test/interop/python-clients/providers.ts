import { providers } from "../../surfaces/matrix/providers.ts";

const names: ReadonlySet<string> = new Set(["echo", "anthropic", "gemini", "deepseek"]);

/** Providers of the clients for Python, which docs/clients.md names. */
export const usualProviders = providers.filter(({ name }) => names.has(name));

/** Providers of this run. MATRIX_PROVIDERS=all plays all that the clients for Node.js have. */
export const usedProviders = process.env.MATRIX_PROVIDERS === "all" ? providers : usualProviders;
