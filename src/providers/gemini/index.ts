import type { ProviderSettings } from "../../config/provider.ts";
import type { Adapter } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import { createGenerateContentAdapter } from "../generate-content/adapter.ts";

/** The Gemini API of Google AI Studio. https://ai.google.dev/api/generate-content */
export function createGeminiAdapter(settings: ProviderSettings): Adapter {
  // In a header: in the address it would end up in logs.
  const headers = settings.apiKey && { "x-goog-api-key": settings.apiKey.reveal() };
  return createGenerateContentAdapter(settings, {
    title: "the Gemini API",
    penalties: false,
    serviceTier: true,
    storage: false,
    access: async () => ({ pathPrefix: "", headers: { ...headers } }),
  });
}

export const geminiDeclaration: ProviderDefinition = {
  name: "gemini",
  keyVariable: "GEMINI_API_KEY",
  baseUrlVariable: "GEMINI_BASE_URL",
  defaultBaseUrl: "https://generativelanguage.googleapis.com/v1beta",
  onBy: "key",
  create: createGeminiAdapter,
};
