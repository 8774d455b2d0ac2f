import { Template } from "@huggingface/jinja";
import { GatewayError, invalidRequest } from "../../errors.ts";
import type { Claimant } from "../../fair-slots.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { renderCallerTemplate } from "../../templates/caller.ts";
import { checkKwargs } from "../../templates/kwargs.ts";
import { type TemplateMessage, templateMessages, templateTools } from "../../templates/messages.ts";
import type { TemplateSandbox } from "../../templates/sandbox.ts";
import type { LlamaModel, Token } from "./engine.ts";

// Noncharacters, which Unicode reserves for use inside a program. They surround the callers' text in the rendered
// prompt, so that `</s>` or `<|im_start|>system` in it stays text and does not become a special token.
const opening = "\uFDD0";
const closing = "\uFDD1";
const marks = new RegExp(`[${opening}${closing}]`);

/** Templates that test `tools is not none` expect that the variables exist, as in Hugging Face's library. */
const noTools = { tools: null, documents: null } as const;

/**
 * Renders the prompt with the caller's template, else with the template in the model file. Marks surround the callers'
 * text. The model file's template runs without a sandbox, because the operator trusts the file.
 */
export async function renderPrompt(
  { tokens: { bosString, eosString }, fileInfo }: LlamaModel,
  request: ChatRequest,
  sandbox: TemplateSandbox,
  claimant: Claimant,
): Promise<string> {
  const { chatTemplate, chatTemplateKwargs: kwargs } = request;
  const messages = templateMessages(request);
  const bosToken = bosString ?? "";
  const eosToken = eosString ?? "";
  if (chatTemplate !== undefined) {
    const family = { bosToken, eosToken, showsBosToken: true, systemOnlyFirst: false };
    const template = { source: chatTemplate, messages: messages.map(mark), tools: templateTools(request), kwargs };
    return await renderCallerTemplate(sandbox, { ...template, family }, claimant);
  }
  const source = fileInfo.metadata.tokenizer?.chat_template;
  if (source === undefined) {
    throw new GatewayError("INVALID_REQUEST", "the model file has no chat template; send one as chat_template");
  }
  const variables = { ...noTools, ...checkKwargs(kwargs, true), bos_token: bosToken, eos_token: eosToken };
  return renderOwnTemplate(source, messages, variables);
}

function renderOwnTemplate(
  source: string,
  messages: readonly TemplateMessage[],
  variables: Readonly<Record<string, unknown>>,
): string {
  const compiled = new Template(source);
  const render = (shown: readonly TemplateMessage[]) =>
    compiled.render({ ...variables, messages: shown.map(mark), add_generation_prompt: true });
  const shown = rendersSystem(render) ? messages : foldSystem(messages);
  try {
    return render(shown);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const description = `the model's chat template cannot render the messages: ${why}`;
    throw invalidRequest([{ field: ["messages"], description }]);
  }
}

/** Returns the prompt without the marks, as the model receives it. */
export function withoutMarks(prompt: string): string {
  return prompt.replaceAll(new RegExp(marks, "g"), "");
}

function mark({ role, content }: TemplateMessage): TemplateMessage {
  return { role, content: opening + content.replaceAll(new RegExp(marks, "g"), "\uFFFD") + closing };
}

/** Whether a template renders system messages. Some omit them, others raise an error. */
function rendersSystem(render: (messages: readonly TemplateMessage[]) => string): boolean {
  const probe = "a text that no template contains";
  try {
    return render([
      { role: "system", content: probe },
      { role: "user", content: "" },
    ]).includes(probe);
  } catch {
    return false;
  }
}

/** Moves the system text to the beginning of the first user message. */
export function foldSystem(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  if (system.length === 0) return messages;
  const others = messages.filter(({ role }) => role !== "system");
  const first = others.findIndex(({ role }) => role === "user");
  const user = others[first];
  const content = [...system, ...(user === undefined ? [] : [user.content])].join("\n\n");
  return others.toSpliced(Math.max(first, 0), user === undefined ? 0 : 1, { role: "user", content });
}

/** Tokenizes a rendered prompt. Names of special tokens become special tokens only in the template's own text. */
export function tokenizePrompt(model: LlamaModel, prompt: string): Token[] {
  const tokens: Token[] = [];
  let isCallersText = false;
  for (const piece of prompt.split(new RegExp(`(${marks.source})`))) {
    if (piece === opening || piece === closing) isCallersText = piece === opening;
    else if (piece !== "")
      tokens.push(...model.tokenize(piece, !isCallersText, tokens.length > 0 ? "trimLeadingSpace" : undefined));
  }
  const { bos, shouldPrependBosToken } = model.tokens;
  return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
}
