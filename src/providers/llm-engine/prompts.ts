import type { Claimant } from "../../fair-slots.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { renderCallerTemplate } from "../../templates/caller.ts";
import { checkKwargs } from "../../templates/kwargs.ts";
import { templateMessages, templateTools } from "../../templates/messages.ts";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import { renderStockTemplate } from "../../templates/stock.ts";
import { familyOf, type TemplateChoice, templateChoice } from "../../templates/template-families.ts";

/** Family of a model whose special tokens only the engine knows. */
const unknownFamily = { bosToken: undefined, eosToken: "", systemOnlyFirst: false } as const;

/** Renders the prompts of LLM Engine's models. */
export class Prompts {
  readonly #configured: TemplateChoice | undefined;
  readonly #sandbox: TemplateSandbox;

  /** `configured`: the option `template`. It takes precedence over the catalog and the endpoint's name. */
  constructor(configured: TemplateChoice | undefined, sandbox: TemplateSandbox) {
    this.#configured = configured;
    this.#sandbox = sandbox;
  }

  /** Returns the template family of a model, or `none` for text completion; undefined if unknown. */
  choose(model: Model): TemplateChoice | undefined {
    return this.#configured ?? templateChoice(model);
  }

  /** Renders the prompt with the caller's template, else with the stock template. */
  async render(request: ChatRequest, model: Model, claimant: Claimant): Promise<string> {
    return request.chatTemplate === undefined
      ? this.renderStock(request, model)
      : await this.renderCaller(request, request.chatTemplate, model, claimant);
  }

  /**
   * Renders the prompt with the caller's template. If the engine renders it too (`rendersItself`), `bos_token` has its
   * value in all families.
   */
  renderCaller(
    request: ChatRequest,
    source: string,
    model: Model,
    claimant: Claimant,
    rendersItself = false,
  ): Promise<string> {
    const messages = templateMessages(request);
    const known = familyOf(this.choose(model));
    const family = rendersItself ? { ...(known ?? unknownFamily), showsBosToken: true } : known;
    return renderCallerTemplate(
      this.#sandbox,
      { source, messages, tools: templateTools(request), kwargs: request.chatTemplateKwargs, family },
      claimant,
    );
  }

  /** Whether Dragoman knows the special tokens of a model. */
  knowsTokens(model: Model): boolean {
    return familyOf(this.choose(model)) !== undefined;
  }

  /** Renders the prompt with the stock template. For the choice `none`, the prompt is the message's text. */
  renderStock(request: ChatRequest, model: Model): string {
    const choice = this.choose(model);
    if (choice === undefined) throw new Error("an endpoint without a chat template should have been rejected");
    const messages = templateMessages(request);
    if (choice !== "none") return renderStockTemplate(choice, messages, request.chatTemplateKwargs);
    checkKwargs(request.chatTemplateKwargs, true);
    return messages.map(({ content }) => content).join("\n");
  }

  close(): void {
    this.#sandbox.close();
  }
}
