import { create } from "@bufbuild/protobuf";
import { abortable } from "../../abortable.ts";
import type { ProviderSettings } from "../../config/provider.ts";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import { timeInQueue } from "../../upstream/queue-time.ts";
import type { Adapter } from "../adapter.ts";
import { localAdaptations } from "./adaptations.ts";
import { engineFault, localDefaults, prepareAnswer, streamAnswer } from "./chat.ts";
import { createLocalEmbeddings } from "./embeddings.ts";
import { localModel } from "./loaded-model.ts";
import { LocalModels } from "./local-models.ts";
import type { LocalOptions } from "./options.ts";
import { renderPrompt, withoutMarks } from "./prompt.ts";

/**
 * Creates the local adapter. The first request loads the engine and its model, which stay in memory.
 *
 * Default temperature: 0 (always the most likely token), because small models write aimless text otherwise. Default
 * max_output_tokens: 512. Penalties apply to the response, not to the prompt. `provider_options.local` has no effect.
 */
export function createLocal(
  { name, options, variables }: ProviderSettings<LocalOptions>,
  sandbox: TemplateSandbox,
): Adapter {
  const models = new LocalModels(options, variables);
  return {
    name,
    async *stream(request, model, context) {
      const { signal } = context;
      signal.throwIfAborted();
      const loaded = await abortable(models.chat(model), signal);
      try {
        const plan = await prepareAnswer(loaded, request, sandbox, context);
        const taken = loaded.slots.take(context);
        const slot = taken instanceof Promise ? await timeInQueue(taken, localModel, context) : taken;
        try {
          yield* streamAnswer(plan, slot, context);
        } finally {
          // Not awaited, so that a cancelled request ends at once. The engine first finishes its current step. Only
          // then does the next request get the slot.
          void slot.settled().then(() => loaded.slots.give(slot, context));
        }
      } catch (error) {
        throw signal.aborted ? signal.reason : engineFault(error, model);
      }
    },
    // Only for reports. `stream` renders the prompt again, with marks around the callers' text, see prompt.ts.
    async prompt(request, model, claimant) {
      const { signal } = claimant;
      signal.throwIfAborted();
      const { model: loaded } = await abortable(models.chat(model), signal);
      return withoutMarks(await renderPrompt(loaded, request, sandbox, claimant));
    },
    checkSupport: localAdaptations,
    embeddings: createLocalEmbeddings(models),
    effectiveParameters: ({ parameters = create(GenerationParametersSchema) }) => ({
      ...parameters,
      temperature: parameters.temperature ?? localDefaults.temperature,
      maxOutputTokens: parameters.maxOutputTokens ?? localDefaults.maxOutputTokens,
    }),
    describe: () => undefined,
    async close() {
      sandbox.close();
      await models.close();
    },
  };
}
