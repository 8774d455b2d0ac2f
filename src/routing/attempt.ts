import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ChatEvent } from "../chat/stream/events.ts";
import { createStreamValidator, type StreamValidator } from "../chat/stream/stream-validator.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Attempt, AttemptSchema } from "../gen/dragoman/v1/completion_pb.js";
import { ProviderErrorSchema } from "../gen/dragoman/v1/error_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Adapter, AdapterContext } from "../providers/adapter.ts";
import { type Ask, callsFor, fanOut } from "./choices.ts";

/** One try at a provider, under way. */
export interface RunningAttempt {
  readonly attempt: Attempt;
  readonly guard: StreamValidator;
  readonly events: AsyncIterable<readonly ChatEvent[]>;
}

/**
 * Asks one provider once. The events keep the stream law, and every failure is a GatewayError that says whether output
 * had begun: until then another attempt could be made, after it never. `asWhole` tells that nobody waits for the parts;
 * `prompt` is the raw prompt where one was made (Adapter.prompt).
 */
export function startAttempt(
  adapter: Adapter,
  request: ChatRequest,
  model: Model,
  signal: AbortSignal,
  asWhole: boolean,
  prompt?: string,
): RunningAttempt {
  const attempt = create(AttemptSchema, { provider: model.provider, providerModel: model.providerModel });
  const guard = createStreamValidator();
  return { attempt, guard, events: run() };

  async function* run(): AsyncGenerator<readonly ChatEvent[]> {
    const begin = performance.now();
    try {
      const context: AdapterContext = { signal, attempt, ...(prompt !== undefined && { prompt }) };
      const ask: Ask = (asked, within) =>
        asWhole && adapter.complete ? adapter.complete(asked, model, within) : adapter.stream(asked, model, within);
      const calls = callsFor(request, model, adapter);
      const batches = calls > 1 ? fanOut(ask, request, calls, context) : ask(request, context);
      for await (const batch of batches) {
        for (const event of batch) {
          guard.accept(event);
          if (event.case === "completed") attempt.duration = durationFromMs(Math.round(performance.now() - begin));
        }
        yield batch;
      }
      guard.end();
    } catch (error) {
      const failure = describeFailure(signal.aborted ? signal.reason : error, attempt, guard);
      attempt.failureReason = failure.reason;
      throw failure;
    } finally {
      attempt.duration ??= durationFromMs(Math.round(performance.now() - begin));
    }
  }
}

function describeFailure(error: unknown, attempt: Attempt, guard: StreamValidator): GatewayError {
  if (!(error instanceof GatewayError)) {
    return new GatewayError("INTERNAL", "an internal error occurred", { cause: error });
  }
  const fromProvider = error.reason.startsWith("PROVIDER_");
  if (!fromProvider && error.facts.provider === undefined) return error;
  const said =
    error.facts.provider ??
    create(ProviderErrorSchema, {
      provider: attempt.provider,
      providerModel: attempt.providerModel,
      httpStatus: attempt.httpStatus,
      requestId: attempt.providerRequestId,
    });
  const provider = { ...said, outputStarted: guard.outputStarted };
  const metadata = guard.outputStarted ? { ...error.facts.metadata, partial: "true" } : error.facts.metadata;
  return error.with({ provider, ...(metadata && { metadata }) });
}
