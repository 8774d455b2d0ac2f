import { hash } from "node:crypto";
import { mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Message, Part, ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { Tool, ToolChoice } from "../../gen/dragoman/v1/tool_pb.js";
import { Pace } from "../../pace.ts";
import type { Adaptation } from "./adaptations.ts";
import { adaptOutgoing, type Draft } from "./draft.ts";
import { hasPart } from "./parts.ts";
import type { PlanningContext } from "./planning-context.ts";
import type { ToolNameRule } from "./tool-name-rule.ts";

/**
 * Replaces the function names that the provider does not accept, in tools, tool choice and earlier tool calls.
 * `Draft.toolNames` restores them in the response. Nothing is lost, so the warnings are EMULATED: one for each tool, up
 * to `mostViolations`, and one for the first earlier call of another tool.
 *
 * Runs before `fitWindow`, which counts the outgoing names, and before the support checks, which read them.
 */
export function mapToolNames(
  draft: Draft,
  { toolNames: rule, model }: Pick<PlanningContext, "toolNames" | "model">,
): Draft | Promise<Draft> {
  if (rule === undefined) return draft;
  const { tools, messages } = draft.request;
  if (tools.length === 0 && !hasPart(messages, ({ kind }) => kind.case === "toolCall")) return draft;
  const uses = firstUses(draft.request);
  if (uses.size === 0) return draft;
  const forms = knownForms.get(rule) ?? createForms(rule);
  knownForms.set(rule, forms);
  return [...uses.keys()].every(forms.fits) ? draft : rename(draft, uses, forms, model.provider);
}

/** Returns each function name of a request with the path of its first use. Tools come before earlier calls. */
function firstUses({ tools, messages }: ChatRequest): ReadonlyMap<string, FieldPath> {
  const uses = new Map<string, FieldPath>();
  for (const [index, { kind }] of tools.entries()) {
    if (kind.case === "function") uses.set(kind.value.name, ["tools", index, "function", "name"]);
  }
  for (const [index, { parts }] of messages.entries()) {
    for (const [place, { kind }] of parts.entries()) {
      if (kind.case !== "toolCall" || uses.has(kind.value.name)) continue;
      uses.set(kind.value.name, ["messages", index, "parts", place, "tool_call", "name"]);
    }
  }
  return uses;
}

async function rename(
  draft: Draft,
  uses: ReadonlyMap<string, FieldPath>,
  forms: NameForms,
  provider: string,
): Promise<Draft> {
  const pace = new Pace();
  const { sent, toolNames } = await sentNames([...uses.keys()], forms, pace);
  const adaptations: Adaptation[] = [];
  for (const [name, field] of uses) {
    const other = sent.get(name);
    if (other === undefined) continue;
    if (adaptations.length === mostViolations) {
      const message = `${sent.size - mostViolations} more function names are replaced, for the same reason`;
      adaptations.push({ kind: "EMULATED", field: ["tools"], message });
      break;
    }
    const message = `${provider} does not accept this function name; Dragoman sends ${other} and restores the name in the response`;
    adaptations.push({ kind: "EMULATED", field, message });
    if (field[0] === "messages") break;
  }
  const { request } = draft;
  const messages: Message[] = [];
  for (const message of request.messages) {
    messages.push(withCalls(message, sent));
    if (pace.isLong) await pace.nextTurn();
  }
  const renamed = {
    ...request,
    messages,
    tools: request.tools.map((tool) => withTool(tool, sent)),
    ...(request.toolChoice && { toolChoice: withChoice(request.toolChoice, sent) }),
  };
  return adaptOutgoing({ ...draft, request: renamed, toolNames }, adaptations);
}

/**
 * Returns the names to send for those that do not fit, and the map back. A name depends only on the caller's name,
 * unless two names of the request would become the same: then a hash tells them apart. So a name is the same in each
 * turn and process.
 */
async function sentNames(
  names: readonly string[],
  forms: NameForms,
  pace: Pace,
): Promise<{ readonly sent: Names; readonly toolNames: Names }> {
  const taken = new Set<string>();
  const byPlain = new Map<string, string[]>();
  for (const name of names) {
    if (pace.isLong) await pace.nextTurn();
    if (forms.fits(name)) {
      taken.add(name);
      continue;
    }
    const plain = forms.plain(name);
    const alike = byPlain.get(plain);
    if (alike === undefined) byPlain.set(plain, [name]);
    else alike.push(name);
  }
  const sent = new Map<string, string>();
  const toolNames = new Map<string, string>();
  for (const [plain, alike] of byPlain) {
    for (const name of alike) {
      if (pace.isLong) await pace.nextTurn();
      const isFree = (other: string) => forms.fits(other) && !taken.has(other) && !toolNames.has(other);
      let other = alike.length === 1 && isFree(plain) ? plain : forms.hashed(plain, name);
      for (let attempt = 1; !isFree(other); attempt++) other = forms.hashed(plain, `${name} ${attempt}`);
      sent.set(name, other);
      toolNames.set(other, name);
    }
  }
  return { sent, toolNames };
}

/** Forms of a function name under the rule of a provider. */
interface NameForms {
  readonly fits: (name: string) => boolean;
  /** Replaces the characters that the provider does not accept. The result can still have a wrong length. */
  readonly plain: (name: string) => string;
  /** Appends a hash of `source`. The result fits. */
  readonly hashed: (plain: string, source: string) => string;
}

/** Forms by rule. A rule is an object of its adapter, so its expressions are compiled once. */
const knownForms = new WeakMap<ToolNameRule, NameForms>();

/** Hexadecimal digits of the hash in a name. */
const hashLength = 8;

function createForms({ minLength = 1, maxLength, punctuation, beginsWithLetter }: ToolNameRule): NameForms {
  const characters = `a-zA-Z0-9${punctuation.replace(/[-.]/g, "\\$&")}`;
  const start = beginsWithLetter ? "(?=[a-zA-Z_])" : "";
  const fitting = new RegExp(`^${start}[${characters}]{${minLength},${maxLength}}$`);
  const wrong = new RegExp(`[^${characters}]`, "gu");
  return {
    fits: (name) => fitting.test(name),
    plain(name) {
      const replaced = name.replace(wrong, "_");
      return beginsWithLetter && !/^[a-zA-Z_]/.test(replaced) ? `_${replaced}` : replaced;
    },
    hashed(plain, source) {
      return `${plain.slice(0, maxLength - hashLength - 1)}_${hash("sha256", source).slice(0, hashLength)}`;
    },
  };
}

type Names = ReadonlyMap<string, string>;

function withTool(tool: Tool, names: Names): Tool {
  const { kind } = tool;
  const name = kind.case === "function" ? names.get(kind.value.name) : undefined;
  if (kind.case !== "function" || name === undefined) return tool;
  return { ...tool, kind: { case: "function", value: { ...kind.value, name } } };
}

function withCalls(message: Message, names: Names): Message {
  const isRenamed = ({ kind }: Part) =>
    (kind.case === "toolCall" && names.has(kind.value.name)) ||
    (kind.case === "toolResult" && kind.value.parts.some((inner) => inner.kind.case === "toolReference"));
  if (!message.parts.some(isRenamed)) return message;
  const parts = message.parts.map((part) => {
    const { kind } = part;
    if (kind.case === "toolResult") return { ...part, kind: { ...kind, value: withReferences(kind.value, names) } };
    const name = kind.case === "toolCall" ? names.get(kind.value.name) : undefined;
    if (kind.case !== "toolCall" || name === undefined) return part;
    return { ...part, kind: { case: "toolCall", value: { ...kind.value, name } } as const };
  });
  return { ...message, parts };
}

function withReferences(result: ToolResult, names: Names): ToolResult {
  const parts = result.parts.map((part): ToolResult["parts"][number] => {
    const { kind } = part;
    if (kind.case !== "toolReference") return part;
    const toolName = names.get(kind.value.toolName) ?? kind.value.toolName;
    return { ...part, kind: { case: "toolReference", value: { ...kind.value, toolName } } };
  });
  return { ...result, parts };
}

function withChoice(toolChoice: ToolChoice, names: Names): ToolChoice {
  const { choice } = toolChoice;
  if (choice.case === "toolName") {
    return { ...toolChoice, choice: { case: "toolName", value: names.get(choice.value) ?? choice.value } };
  }
  if (choice.case !== "allowedTools") return toolChoice;
  const toolNames = choice.value.toolNames.map((name) => names.get(name) ?? name);
  return { ...toolChoice, choice: { case: "allowedTools", value: { ...choice.value, toolNames } } };
}
