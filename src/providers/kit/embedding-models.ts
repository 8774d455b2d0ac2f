import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";

/** What a family of embedding models supports, with any provider. */
export interface EmbeddingRules {
  /** Whether the vectors have one length, so that a request cannot choose it. */
  readonly isFixed: boolean;
  /** Whether the model ignores the task. */
  readonly ignoresTask?: true;
  /** Body of the family on Bedrock, whose models keep the API of their vendor. Undefined: Bedrock has none of them. */
  readonly onBedrock?: "cohere" | "nova" | "titan";
  /** Method of the family on Vertex AI. Default: `predict`, with many inputs. */
  readonly onVertex?: "predict one" | "embedContent";
}

const anyLength: EmbeddingRules = { isFixed: false };
const fixed: EmbeddingRules = { isFixed: true };

export const embeddingFamilies: FamilyRules<EmbeddingRules> = {
  about: "embedding models: length of the vectors, tasks, bodies and methods",
  sources: [
    { from: "comments of openai 7.55.0 (resources/embeddings.d.ts): dimensions", read: "2026-11-30" },
    { from: "types of cohere-ai 8.1.0 (V2EmbedRequest): outputDimension", read: "2026-11-30" },
    { from: "@google/genai 3.1.0 (tIsVertexEmbedContentModel): methods of Vertex AI", read: "2026-11-30" },
    { from: "https://ai.google.dev/gemini-api/docs/embeddings: tasks", read: "2026-11-30" },
    {
      from: "cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings: inputs of a request",
      read: "2026-11-30",
    },
  ],
  families: [
    { pattern: /text-embedding-ada/, versions: [["1", fixed]] },
    { pattern: /(^|[./])embed-(english|multilingual)/, versions: [["3", { isFixed: true, onBedrock: "cohere" }]] },
    { pattern: /(^|[./])embed-v(?<major>\d+)/, versions: [["4", { isFixed: false, onBedrock: "cohere" }]] },
    {
      pattern: /titan-embed-text(-v(?<major>\d+))?/,
      versions: [
        ["1", { isFixed: true, onBedrock: "titan" }],
        ["2", { isFixed: false, onBedrock: "titan" }],
      ],
    },
    { pattern: /nova-(?<major>\d+)-multimodal-embed/, versions: [["2", { isFixed: false, onBedrock: "nova" }]] },
    { pattern: /mistral-embed/, versions: [["1", fixed]] },
    {
      pattern: /gemini-embedding-(?<major>\d+)/,
      versions: [
        ["1", { isFixed: false, onVertex: "predict one" }],
        ["2", { isFixed: false, ignoresTask: true, onVertex: "embedContent" }],
      ],
    },
  ],
};

/** Returns the rules of an embedding model. A model of no known family gets everything that the request has. */
export function embeddingRules(model: string): EmbeddingRules {
  return rulesFor(embeddingFamilies, model) ?? anyLength;
}
