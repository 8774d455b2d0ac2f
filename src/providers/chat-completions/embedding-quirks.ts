/** How a server's API for embeddings differs from others. */
export interface EmbeddingQuirks {
  /**
   * Form of the vectors. `base64`: the server has `encoding_format`. `maybe`: older versions ignore it. `int8`: it only
   * returns integers of 8 bits. `numbers`: Dragoman does not send the field.
   */
  readonly form: "base64" | "maybe" | "int8" | "numbers";
  /** Path to append to the base URL. Default: `/embeddings`. */
  readonly path?: string;
  /** Maximum inputs of a request. Default: 2,048, as OpenAI's. */
  readonly maxInputs?: number;
  /** Maximum tokens of all inputs of a request. Default: none. */
  readonly maxTokens?: number;
  /** Name of the field for the length of the vectors. Undefined: there is none. */
  readonly dimensions?: "dimensions" | "output_dimension";
  /** Whether inputs can be tokens. Default false. */
  readonly tokens?: boolean;
  /** Whether the server has the field `user`. Default false. */
  readonly user?: boolean;
}

/** Field for the form of the vectors, which Dragoman sends by itself. */
export const formatField = "encoding_format";

/** Returns the quirks of a server that rejected some of the own fields. */
export function withoutEmbeddingFields(quirks: EmbeddingQuirks, names: ReadonlySet<string>): EmbeddingQuirks {
  return names.has(formatField) ? { ...quirks, form: "numbers" } : quirks;
}

/** Quirks of OpenAI, whose API the others imitate. https://platform.openai.com/docs/api-reference/embeddings/create */
export const openAiEmbeddings: EmbeddingQuirks = {
  form: "base64",
  maxInputs: 2048,
  maxTokens: 300_000,
  dimensions: "dimensions",
  tokens: true,
  user: true,
};
