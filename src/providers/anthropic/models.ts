import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";

/** What sets Anthropic's models apart. Windows and limits are in tokens. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly window: number;
  readonly output: number;
  /** The date of the snapshot that is served beside it, as `<id>-<date>`. */
  readonly snapshot?: string;
  /** Takes a temperature, of at most 1. */
  readonly sampling?: boolean;
}

const million = { window: 1_000_000, output: 128_000 };
const claude45 = { window: 200_000, output: 64_000, sampling: true };

// Sources: the official client (@anthropic-ai/sdk 1.11.0, resources/messages) for ids and shutdown dates, the model
// catalog of @ai-sdk/anthropic 4.0.105 for limits, platform.claude.com/docs/en/models for windows. Mythos models,
// which need an invitation, are left out: `anthropic/<model>` names them all the same.
const rows: readonly Row[] = [
  { id: "claude-fable-5-2", name: "Claude Fable 5.2", ...million },
  { id: "claude-fable-5-1", name: "Claude Fable 5.1", ...million },
  { id: "claude-fable-5", name: "Claude Fable 5", ...million },
  { id: "claude-opus-5-5", name: "Claude Opus 5.5", ...million },
  { id: "claude-opus-5", name: "Claude Opus 5", ...million },
  { id: "claude-opus-4-8", name: "Claude Opus 4.8", ...million },
  { id: "claude-opus-4-7", name: "Claude Opus 4.7", ...million },
  { id: "claude-opus-4-6", name: "Claude Opus 4.6", ...million, sampling: true },
  { id: "claude-opus-4-5", name: "Claude Opus 4.5", ...claude45, snapshot: "20251101" },
  { id: "claude-sonnet-5-5", name: "Claude Sonnet 5.5", ...million },
  { id: "claude-sonnet-5", name: "Claude Sonnet 5", ...million },
  { id: "claude-sonnet-4-6", name: "Claude Sonnet 4.6", ...million, sampling: true },
  // Until 2026-11-30.
  { id: "claude-sonnet-4-5", name: "Claude Sonnet 4.5", ...claude45, snapshot: "20250929" },
  { id: "claude-haiku-5-5", name: "Claude Haiku 5.5", ...million },
  { id: "claude-haiku-4-5", name: "Claude Haiku 4.5", ...claude45, snapshot: "20251001" },
];

/** Anthropic's models, by their bare ids. */
export const anthropicModels: readonly Model[] = rows.flatMap((row) => [
  toModel(row, row.id, row.name),
  ...(row.snapshot === undefined ? [] : [toModel(row, `${row.id}-${row.snapshot}`, `${row.name} (${row.snapshot})`)]),
]);

function toModel({ window, output, sampling = false }: Row, id: string, displayName: string): Model {
  return create(ModelSchema, {
    id,
    provider: "anthropic",
    displayName,
    profile: "plain",
    contextWindowTokens: window,
    maxOutputTokens: output,
    providerModel: id,
    // The other models refuse any.
    ...(sampling && { maxTemperature: 1 }),
    capabilities: {
      systemMessages: true,
      tools: true,
      parallelToolCalls: true,
      jsonObject: true,
      jsonSchema: true,
      imageInput: true,
      documentInput: true,
      reasoning: true,
      // One for each call; the service makes several.
      multipleChoices: true,
    },
  });
}
