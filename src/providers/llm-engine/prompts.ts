import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { renderCallerTemplate } from "../../templates/caller.ts";
import { checkKwargs } from "../../templates/kwargs.ts";
import { templateMessages } from "../../templates/messages.ts";
import { TemplateSandbox } from "../../templates/sandbox.ts";
import { renderStockTemplate } from "../../templates/stock.ts";
import { familyOf, type TemplateChoice, templateChoice } from "../../templates/template-families.ts";

/** Writes the prompts of LLM Engine's models. */
export class Prompts {
  readonly #configured: TemplateChoice | undefined;
  readonly #sandbox = new TemplateSandbox();

  /** `configured` goes before what the catalog and the endpoint's name say. */
  constructor(configured: TemplateChoice | undefined) {
    this.#configured = configured;
  }

  /** Undefined where the family is not known. */
  choose(model: Model): TemplateChoice | undefined {
    return this.#configured ?? templateChoice(model);
  }

  /** The prompt by the caller's template, else by the stock one. */
  async render(request: ChatRequest, model: Model, signal: AbortSignal): Promise<string> {
    return request.chatTemplate === undefined
      ? this.renderStock(request, model)
      : await this.renderCaller(request, request.chatTemplate, model, signal);
  }

  /** The prompt by the caller's template. */
  renderCaller(request: ChatRequest, source: string, model: Model, signal: AbortSignal): Promise<string> {
    const messages = templateMessages(request);
    const family = familyOf(this.choose(model));
    return renderCallerTemplate(
      this.#sandbox,
      { source, messages, kwargs: request.chatTemplateKwargs, family },
      signal,
    );
  }

  /** The prompt by the stock template; that of a model that only completes texts is the text. */
  renderStock(request: ChatRequest, model: Model): string {
    const choice = this.choose(model);
    if (choice === undefined) throw new Error("an endpoint without a template was not rejected");
    const messages = templateMessages(request);
    if (choice !== "none") return renderStockTemplate(choice, messages, request.chatTemplateKwargs);
    checkKwargs(request.chatTemplateKwargs, true);
    return messages.map(({ content }) => content).join("\n");
  }

  close(): void {
    this.#sandbox.close();
  }
}
