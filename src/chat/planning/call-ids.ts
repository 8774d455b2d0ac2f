import { hash } from "node:crypto";
import type { Message, Part } from "../../gen/dragoman/v1/message_pb.js";
import { Pace } from "../../pace.ts";
import type { CallIdRule } from "./call-id-rule.ts";
import type { Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Replaces the tool call ids that the provider does not accept, in calls and in their results: those of a wrong form,
 * and those of an earlier call of the conversation, which models repeat that count anew in each turn. An id links only
 * a call to its results, so nothing is lost and there is no warning.
 *
 * Runs after the steps that drop and reorder messages.
 */
export function mapCallIds(draft: Draft, { callIds: rule }: Pick<PlanningContext, "callIds">): Draft | Promise<Draft> {
  if (rule === undefined) return draft;
  const forms = knownForms.get(rule) ?? createForms(rule);
  knownForms.set(rule, forms);
  const seen = new Set<string>();
  for (const { parts } of draft.request.messages) {
    for (const { kind } of parts) {
      if (kind.case !== "toolCall") continue;
      const { id } = kind.value;
      if (!forms.fits(id) || seen.has(id)) return replaceIds(draft, forms);
      seen.add(id);
    }
  }
  return draft;
}

/**
 * Replaces ids in the order of the conversation. The id of a call depends only on the messages before it, so a longer
 * conversation begins with the same ids, which prompt caches require.
 */
async function replaceIds(draft: Draft, forms: IdForms): Promise<Draft> {
  const pace = new Pace();
  const taken = new Set<string>();
  /** The id that is sent for the latest call with each of the caller's ids. */
  const sent = new Map<string, string>();
  const messages: Message[] = [];
  for (const message of draft.request.messages) {
    const replaced = message.parts.map((part) => withId(part, (id) => sent.get(id) ?? id, newId));
    messages.push(
      replaced.every((part, index) => part === message.parts[index]) ? message : withParts(message, replaced),
    );
    if (pace.isLong) await pace.nextTurn();
  }
  return { ...draft, request: { ...draft.request, messages } };

  function newId(id: string): string {
    let other = forms.fits(id) ? id : forms.hashed(id, id);
    for (let repeat = 2; taken.has(other); repeat++) other = forms.hashed(id, `${id} ${repeat}`);
    taken.add(other);
    sent.set(id, other);
    return other;
  }
}

function withParts(message: Message, parts: Part[]): Message {
  return { ...message, parts };
}

/** Returns a part with the id that is sent. `idOf` has the ids of earlier calls, `newId` makes that of a new one. */
function withId(part: Part, idOf: (id: string) => string, newId: (id: string) => string): Part {
  const { kind } = part;
  if (kind.case === "toolCall") {
    const id = newId(kind.value.id);
    return id === kind.value.id ? part : { ...part, kind: { case: "toolCall", value: { ...kind.value, id } } };
  }
  if (kind.case !== "toolResult") return part;
  const toolCallId = idOf(kind.value.toolCallId);
  if (toolCallId === kind.value.toolCallId) return part;
  return { ...part, kind: { case: "toolResult", value: { ...kind.value, toolCallId } } };
}

/** Forms of an id under the rule of a provider. */
interface IdForms {
  readonly fits: (id: string) => boolean;
  /** Returns an id that fits: the beginning of `id`, if there is space, and a hash of `source`. */
  readonly hashed: (id: string, source: string) => string;
}

/** Forms by rule. A rule is an object of its adapter, so its expressions are compiled once. */
const knownForms = new WeakMap<CallIdRule, IdForms>();

/** Hexadecimal digits of the hash in an id: 64 bits. */
const hashLength = 16;

function createForms({ minLength = 1, maxLength, punctuation }: CallIdRule): IdForms {
  const isLong = (id: string) => id.length >= minLength && id.length <= maxLength;
  const characters = `a-zA-Z0-9${punctuation?.replace(/[-.]/g, "\\$&")}`;
  const wrong = punctuation === undefined ? undefined : new RegExp(`[^${characters}]`, "u");
  const everyWrong = wrong && new RegExp(wrong, "gu");
  const begin = maxLength - hashLength - 1;
  const isPlain = begin < 1 || punctuation?.includes("_") === false;
  return {
    fits: (id) => isLong(id) && wrong?.test(id) !== true,
    hashed(id, source) {
      if (isPlain) return digitsOf(source).slice(-Math.min(maxLength, hashLength));
      const plain = everyWrong ? id.replace(everyWrong, "_") : id;
      return `${plain.slice(0, begin).toWellFormed()}_${hash("sha256", source).slice(0, hashLength)}`;
    },
  };
}

/** Returns a hash as letters and digits. Nine of these digits, the length of Mistral's ids, have 46 bits. */
function digitsOf(source: string): string {
  return BigInt(`0x${hash("sha256", source)}`)
    .toString(36)
    .padStart(hashLength, "0");
}
