import { setImmediate, setTimeout } from "node:timers/promises";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { type ChatEvent, completed, finished, started, textDelta } from "../../chat/stream/events.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../gen/dragoman/v1/completion_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { ProviderDefinition } from "../definition.ts";
import { planAnswer } from "./answer.ts";
import { createEchoEmbeddings } from "./embeddings.ts";
import { requestedFailure, untilAborted } from "./faults.ts";
import { echoModels } from "./models.ts";
import { jsonOf } from "./planned-parts.ts";
import { readScript, type Script } from "./script.ts";

/**
 * Creates the echo adapter, which simulates an upstream in tests and load tests. It repeats the text of the last user
 * or tool message word by word, with `[image/png]` in place of media. It is deterministic: sampling parameters and seed
 * have no effect. It supports max_output_tokens (in deltas), stop_sequences, n and logprobs.
 *
 * A script in the provider's options (`provider_options.echo`), or a prompt that is only `{"echo": …}`, changes the response: see Script. An
 * invalid script is INVALID_REQUEST.
 */
export function createEcho({ name }: Pick<ProviderSettings, "name"> = { name: provider.name }): Adapter {
  return {
    name,
    dialect: provider.name,
    stream: (request, model, context) => stream(request, model, context, name),
    checkSupport,
    describe: () => undefined,
    embeddings: createEchoEmbeddings(name),
  };
}

export const provider: ProviderDefinition = {
  name: "echo",
  variables: {},
  defaultBaseUrl: "",
  onBy: "always",
  models: () => echoModels,
  create: createEcho,
};

function checkSupport({ parameters, reasoning, chatTemplateKwargs }: ChatRequest): readonly Adaptation[] {
  const found: Adaptation[] = [];
  const kind = "UNSUPPORTED_PARAMETER";
  if (parameters?.minOutputTokens) {
    found.push({
      kind,
      field: ["parameters", "min_output_tokens"],
      message: "the echo provider does not support min_output_tokens",
    });
  }
  if (Object.keys(parameters?.logitBias ?? {}).length > 0) {
    found.push({ kind, field: ["parameters", "logit_bias"], message: "the echo provider does not support logit_bias" });
  }
  if (chatTemplateKwargs !== undefined) {
    found.push({ kind, field: ["chat_template_kwargs"], message: "the echo provider has no chat template" });
  }
  if (reasoning?.format === ReasoningFormat.RAW) {
    found.push({
      kind,
      field: ["reasoning", "format"],
      message: "the echo provider always separates reasoning from text: raw is not supported",
    });
  }
  return found;
}

/** Number of batches after which the event loop can do other work, as it can when an adapter reads from a socket. */
const batchesPerTurn = 64;

async function* stream(
  request: ChatRequest,
  model: Model,
  context: AdapterContext,
  provider: string,
): AsyncGenerator<readonly ChatEvent[], void> {
  const { signal, onOutput } = context;
  const { script, prompt } = readScript(request, provider);
  const answer = planAnswer(request, script, prompt);
  const fault = faultOf(script);

  if (fault?.after === 0) {
    yield* cause(fault, model, context);
    return;
  }
  signal.throwIfAborted();
  yield [started()];

  const faultAt = fault?.after === "started" ? 0 : fault?.after;
  let sent = 0;
  let batches = 0;
  let batch: ChatEvent[] = [];
  for (const event of answer.deltas()) {
    if (sent === faultAt) break;
    batch.push(event);
    sent++;
    if (batch.length < script.batch) continue;
    if (++batches % batchesPerTurn === 0) await setImmediate();
    await pause(script, sent, batch.length, signal);
    if (sent === batch.length) onOutput?.();
    yield batch;
    batch = [];
  }
  if (batch.length > 0) {
    await pause(script, sent, batch.length, signal);
    if (sent === batch.length) onOutput?.();
    yield batch;
  }

  if (fault === undefined) {
    const providerMetadataJson = jsonOf(script.completion_metadata);
    yield [...answer.finished, completed({ providerMetadataJson, ...(answer.usage && { usage: answer.usage }) })];
    return;
  }
  if (sent !== faultAt) yield answer.finished;
  yield* cause(fault, model, context);
}

/** Waits for the script's delay before a batch of `size` deltas. `sent`: all deltas so far, including this batch. */
async function pause(script: Script, sent: number, size: number, signal: AbortSignal): Promise<void> {
  const milliseconds = script.delay_ms * size + (sent === size ? script.first_delay_ms : 0);
  if (milliseconds > 0) {
    await setTimeout(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  signal.throwIfAborted();
}

type Fault = { readonly after: number | "started" } & (
  | { readonly kind: "fail"; readonly failure: NonNullable<Script["fail"]> }
  | { readonly kind: "stall" | "malformed" | "end" }
);

function faultOf({ fail, stall, malformed, end }: Script): Fault | undefined {
  if (fail !== undefined) return { kind: "fail", after: fail.after, failure: fail };
  if (stall !== undefined) return { kind: "stall", after: stall.after };
  if (malformed !== undefined) return { kind: "malformed", after: malformed.after };
  return end === undefined ? undefined : { kind: "end", after: end.after };
}

async function* cause(
  fault: Fault,
  model: Model,
  { signal, attempt }: AdapterContext,
): AsyncGenerator<readonly ChatEvent[], void> {
  switch (fault.kind) {
    case "fail":
      throw requestedFailure(fault.failure, model, attempt);
    case "stall":
      return await untilAborted(signal);
    case "malformed":
      yield [finished(0, FinishReason.STOP, "stop"), textDelta(0, 0, "after the end")];
      return;
    case "end":
      return;
    default:
      fault satisfies never;
  }
}
