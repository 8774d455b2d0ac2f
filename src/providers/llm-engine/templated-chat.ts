import type { ChatEvent } from "../../chat/stream/events.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { checkKwargs } from "../../templates/kwargs.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { Prompts } from "./prompts.ts";

type Ask = Adapter["stream"];

/**
 * The chat API, where the engine renders the caller's template. It is rendered here too: the engine would print an
 * unknown variable as empty text, and the caller is shown the prompt before anything is spent.
 */
export function withTemplates(chat: Adapter, prompts: Prompts): Adapter {
  async function prompt(request: ChatRequest, model: Model, signal: AbortSignal): Promise<string | undefined> {
    const { chatTemplate: source, chatTemplateKwargs: kwargs } = request;
    if (source !== undefined) return await prompts.renderCaller(request, source, model, signal);
    checkKwargs(kwargs, true);
    return undefined;
  }

  async function* checkFirst(
    ask: Ask,
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    await prompt(request, model, context.signal);
    yield* ask(request, model, context);
  }

  // Only what has yet to be checked: each generator inside another costs as much for a delta as all the rest.
  const checked =
    (ask: Ask): Ask =>
    (request, model, context) =>
      context.prompt !== undefined || (request.chatTemplate === undefined && request.chatTemplateKwargs === undefined)
        ? ask(request, model, context)
        : checkFirst(ask, request, model, context);

  return {
    ...chat,
    prompt,
    stream: checked(chat.stream),
    ...(chat.complete && { complete: checked(chat.complete) }),
    async close() {
      prompts.close();
      await chat.close?.();
    },
  };
}
