import { commonFields } from "../../field-sets.ts";
import { ownServer } from "../../server.ts";

export const provider = ownServer({
  name: "ollama",
  title: "Ollama",
  baseUrl: "http://127.0.0.1:11434/v1",
  // Ollama silently ignores all other fields, including max_completion_tokens.
  embeddings: { form: "maybe", dimensions: "dimensions" },
  fields: { ...commonFields, "parameters.max_output_tokens": "max_tokens" },
  reasoningReplay: "reasoning",
  toolChoice: "auto",
  media: ["image"],
  toolNames: undefined,
});
