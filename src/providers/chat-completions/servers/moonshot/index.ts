import { basicFields } from "../../field-sets.ts";
import { hostedServer } from "../../server.ts";
import { moonshotAdaptations } from "./adaptations.ts";
import { moonshotReasons, moonshotSentences } from "./errors.ts";
import { moonshotModels } from "./models.ts";

export const provider = hostedServer({
  name: "moonshot",
  title: "Moonshot",
  // https://platform.kimi.ai/docs/api/chat
  baseUrl: "https://api.moonshot.ai/v1",
  models: moonshotModels,
  modelsDevName: "moonshotai",
  fields: {
    ...basicFields,
    "parameters.max_output_tokens": "max_completion_tokens",
    "parameters.stop_sequences": "stop",
    "parameters.presence_penalty": "presence_penalty",
    "parameters.frequency_penalty": "frequency_penalty",
    // Moonshot rejects a request with both `thinking` and `reasoning_effort`.
    "reasoning.effort": (effort) =>
      effort === "none" ? { thinking: { type: "disabled" } } : { reasoning_effort: effort },
    prompt_cache_key: "prompt_cache_key",
    user: (user) => ({ safety_identifier: user }),
  },
  // Newer models require the reasoning of all earlier turns. All reasoning models reject earlier turns with tool calls
  // but without reasoning: continuedev/continue#11600
  reasoningReplay: "reasoning_content also with calls",
  needsParameters: true,
  // https://platform.kimi.ai/docs/api/tool-use
  toolNames: { minLength: 3, maxLength: 64, punctuation: "_-", beginsWithLetter: true },
  // https://platform.kimi.ai/docs/guide/use-kimi-vision-model
  media: ["image", "video"],
  stopRule: { max: 5, maxBytes: 32 },
  adaptations: moonshotAdaptations,
  reasons: moonshotReasons,
  sentences: moonshotSentences,
});
