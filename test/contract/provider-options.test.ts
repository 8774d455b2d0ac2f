import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { optionViolations } from "../../src/chat/planning/provider-options.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../src/gen/dragoman/v1/tool_pb.js";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import { ask } from "../support/requests.ts";
import { functionTool } from "../support/tools.ts";
import { type Dialect, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";

type Fields = NonNullable<Parameters<typeof ask>[2]>;

/** Fields of which an API sends only one at a time, so that no single request has them all. */
const alternatives: readonly Fields[] = [
  {},
  { parameters: { topP: 0.5, topLogprobs: 2, logprobs: true, n: 2, minOutputTokens: 1 } },
  ...[ReasoningEffort.NONE, ReasoningEffort.HIGH].map((value): Fields => ({ reasoning: effort(value) })),
  ...[0, 2048].map((value): Fields => ({ reasoning: { control: { case: "budgetTokens", value } } })),
  { reasoning: { format: ReasoningFormat.HIDDEN } },
  { outputFormat: { format: { case: "regex", value: { pattern: "a+" } } } },
  { outputFormat: { format: { case: "jsonObject", value: {} } } },
  { outputFormat: { format: { case: "jsonSchema", value: { name: "a", schemaJson: '{"type":"object"}' } } } },
  { tools: [functionTool({ name: "f" })], toolChoice: { choice: { case: "toolName", value: "f" } } },
  { tools: [functionTool({ name: "f" })], toolChoice: { choice: { case: "mode", value: ToolChoiceMode.NONE } } },
  { tools: [functionTool({ name: "f", strict: true })], parallelToolCalls: false },
];

function effort(value: ReasoningEffort) {
  return { control: { case: "effort" as const, value } };
}

/** Fields that adapters write although ChatRequest has no field for them. Options may change them. */
const unasked =
  /^(context_length_exceeded_behavior|citation_options|additionalModelResponseFieldPaths|store|include)\b/;

/** Returns the bodies that a dialect sends for requests with the fields that it supports. */
function bodiesOf({ create, model, everything }: Dialect): readonly JsonObject[] {
  const adapter = create("http://127.0.0.1:9");
  const requests = alternatives.map((fields) => ask(model.id, "hi", fields));
  const { request } = everything;
  return [{ ...request, providerOptions: {} }, ...requests].map((chat) =>
    JSON.parse(stringifyExact(adapter.describe(chat, model))),
  );
}

/** Returns options that set a single value: `{ a: { b: value } }` for the path `["a", "b"]`. */
function optionsAt([name = "", ...inner]: readonly string[], value: JsonValue): JsonObject {
  return { [name]: inner.length === 0 ? value : optionsAt(inner, value) };
}

function* valuesOf(value: JsonValue, path: readonly string[] = []): Generator<readonly [readonly string[], JsonValue]> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || Object.keys(value).length === 0) yield [path, value];
  else for (const [name, inner] of Object.entries(value)) yield* valuesOf(inner, [...path, name]);
}

function violationsOf({ create, name, model }: Dialect, options: JsonObject) {
  const chat: ChatRequest = ask(model.id, "hi", { providerOptions: { [name]: options } });
  return optionViolations(chat, name, create("http://127.0.0.1:9").contractNames);
}

/** Other spellings of a name that some servers accept. */
const spellings: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.charAt(0).toUpperCase() + name.slice(1),
  (name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  (name) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  (name) => name.replace("s", "ſ"),
];

const named = dialects.map((dialect) => ({ dialect, title: titleOf(dialect) }));

describe.each(named)("provider options of $title", ({ dialect }) => {
  it("cannot set any field of the body that ChatRequest has a field for", () => {
    const passed = bodiesOf(dialect).flatMap((body) =>
      [...valuesOf(body)]
        .filter(([path]) => !unasked.test(path.join(".")))
        .filter(([path, value]) =>
          spellings.some((spell) => violationsOf(dialect, optionsAt(path.map(spell), value)).length === 0),
        )
        .map(([path]) => path.join(".")),
    );
    expect([...new Set(passed)]).toEqual([]);
  });

  it("can set fields that ChatRequest lacks", () => {
    const { [dialect.name]: own = {} } = dialect.everything.request.providerOptions;
    expect(violationsOf(dialect, own)).toEqual([]);
    expect(violationsOf(dialect, { metadata: { team: "a" }, store: true, verbosity: "low" })).toEqual([]);
  });

  it("cannot replace a part of the body with a value of another kind", () => {
    const parts = ["tools", "toolConfig", "generationConfig", "inferenceConfig", "output_config"];
    const sent = parts.filter((name) => bodiesOf(dialect).some((body) => name in body));
    for (const name of sent) {
      const [value] = bodiesOf(dialect).flatMap((body) => (name in body ? [body[name]] : []));
      const others: JsonValue[] = [null, "", Array.isArray(value) ? {} : []];
      for (const other of others) expect(violationsOf(dialect, { [name]: other })).toHaveLength(1);
    }
  });

  it("cannot have the name of an object's prototype", () => {
    expect(violationsOf(dialect, JSON.parse('{"__proto__":{"model":"other"}}'))).toHaveLength(1);
  });
});
