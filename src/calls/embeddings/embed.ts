import type { EmbedResponse } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { countInputTokens } from "../../tokens/counter.ts";
import { sizeOfEmbedding } from "../../tokens/embedding-size.ts";
import type { Call } from "../call.ts";
import { limitCall } from "../limit-call.ts";
import { type EmbeddingCall, prepareEmbedding } from "./prepare-embedding.ts";
import { runEmbedding } from "./run-embedding.ts";

/** Embeds the inputs of a request, from its validation to its response. The caller settles the call. */
export async function embed(call: Call, asked: EmbeddingCall): Promise<EmbedResponse> {
  const prepared = await prepareEmbedding(call, asked);
  const { request, route, account } = prepared;
  const limiting = limitCall(call, {
    ...{ size: sizeOfEmbedding(request), route, account },
    countPrompt: (model) =>
      countInputTokens(request.inputs, model, { holder: call.holder, signal: call.signal, limits: call.counting }),
  });
  if (limiting) await limiting;
  call.signal.throwIfAborted();
  const starting = call.starting();
  if (starting) await starting;
  call.signal.throwIfAborted();
  return { ...(await runEmbedding(prepared, call)), id: call.id };
}
