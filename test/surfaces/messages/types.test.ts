import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ChatCompletionSchema } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { messagesSurface } from "../../../src/surfaces/messages/chat.ts";
import { type AnswerCase, isApplicable } from "../../contract/dialect.ts";
import { dialects } from "../../contract/load-dialects.ts";
import { noModels } from "../harness.ts";
import { compile } from "../matrix/published.ts";

/** Answers of every provider but Anthropic, whose blocks stay as it sent them, each as a message of this API. */
function messages(): readonly object[] {
  const ask = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
  const { toResponse } = messagesSurface.translate(ask, { parameters: {}, headers: new Headers(), catalog: noModels });
  const others = dialects.filter(({ name }) => name !== "anthropic");
  return others.flatMap(({ answers, content, model }) =>
    Object.values({ ...answers, ...content.answers }).flatMap((entry) => {
      if (!isApplicable<AnswerCase>(entry)) return [];
      const message = toResponse(create(ChatCompletionSchema, { provider: model.provider, ...entry.completion }));
      return [JSON.parse(JSON.stringify(message))];
    }),
  );
}

/** Returns what the compiler says about values of a type of Anthropic's SDK. */
async function problemsOf(values: readonly object[], type: string): Promise<string> {
  const lines = values.map((value, index) => `export const v${index}: ${type} = ${JSON.stringify(value)};`);
  return (await compile(['import type Anthropic from "@anthropic-ai/sdk";', ...lines].join("\n"))).join("\n");
}

it("returns only what Anthropic's types have, whichever provider answers", async () => {
  const all = messages();
  const contents = all.map((message) => ("content" in message ? message.content : undefined) ?? {});
  expect(contents.length).toBeGreaterThan(200);
  expect(await problemsOf(contents, "Anthropic.Beta.BetaContentBlock[]")).toBe("");
  // Facts without a field of their own are in `provider_metadata`, which the types do not have.
  const plain = all.filter(
    (message) =>
      !("provider_metadata" in message) && !/mcp_|"compaction|context_management/.test(JSON.stringify(message)),
  );
  expect(plain.length).toBeGreaterThan(150);
  expect(await problemsOf(plain, "Anthropic.Message")).toBe("");
});

it("finds a value that Anthropic's types do not have", async () => {
  expect(await problemsOf([{ type: "text", text: 1, citations: null }], "Anthropic.ContentBlock")).toContain("TS2322");
});
