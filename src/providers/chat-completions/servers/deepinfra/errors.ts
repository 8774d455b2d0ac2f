import { z } from "zod";
import type { Reason } from "../../../../errors.ts";
import { extendReader } from "../../../kit/error-body.ts";

export const readDeepInfraError = extendReader(z.object({ detail: z.object({ error: z.string() }) }), ({ detail }) => ({
  message: detail.error,
  structured: true,
}));

export const deepInfraReasons = {
  // This applies even to the body {"detail":"Not Found"}, which from other servers means a wrong base URL.
  404: "MODEL_NOT_FOUND",
} as const satisfies Readonly<Record<string, Reason>>;
