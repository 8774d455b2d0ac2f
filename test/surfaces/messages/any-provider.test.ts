import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type ChatCompletion, ChatCompletionSchema } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { messagesSurface } from "../../../src/surfaces/messages/chat.ts";
import { type AnswerCase, type Dialect, isApplicable, titleOf } from "../../contract/dialect.ts";
import { dialects } from "../../contract/load-dialects.ts";
import { nextBody } from "../../support/replay.ts";
import { noModels } from "../harness.ts";

const request = { parameters: {}, headers: new Headers(), catalog: noModels };

/** Returns the completion with its message as a client of the API sends it back. */
function sentBack(completion: ChatCompletion): ChatCompletion {
  const ask = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
  const answer = messagesSurface.translate(ask, request).toResponse(completion);
  const { role, content } = JSON.parse(JSON.stringify(answer));
  const next = { ...ask, messages: [...ask.messages, { role, content }] };
  const message = messagesSurface.translate(next, request).chat.messages[1];
  if (message === undefined) throw new Error("the message is missing");
  return { ...completion, choices: completion.choices.map((choice) => ({ ...choice, message })) };
}

/** Returns the answers of a provider that one message of this API can have. */
function answersOf({ answers, content, model }: Dialect): readonly (readonly [name: string, ChatCompletion])[] {
  return Object.entries({ ...answers, ...content.answers }).flatMap(([name, entry]) => {
    if (!isApplicable<AnswerCase>(entry)) return [];
    const completion = create(ChatCompletionSchema, { provider: model.provider, ...entry.completion });
    const parts = completion.choices[0]?.message?.parts ?? [];
    // The API has no blocks for media of a model.
    const isShown = parts.length > 0 && parts.every(({ kind }) => kind.case !== "media");
    return completion.choices.length === 1 && isShown ? [[name, completion] as const] : [];
  });
}

/** Returns a body with the values of its JSON texts, since `input` is a value and not the model's text. */
function valuesOf(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (_key, value: unknown) => {
    if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  });
}

describe.each(dialects.map((dialect) => [titleOf(dialect), dialect] as const))("an answer of %s", (_title, dialect) => {
  const adapter = dialect.create("http://127.0.0.1:9");

  it.each(answersOf(dialect))("reaches the provider again as over gRPC: %s", (_name, completion) => {
    const next = nextBody(sentBack(completion), adapter, dialect.model);
    const own = nextBody(completion, adapter, dialect.model);
    expect(next.violations).toEqual([]);
    expect(valuesOf(next.body)).toEqual(valuesOf(own.body));
  });
});
