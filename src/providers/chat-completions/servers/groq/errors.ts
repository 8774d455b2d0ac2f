import type { Reason } from "../../../../errors.ts";

/** Reasons by Groq's error codes and HTTP statuses. https://console.groq.com/docs/errors */
export const groqReasons = {
  model_decommissioned: "MODEL_NOT_FOUND",
  // Groq returns 498 if the service tier flex has no capacity.
  498: "PROVIDER_UNAVAILABLE",
} as const satisfies Readonly<Record<string, Reason>>;
