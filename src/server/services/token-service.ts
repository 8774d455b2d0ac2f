import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { countTokens } from "../../calls/count-tokens.ts";
import { prepareCheck } from "../../chat/validation/annotations.ts";
import {
  CountTokensRequestSchema,
  CountTokensResponseSchema,
  type TokenService,
} from "../../gen/dragoman/v1/token_service_pb.js";
import { UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import { answerCall } from "./admitted-call.ts";

/** Creates TokenService for both listeners. */
export function createTokenService(): ServiceImpl<typeof TokenService> {
  prepareCheck(CountTokensRequestSchema);
  return {
    countTokens: (request, context) =>
      answerCall(context, async (call) => {
        const asked = { schema: CountTokensRequestSchema, message: () => request, streamed: false };
        const { tokens, exact, model } = await countTokens(call, asked);
        const quality = exact ? UsageQuality.EXACT : UsageQuality.ESTIMATED;
        return create(CountTokensResponseSchema, { inputTokens: Math.min(tokens, greatestInt32), quality, model });
      }),
  };
}

const greatestInt32 = 2 ** 31 - 1;
