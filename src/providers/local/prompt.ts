import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { LlamaModel, Template, Token } from "./engine.ts";

/** What a chat template sees of a message. */
export interface TemplateMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Rendering {
  /** Jinja. */
  readonly source: string;
  readonly messages: readonly TemplateMessage[];
  readonly variables: Readonly<Record<string, unknown>>;
}

// Noncharacters, which Unicode keeps for use inside a program. They mark in the rendered prompt what callers wrote, so
// that `</s>` or `<|im_start|>system` in it stays text and does not become the token that ends a turn.
const opening = "\uFDD0";
const closing = "\uFDD1";
const marks = new RegExp(`[${opening}${closing}]`);

export function templateMessages({ messages }: ChatRequest): readonly TemplateMessage[] {
  return messages.map((message) => ({
    role: templateRole(message),
    content: message.parts.flatMap(textOf).join("\n"),
  }));
}

function templateRole({ role }: Message): TemplateMessage["role"] {
  switch (role) {
    case Role.SYSTEM:
    case Role.DEVELOPER:
      return "system";
    case Role.USER:
      return "user";
    case Role.ASSISTANT:
      return "assistant";
    case Role.TOOL:
    case Role.UNSPECIFIED:
      throw unsupported("results of tools");
    default:
      return role satisfies never;
  }
}

function textOf({ kind }: Part): readonly string[] {
  switch (kind.case) {
    case "text":
    case "refusal":
      return [kind.value];
    case "reasoning":
    case undefined:
      return [];
    case "media":
      throw unsupported("media");
    case "toolCall":
    case "toolResult":
      throw unsupported("tool calls");
    default:
      return kind satisfies never;
  }
}

function unsupported(what: string): GatewayError {
  return new GatewayError("UNSUPPORTED_PARAMETER", `the local model takes no ${what}; send text only`);
}

/** The prompt, with what callers wrote between marks. Throws what the template throws. */
export function renderPrompt(template: Template, { source, messages, variables }: Rendering): string {
  const compiled = new template(source);
  const render = (shown: readonly TemplateMessage[]) =>
    compiled.render({ ...variables, messages: shown.map(mark), add_generation_prompt: true });
  return render(takesSystem(render) ? messages : foldSystem(messages));
}

function mark({ role, content }: TemplateMessage): TemplateMessage {
  return { role, content: opening + content.replaceAll(new RegExp(marks, "g"), "\uFFFD") + closing };
}

/** Whether a template shows system messages: some leave them out, others raise an error. */
function takesSystem(render: (messages: readonly TemplateMessage[]) => string): boolean {
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

/** Puts the system text before the first user turn. */
export function foldSystem(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  if (system.length === 0) return messages;
  const others = messages.filter(({ role }) => role !== "system");
  const first = others.findIndex(({ role }) => role === "user");
  const user = others[first];
  const content = [...system, ...(user === undefined ? [] : [user.content])].join("\n\n");
  return others.toSpliced(Math.max(first, 0), user === undefined ? 0 : 1, { role: "user", content });
}

/** The tokens of a rendered prompt: names of special tokens count only in what the template wrote. */
export function tokenizePrompt(model: LlamaModel, prompt: string): Token[] {
  const tokens: Token[] = [];
  let ofCaller = false;
  for (const piece of prompt.split(new RegExp(`(${marks.source})`))) {
    if (piece === opening || piece === closing) ofCaller = piece === opening;
    else if (piece !== "")
      tokens.push(...model.tokenize(piece, !ofCaller, tokens.length > 0 ? "trimLeadingSpace" : undefined));
  }
  const { bos, shouldPrependBosToken } = model.tokens;
  return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
}
