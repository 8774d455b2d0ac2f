import { type ChatEvent, started } from "../chat/stream/events.ts";
import type { GatewayError } from "../errors.ts";
import type { Upstream } from "./http.ts";
import type { UpstreamResponse } from "./response.ts";
import { type AttemptContext, startCall, type UpstreamCall } from "./upstream-call.ts";

/** One request in a provider's dialect, and how its answer is read. */
export interface Exchange {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
  /** The failure that an answer with a status other than 2xx stands for. */
  failure(response: UpstreamResponse): Promise<GatewayError>;
  /** The events of the answer, from its first byte to its last. */
  read(response: UpstreamResponse): AsyncIterable<readonly ChatEvent[]>;
}

/**
 * Asks a provider once. The stream starts when the provider accepts the request, and the connection is given back or
 * cut, however it ends. `prepare` runs with the first pull.
 */
export async function* exchange(
  upstream: Upstream,
  context: AttemptContext,
  prepare: (call: UpstreamCall) => Exchange | Promise<Exchange>,
): AsyncGenerator<readonly ChatEvent[], void, undefined> {
  const call = startCall(context);
  const { path, headers, body, ...answer } = await prepare(call);
  const response = await upstream.post(path, body, headers, call);
  try {
    if (response.status >= 300) throw await answer.failure(response);
    yield [started()];
    yield* answer.read(response);
    response.finish();
  } finally {
    response.close();
  }
}
