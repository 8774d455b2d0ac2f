import { commonFields } from "../../field-sets.ts";
import { ownServer } from "../../server.ts";

export const provider = ownServer({
  name: "ollama",
  title: "Ollama",
  baseUrl: "http://127.0.0.1:11434/v1",
  // All else, max_completion_tokens included, is ignored without a word.
  fields: { ...commonFields, "parameters.max_output_tokens": "max_tokens" },
  reasoningReplay: "reasoning",
  toolChoice: "auto",
  media: ["image"],
});
