import type { ServiceImpl } from "@connectrpc/connect";
import { embed } from "../../calls/embeddings/embed.ts";
import { prepareCheck } from "../../chat/validation/annotations.ts";
import { type EmbeddingService, EmbedRequestSchema } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { answerCall } from "./admitted-call.ts";

/** Creates EmbeddingService for both listeners. */
export function createEmbeddingService(): ServiceImpl<typeof EmbeddingService> {
  prepareCheck(EmbedRequestSchema);
  return {
    embed: (request, context) =>
      answerCall(context, async (call, { beforeAnswer }) => {
        try {
          return await embed(call, { request });
        } finally {
          beforeAnswer?.();
        }
      }),
  };
}
