import { z } from "zod";
import type { Reason } from "../../../../errors.ts";
import { extendReader } from "../../../kit/error-body.ts";

export const readDeepInfraError = extendReader(z.object({ detail: z.object({ error: z.string() }) }), ({ detail }) => ({
  message: detail.error,
  structured: true,
}));

export const deepInfraReasons = {
  // DeepInfra's body is {"detail": …}. From other servers, such a body means a wrong base URL.
  404: "MODEL_NOT_FOUND",
} as const satisfies Readonly<Record<string, Reason>>;
