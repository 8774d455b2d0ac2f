import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { chatCapabilities, modelOf } from "../../models/model-row.ts";

/** Catalog entry of the echo provider. Any other `echo/<name>` behaves the same. */
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
];
