import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";

/** What sets Google's chat models apart. Windows and limits are in tokens. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly window: number;
  readonly output: number;
}

const million = { window: 1_048_576, output: 65_536 };

// Sources: the model ids in the types of @google/genai 3.1.0 and @ai-sdk/google 4.0.121; windows and limits as the
// Gemini API's own list of models states them, those of Gemini 3.5 to 3.7 by models.dev, and of Gemini 4 by
// docs.cloud.google.com/gemini-enterprise-agent-platform/models: one window for prompt and answer, and 65,536 tokens in
// one streamed answer. Models for images, sounds, robots and the aliases that move are left out:
// they are reached as gemini/<model>.
const rows: readonly Row[] = [
  { id: "gemini-4-hydrogen", name: "Gemini 4 Hydrogen", ...million },
  { id: "gemini-4-carbon", name: "Gemini 4 Carbon", ...million },
  { id: "gemini-4-argon", name: "Gemini 4 Argon", ...million },
  { id: "gemini-3.8-flash", name: "Gemini 3.8 Flash", ...million },
  { id: "gemini-3.7-flash", name: "Gemini 3.7 Flash", ...million },
  { id: "gemini-3.6-flash", name: "Gemini 3.6 Flash", ...million },
  { id: "gemini-3.5-flash", name: "Gemini 3.5 Flash", ...million },
  { id: "gemini-3.5-flash-lite", name: "Gemini 3.5 Flash-Lite", ...million },
  { id: "gemini-3.1-pro-preview", name: "Gemini 3.1 Pro Preview", ...million },
  { id: "gemini-3.1-flash-lite", name: "Gemini 3.1 Flash-Lite", ...million },
  { id: "gemini-3-flash-preview", name: "Gemini 3 Flash Preview", ...million },
  { id: "gemini-2.5-pro", name: "Gemini 2.5 Pro", ...million },
  { id: "gemini-2.5-flash", name: "Gemini 2.5 Flash", ...million },
  { id: "gemini-2.5-flash-lite", name: "Gemini 2.5 Flash-Lite", ...million },
];

/** Google's models: on the Gemini API by their bare ids, on Vertex AI as `vertex/<model>`. */
export const geminiModels: readonly Model[] = rows.flatMap((row) => [
  toModel(row, "gemini", row.id),
  toModel(row, "vertex", `vertex/${row.id}`),
]);

function toModel({ id: providerModel, name, window, output }: Row, provider: "gemini" | "vertex", id: string): Model {
  return create(ModelSchema, {
    id,
    provider,
    displayName: provider === "vertex" ? `${name} (Vertex AI)` : name,
    profile: "plain",
    contextWindowTokens: window,
    maxOutputTokens: output,
    providerModel,
    maxTemperature: 2,
    capabilities: {
      systemMessages: true,
      tools: true,
      parallelToolCalls: true,
      jsonObject: true,
      jsonSchema: true,
      imageInput: true,
      audioInput: true,
      documentInput: true,
      reasoning: true,
      // Most models refuse them on the Gemini API.
      logprobs: provider === "vertex",
      // By a call for each choice: see the adapter's maxChoices.
      multipleChoices: true,
    },
  });
}
