import { openServerFields } from "../../field-sets.ts";
import { llamaCppExtras } from "../../open-server-extras.ts";
import { ownServer } from "../../server.ts";
import { llamaCppReasons, readLlamaCppError } from "./errors.ts";

export const provider = ownServer({
  name: "llamacpp",
  title: "llama.cpp",
  baseUrl: "http://127.0.0.1:8080/v1",
  embeddings: { form: "maybe", tokens: true },
  fields: {
    ...openServerFields,
    "parameters.max_output_tokens": "max_tokens",
    "parameters.repetition_penalty": "repeat_penalty",
  },
  // Without named tools, which llama.cpp would silently treat as tool choice auto.
  toolChoice: "modes",
  // Without image URLs, which the server would fetch from inside the operator's network.
  media: ["image"],
  topKOff: 0,
  flatSchema: true,
  reasons: llamaCppReasons,
  readError: readLlamaCppError,
  toolNames: undefined,
  extraFields: llamaCppExtras,
});
