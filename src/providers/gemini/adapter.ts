import type { ProviderSettings } from "../../config/provider.ts";
import type { Adapter } from "../adapter.ts";
import { createGenerateContentAdapter } from "../generate-content/adapter.ts";
import { keyHeader } from "../kit/attempt-key.ts";

/** Creates the adapter for the Gemini API of Google AI Studio. https://ai.google.dev/api/generate-content */
export function createGeminiAdapter(settings: ProviderSettings): Adapter {
  return createGenerateContentAdapter(settings, {
    title: "the Gemini API",
    penalties: false,
    serviceTier: true,
    storage: false,
    predicts: false,
    // The key is in a header, because a key in the URL could end up in logs.
    authorize: async (call) => ({ pathPrefix: "", headers: keyHeader("x-goog-api-key", call, settings) }),
  });
}
