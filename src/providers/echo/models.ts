import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, modelOf } from "../../models/model-row.ts";
import { echoDimensions } from "./embeddings.ts";

/** Catalog entries of the echo provider. Any other `echo/<name>` has chat and embeddings. */
export const echoModels: readonly Model[] = [
  modelOf(
    {
      provider: "echo",
      maxTemperature: 2,
      ...chatCapabilities,
      imageInput: true,
      audioInput: true,
      documentInput: true,
      reasoning: true,
      logprobs: true,
    },
    { model: "echo", name: "Echo", window: 0 },
  ),
  modelOf(
    { provider: "echo", embeddings: true },
    { model: "embed", name: "Echo embeddings", window: 0, dimensions: echoDimensions },
  ),
];
