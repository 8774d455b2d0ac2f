import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../../../gen/dragoman/v1/model_pb.js";
import { egpModels } from "../../../../models/egp-models.ts";

/** What sets OpenAI's chat models apart. Windows and limits are in tokens. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly window: number;
  readonly output: number;
  /** The dates of snapshots that are served beside it, as `<id>-<date>`. */
  readonly snapshots?: readonly string[];
  readonly reasoning?: boolean;
  readonly logprobs?: boolean;
  /** Takes and gives sound instead of images, documents and JSON formats. */
  readonly audio?: boolean;
}

const million = { window: 1_050_000, output: 128_000, reasoning: true };
const gpt5 = { window: 400_000, output: 128_000, reasoning: true };
const gpt41 = { window: 1_047_576, output: 32_768, logprobs: true };
const gpt4o = { window: 128_000, output: 16_384, logprobs: true };

// Sources: the type comments of the official client (openai 7.55.0, resources/shared.d.ts) for ids and shutdown dates,
// developers.openai.com/api/docs/models for windows and limits. `logprobs` is true for reasoning models that take it at
// effort none (the model catalog of @ai-sdk/openai 4.0.118). Models that only the Responses API serves are left out,
// and so is what was shut down by 2026-11-21.
const rows: readonly Row[] = [
  { id: "gpt-6-astra", name: "GPT-6 Astra", ...million },
  { id: "gpt-6.1-sol", name: "GPT-6.1 Sol", ...million },
  { id: "gpt-6.1-terra", name: "GPT-6.1 Terra", ...million, logprobs: true },
  { id: "gpt-6-sol", name: "GPT-6 Sol", ...million, logprobs: true },
  { id: "gpt-6-luna", name: "GPT-6 Luna", ...million, logprobs: true },
  { id: "gpt-5.6-sol", name: "GPT-5.6 Sol", ...million, logprobs: true },
  { id: "gpt-5.6-terra", name: "GPT-5.6 Terra", ...million, logprobs: true },
  { id: "gpt-5.6-luna", name: "GPT-5.6 Luna", ...million, logprobs: true },
  { id: "gpt-5.5", name: "GPT-5.5", ...million, logprobs: true, snapshots: ["2026-04-23"] },
  { id: "gpt-5.4", name: "GPT-5.4", ...million, logprobs: true, snapshots: ["2026-03-05"] },
  { id: "gpt-5.4-mini", name: "GPT-5.4 mini", ...gpt5, logprobs: true, snapshots: ["2026-03-17"] },
  { id: "gpt-5.2", name: "GPT-5.2", ...gpt5, logprobs: true, snapshots: ["2025-12-11"] },
  // Until 2027-04-01.
  { id: "gpt-5.4-nano", name: "GPT-5.4 nano", ...gpt5, logprobs: true, snapshots: ["2026-03-17"] },
  { id: "gpt-5.1", name: "GPT-5.1", ...gpt5, logprobs: true, snapshots: ["2025-11-13"] },
  // Until 2027-01-20.
  { id: "gpt-audio-mini", name: "GPT Audio mini", ...gpt4o, logprobs: false, audio: true, snapshots: ["2025-12-15"] },
  // Until 2027-01-14.
  { id: "gpt-4.1", name: "GPT-4.1", ...gpt41, snapshots: ["2025-04-14"] },
  { id: "gpt-4.1-mini", name: "GPT-4.1 mini", ...gpt41, snapshots: ["2025-04-14"] },
  { id: "gpt-4o", name: "GPT-4o", ...gpt4o, snapshots: ["2024-08-06", "2024-11-20"] },
  { id: "gpt-4o-mini", name: "GPT-4o mini", ...gpt4o, snapshots: ["2024-07-18"] },
  // Until 2026-12-11.
  { id: "gpt-5", name: "GPT-5", ...gpt5, snapshots: ["2025-08-07"] },
  { id: "gpt-5-mini", name: "GPT-5 mini", ...gpt5, snapshots: ["2025-08-07"] },
  { id: "gpt-5-nano", name: "GPT-5 nano", ...gpt5, snapshots: ["2025-08-07"] },
  { id: "o3", name: "o3", window: 200_000, output: 100_000, reasoning: true, snapshots: ["2025-04-16"] },
];

/** Bare ids that are EGP's (seed 000), with its rules. OpenAI's own entry is `openai/<id>`. */
const heldByEgp: ReadonlySet<string> = new Set(egpModels.map(({ id }) => id));

/** OpenAI's models for Chat Completions, by their bare ids. */
export const openaiModels: readonly Model[] = rows.flatMap((row) => [
  toModel(row, row.id, row.name),
  ...(row.snapshots ?? []).map((date) => toModel(row, `${row.id}-${date}`, `${row.name} (${date})`)),
]);

function toModel(row: Row, id: string, displayName: string): Model {
  const { window, output, reasoning = false, logprobs = false, audio = false } = row;
  return create(ModelSchema, {
    id: heldByEgp.has(id) ? `openai/${id}` : id,
    provider: "openai",
    displayName,
    profile: "plain",
    contextWindowTokens: window,
    maxOutputTokens: output,
    providerModel: id,
    maxTemperature: 2,
    capabilities: {
      systemMessages: true,
      tools: true,
      parallelToolCalls: true,
      jsonObject: !audio,
      jsonSchema: !audio,
      imageInput: !audio,
      audioInput: audio,
      documentInput: !audio,
      reasoning,
      logprobs,
      multipleChoices: true,
    },
  });
}
