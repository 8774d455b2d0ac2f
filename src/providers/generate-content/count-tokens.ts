import { z } from "zod";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Upstream } from "../../upstream/http.ts";
import type { AttemptContext } from "../../upstream/upstream-call.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { requestWhole } from "../kit/whole-exchange.ts";
import type { Endpoint } from "./endpoint.ts";
import { googleErrors } from "./errors.ts";
import type { BodyForm } from "./own-fields.ts";
import { toRequest } from "./request.ts";

const tokenCount = z.object({ totalTokens: z.int().min(0) });

/** Asks the Gemini API or Vertex AI for the tokens of a prompt. https://ai.google.dev/api/tokens */
export function countGoogleTokens(
  { upstream, provider, endpoint, form }: Counting,
  request: ChatRequest,
  model: Model,
  context: AttemptContext,
): Promise<number> {
  return requestWhole<z.infer<typeof tokenCount>, number>(upstream, context, async (call) => {
    const { pathPrefix, headers } = await endpoint.authorize(call);
    const { contents, systemInstruction, tools, ...rest } = toRequest(request, model, provider, form);
    const prompt = { contents, systemInstruction, tools };
    const name = `models/${model.providerModel}`;
    // Vertex AI knows only the fields of the prompt.
    const body = endpoint.predicts ? prompt : { generateContentRequest: { model: name, ...prompt, ...rest } };
    return {
      path: `${pathPrefix}/models/${encodeURIComponent(model.providerModel)}:countTokens`,
      headers,
      body: stringifyExact(body),
      errors: googleErrors,
      schema: tokenCount,
      toOutput: ({ totalTokens }) => totalTokens,
      onStatus(status) {
        if (status === 401) endpoint.forget?.();
      },
    };
  });
}

interface Counting {
  readonly upstream: Upstream;
  /** Name of the provider in the configuration. */
  readonly provider: string;
  readonly endpoint: Endpoint;
  readonly form: BodyForm;
}
