import { z } from "zod";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Upstream } from "../../upstream/http.ts";
import type { AttemptContext } from "../../upstream/upstream-call.ts";
import { stringifyExact } from "../kit/exact-json.ts";
import { requestWhole } from "../kit/whole-exchange.ts";
import type { Authorize } from "./embeddings.ts";
import { bedrockErrors } from "./errors.ts";
import { toRequest } from "./request.ts";

const tokenCount = z.object({ inputTokens: z.int().min(0) });

/** Prefix of an inference profile: CountTokens knows only the models themselves. */
const profilePrefix = /^(us|us-gov|eu|apac|jp|au|global)\./;

/**
 * Asks Bedrock for the tokens of a prompt, for a model of Claude.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html
 */
export function countBedrockTokens(
  { upstream, provider, authorize }: Counting,
  request: ChatRequest,
  model: Model,
  context: AttemptContext,
): Promise<number> {
  return requestWhole<z.infer<typeof tokenCount>, number>(upstream, context, async (call) => {
    const { messages, system, toolConfig, additionalModelRequestFields } = toRequest(request, model, provider);
    const converse = { messages, system, toolConfig, additionalModelRequestFields };
    const body = stringifyExact({ input: { converse } });
    const path = `/model/${encodeURIComponent(model.providerModel.replace(profilePrefix, ""))}/count-tokens`;
    return {
      path,
      headers: await authorize(path, body, call),
      body,
      errors: bedrockErrors,
      schema: tokenCount,
      toOutput: ({ inputTokens }) => inputTokens,
    };
  });
}

interface Counting {
  readonly upstream: Upstream;
  /** Name of the provider in the configuration. */
  readonly provider: string;
  readonly authorize: Authorize;
}
