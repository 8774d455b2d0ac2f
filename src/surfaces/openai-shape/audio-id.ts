import type { MessageInitShape } from "@bufbuild/protobuf";
import { type audioReference, encodeAudioReference } from "../../chat/stream/audio-reference.ts";
import type { ProviderStateSchema } from "../../gen/dragoman/v1/provider_state_pb.js";

/** Provider of ids without a mark: OpenAI, whose API this is. Ids of other providers are `provider:id`. */
const unmarked = "openai";

/** Mark of ids of audio that no provider has an id for. */
const own = "dragoman";

const mark = /^([a-z0-9._-]+):(.*)$/s;

/**
 * Returns OpenAI's `id` and `expires_at` for audio of a response. Audio that its provider cannot find again has an id
 * that is unique in the message, and has expired.
 */
export function audioId(
  reference: ReturnType<typeof audioReference>,
  provider: string | undefined,
  choiceIndex: number,
): { readonly id: string; readonly expires_at: number } {
  if (reference === undefined || provider === undefined) return { id: `${own}:audio_${choiceIndex}`, expires_at: 0 };
  const { id, expires_at = 0 } = reference;
  return { id: provider === unmarked && !mark.test(id) ? id : `${provider}:${id}`, expires_at };
}

/** Returns the provider state of audio that a caller sends back. Undefined if no provider has an id for it. */
export function audioStateOf(
  id: string,
  expiresAt: number | null | undefined,
): MessageInitShape<typeof ProviderStateSchema> | undefined {
  const [, provider = unmarked, marked = id] = mark.exec(id) ?? [];
  if (provider === own || marked === "") return undefined;
  const data = encodeAudioReference({ id: marked, ...(expiresAt ? { expires_at: expiresAt } : {}) });
  return { provider, data };
}
