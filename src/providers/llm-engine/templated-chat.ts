import type { ChatEvent } from "../../chat/stream/events.ts";
import type { Claimant } from "../../fair-slots.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { checkKwargs } from "../../templates/kwargs.ts";
import type { Adapter, AdapterContext } from "../adapter.ts";
import type { Prompts } from "./prompts.ts";

type Send = Adapter["stream"];

/**
 * Adds template checks to the chat API (v2), where LLM Engine renders the caller's template. Dragoman renders it too
 * before the upstream request: to reject unknown variables, which LLM Engine prints as empty text, and to report the
 * prompt. It does not report the prompt of a model whose special tokens it does not know.
 */
export function withTemplates(chat: Adapter, prompts: Prompts): Adapter {
  async function prompt(request: ChatRequest, model: Model, claimant: Claimant): Promise<string | undefined> {
    const { chatTemplate: source, chatTemplateKwargs: kwargs } = request;
    if (source !== undefined) {
      const rendered = await prompts.renderCaller(request, source, model, claimant, true);
      return prompts.knowsTokens(model) ? rendered : undefined;
    }
    checkKwargs(kwargs, true);
    return undefined;
  }

  async function* checkFirst(
    send: Send,
    request: ChatRequest,
    model: Model,
    context: AdapterContext,
  ): AsyncGenerator<readonly ChatEvent[], void, undefined> {
    await prompt(request, model, context);
    yield* send(request, model, context);
  }

  // A request with `context.prompt` is already checked, and one without template fields needs no check. Dragoman does
  // not wrap these two, because a nested generator doubles the cost of each delta.
  const checked =
    (send: Send): Send =>
    (request, model, context) =>
      context.prompt !== undefined || (request.chatTemplate === undefined && request.chatTemplateKwargs === undefined)
        ? send(request, model, context)
        : checkFirst(send, request, model, context);

  const { without } = chat;
  return {
    ...chat,
    ...(without && { without: (names) => withTemplates(without(names), prompts) }),
    prompt,
    stream: checked(chat.stream),
    ...(chat.complete && { complete: checked(chat.complete) }),
    async close() {
      prompts.close();
      await chat.close?.();
    },
  };
}
