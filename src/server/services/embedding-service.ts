import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { embed } from "../../calls/embeddings/embed.ts";
import { annotationViolations } from "../../chat/validation/annotations.ts";
import { type EmbeddingService, EmbedRequestSchema } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { answerCall } from "./admitted-call.ts";

/** Creates EmbeddingService for both listeners. */
export function createEmbeddingService(): ServiceImpl<typeof EmbeddingService> {
  // As in chat-service.ts: compiles the rules before the first call.
  annotationViolations(EmbedRequestSchema, create(EmbedRequestSchema));
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
