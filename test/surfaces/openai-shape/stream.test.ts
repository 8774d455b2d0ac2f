import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { cerebrasSurface } from "../../../src/surfaces/cerebras/chat.ts";
import { deepinfraSurface } from "../../../src/surfaces/deepinfra/chat.ts";
import type { ChatSurface } from "../../../src/surfaces/kit/surface.ts";
import { openaiSurface } from "../../../src/surfaces/openai/chat.ts";
import { eventsInOrder } from "../../support/lawful-events.ts";
import { noModels } from "../harness.ts";

interface Called {
  readonly id?: string;
  readonly function: { readonly name?: string; readonly arguments: string };
}

interface Said {
  readonly content?: string | null;
  readonly reasoning?: string;
  readonly reasoning_content?: string;
  readonly refusal?: string | null;
  readonly audio?: Readonly<Record<string, string | number>>;
  readonly images?: readonly { readonly image_url: object }[];
  readonly tool_calls?: readonly (Called & { readonly index?: number })[];
}

interface Choice {
  readonly index: number;
  readonly finish_reason: string | null;
  readonly logprobs?: { readonly content: readonly unknown[] | null } | null;
}

interface Answer {
  readonly choices: readonly (Choice & { readonly message: Said })[];
}

interface Chunk {
  readonly choices: readonly (Choice & { readonly delta: Said })[];
}

/** A choice, without the differences between a whole response and a stream. */
interface Plain {
  text: string;
  reasoning: string;
  refusal: string;
  calls: { id: string; name: string; arguments: string }[];
  finishReason: string | null;
  tokens: unknown[];
  audio: Record<string, string | number>;
  images: object[];
}

const silent = (): Plain => {
  const lists = { calls: [], tokens: [], images: [] };
  return { text: "", reasoning: "", refusal: "", finishReason: null, audio: { data: "", transcript: "" }, ...lists };
};

function add(plain: Plain, said: Said, { finish_reason, logprobs }: Choice): void {
  plain.text += said.content ?? "";
  plain.reasoning += said.reasoning ?? said.reasoning_content ?? "";
  plain.refusal += said.refusal ?? "";
  plain.finishReason = finish_reason ?? plain.finishReason;
  plain.tokens.push(...(logprobs?.content ?? []));
  for (const [name, value] of Object.entries(said.audio ?? {})) {
    plain.audio[name] = typeof value === "string" ? `${plain.audio[name] ?? ""}${value}` : value;
  }
  plain.images.push(...(said.images ?? []).map(({ image_url }) => image_url));
  (said.tool_calls ?? []).forEach(({ index, id, function: called }, place) => {
    const at = index ?? place;
    plain.calls[at] ??= { id: id ?? "", name: called.name ?? "", arguments: "" };
    plain.calls[at].arguments += called.arguments;
  });
}

/** Translates the same events to a whole response and to a stream, and returns the choices of both. */
function bothForms(surface: ChatSurface, events: readonly ChatEvent[]) {
  const fold = createFold();
  for (const event of events) fold.add(event);
  const body = { model: "m", messages: [{ role: "user", content: "hi" }], n: fold.completion.choices.length };
  const translated = surface.translate(body, { parameters: {}, headers: new Headers(), catalog: noModels });
  const translate = translated.createStream();
  const answer: Answer = JSON.parse(JSON.stringify(translated.toResponse(fold.completion)));
  const chunks = events
    .flatMap((event) => translate(event, ""))
    .map(({ data }): Chunk => JSON.parse(JSON.stringify(data)));
  const whole = answer.choices.map(silent);
  const joined = answer.choices.map(silent);
  for (const choice of answer.choices) add(whole[choice.index] ?? silent(), choice.message, choice);
  for (const choice of chunks.flatMap(({ choices }) => choices))
    add(joined[choice.index] ?? silent(), choice.delta, choice);
  return { whole, joined, chunks };
}

describe.each([openaiSurface, cerebrasSurface, deepinfraSurface])("the stream of $name", (surface) => {
  it("streams the same content as the whole response, for any events", () => {
    fc.assert(
      fc.property(eventsInOrder, (events) => {
        const { whole, joined } = bothForms(surface, events);
        // An OpenAI stream separates the tokens of text and refusal; the whole response has one list.
        const compared = surface === openaiSurface ? { tokens: [] } : {};
        expect(joined.map((choice) => ({ ...choice, ...compared }))).toEqual(
          whole.map((choice) => ({ ...choice, ...compared })),
        );
      }),
    );
  });

  it("sends the role first and the finish reason last, once for each choice", () => {
    fc.assert(
      fc.property(eventsInOrder, (events) => {
        const choices = bothForms(surface, events).chunks.flatMap((chunk) => chunk.choices);
        for (const index of new Set(choices.map((choice) => choice.index))) {
          const own = choices.filter((choice) => choice.index === index);
          expect(own.map(({ delta }) => "role" in delta)).toEqual(own.map((_, place) => place === 0));
          expect(own.map(({ finish_reason }) => finish_reason !== null)).toEqual(
            own.map((_, place) => place === own.length - 1),
          );
        }
      }),
    );
  });
});
