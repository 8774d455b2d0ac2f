import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, type ModelRow, modelsOf } from "../../models/model-row.ts";

/** Maximum temperature of the models that accept a temperature. The other models reject it. */
const sampling = { maxTemperature: 1 };
const million = { window: 1_000_000, output: 128_000 };
const claude45 = { window: 200_000, output: 64_000, ...sampling };

// Mythos models need an invitation and are not listed. Callers can still request them as `anthropic/<model>`.
const rows: readonly ModelRow[] = [
  { model: "claude-fable-5-2", name: "Claude Fable 5.2", ...million },
  { model: "claude-fable-5-1", name: "Claude Fable 5.1", ...million },
  { model: "claude-fable-5", name: "Claude Fable 5", ...million },
  { model: "claude-opus-5-5", name: "Claude Opus 5.5", ...million },
  { model: "claude-opus-5", name: "Claude Opus 5", ...million },
  { model: "claude-opus-4-8", name: "Claude Opus 4.8", ...million },
  { model: "claude-opus-4-7", name: "Claude Opus 4.7", ...million },
  { model: "claude-opus-4-6", name: "Claude Opus 4.6", ...million, ...sampling },
  { model: "claude-opus-4-5", name: "Claude Opus 4.5", ...claude45, snapshots: ["20251101"] },
  { model: "claude-sonnet-5-5", name: "Claude Sonnet 5.5", ...million },
  { model: "claude-sonnet-5", name: "Claude Sonnet 5", ...million },
  { model: "claude-sonnet-4-6", name: "Claude Sonnet 4.6", ...million, ...sampling },
  {
    model: "claude-sonnet-4-5",
    name: "Claude Sonnet 4.5",
    ...claude45,
    snapshots: ["20250929"],
    shutdown: "2026-11-30",
  },
  { model: "claude-haiku-5-5", name: "Claude Haiku 5.5", ...million },
  { model: "claude-haiku-4-5", name: "Claude Haiku 4.5", ...claude45, snapshots: ["20251001"] },
];

/** Anthropic's models. Their ids have no `anthropic/` prefix. */
export const anthropicModels: readonly Model[] = modelsOf(
  {
    sources: [
      { from: "@anthropic-ai/sdk 1.11.0 (resources/messages): ids, shutdown dates", read: "2026-11-28" },
      { from: "model catalog of @ai-sdk/anthropic 4.0.105: limits", read: "2026-11-28" },
      { from: "platform.claude.com/docs/en/models: context windows", read: "2026-11-21" },
    ],
    provider: "anthropic",
    idOf: (model) => model,
    ...chatCapabilities,
    imageInput: true,
    documentInput: true,
    reasoning: true,
  },
  rows,
);
