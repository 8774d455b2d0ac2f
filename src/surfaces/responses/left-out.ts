import { type FieldViolation, invalidRequest, mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import { misspelledHint, type PropertyHints } from "../kit/property-hints.ts";
import { unreadNames } from "../openai-shape/unread-names.ts";
import { isCitation } from "./annotations.ts";
import { body, type ResponsesBody } from "./body.ts";
import { type BodyItem, readFieldsOf } from "./items.ts";

const useChat = "use POST /v1/chat/completions, which has it";

/** What to write instead of fields of other APIs. */
const hints: PropertyHints = {
  extra_body: "write its fields at the top level of the body",
  frequency_penalty: useChat,
  functions: "write tools",
  logit_bias: useChat,
  logprobs: 'write include: ["message.output_text.logprobs"]',
  max_completion_tokens: "write max_output_tokens",
  max_tokens: "write max_output_tokens",
  messages: "write input",
  modalities: useChat,
  n: useChat,
  presence_penalty: useChat,
  reasoning_effort: "write reasoning.effort",
  response_format: "write text.format",
  seed: useChat,
  stop: useChat,
  system: "write instructions",
  verbosity: "write text.verbosity",
};

/**
 * Returns the paths of what Dragoman leaves out of a body. Throws INVALID_REQUEST for a field of another API, and for
 * one that is nearly a field of this API: the caller expects that it has an effect.
 */
export function readLeftOut(request: ResponsesBody): readonly FieldPath[] {
  const wrong: FieldViolation[] = [];
  const found: FieldPath[] = [];
  for (const name of unreadNames(request, body.shape)) {
    const hint = misspelledHint(body, name, hints);
    if (hint === undefined) found.push([name]);
    else if (wrong.length < mostViolations) {
      const description = `is not a property of this API; ${hint}`;
      wrong.push({ root: "body", field: [name], description, rule: "unknown_property" });
    }
  }
  if (wrong.length > 0) throw invalidRequest(wrong);
  const { reasoning, input, user, safety_identifier } = request;
  // ChatRequest has one user.
  if (user && safety_identifier && user !== safety_identifier) found.push(["user"]);
  for (const name of unreadNames(reasoning ?? {}, readReasoning)) found.push(["reasoning", name]);
  if (typeof input !== "string") {
    for (const [index, item] of input.entries()) found.push(...leftOutOf(item, ["input", index]));
  }
  return found;
}

/** Values of `include` that change each response. The others are about tools that only OpenAI runs, or stored input. */
const honored: ReadonlySet<string> = new Set(["reasoning.encrypted_content", "message.output_text.logprobs"]);

/** Returns the values of `include` for OpenAI's own tools, each with its index. */
export function includedOfTools({ include }: ResponsesBody): readonly (readonly [index: number, name: string])[] {
  return [...(include ?? []).entries()].filter(([, name]) => !honored.has(name));
}

const readReasoning = { effort: true, summary: true, generate_summary: true };

function leftOutOf(item: BodyItem, path: FieldPath): readonly FieldPath[] {
  const read = readFieldsOf(item);
  const found = read === undefined ? [] : unreadNames(item, read).map((name) => [...path, name]);
  if (item.type !== "message" || item.role !== "assistant" || typeof item.content === "string") return found;
  const annotations = item.content.flatMap((part, index) =>
    part.type === "output_text"
      ? (part.annotations ?? []).flatMap((annotation, at) =>
          isCitation(annotation) ? [] : [[...path, "content", index, "annotations", at]],
        )
      : [],
  );
  return [...found, ...annotations];
}
