import { z } from "zod";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { parseBounded } from "../validation/json-bounds.ts";

const reference = z.object({ id: z.string(), expires_at: z.number().optional() });

/** OpenAI's reference to audio of an earlier response. `expires_at` is a Unix time in seconds. */
type AudioReference = z.infer<typeof reference>;

/** Returns the data of the provider state that holds a reference to audio. */
export function encodeAudioReference({ id, expires_at }: AudioReference): Uint8Array {
  return Buffer.from(JSON.stringify({ id, ...(expires_at && { expires_at }) }));
}

/** Returns the reference in a provider state. Undefined for any other state. */
export function audioReference(state: Pick<ProviderState, "data"> | undefined): AudioReference | undefined {
  if (state === undefined) return undefined;
  try {
    return reference.safeParse(parseBounded(Buffer.from(state.data).toString())).data;
  } catch {
    return undefined;
  }
}
