import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { modelsOf } from "../../../../models/model-row.ts";

/** Perplexity's embedding models. Of its chat models there are no entries: it retired its API on 2026-09-27. */
export const perplexityModels: readonly Model[] = modelsOf(
  {
    sources: [
      { from: "https://docs.perplexity.ai/docs/embeddings/best-practices: ids, vectors", read: "2026-11-30" },
      { from: "PyPI litellm 1.110.2: lengths of inputs", read: "2026-11-30" },
    ],
    provider: "perplexity",
    embeddings: true,
  },
  [
    { model: "pplx-embed-v1-4b", name: "Perplexity Embed 4B", window: 32_768, dimensions: 2560 },
    { model: "pplx-embed-v1-0.6b", name: "Perplexity Embed 0.6B", window: 32_768, dimensions: 1024 },
  ],
);
