import { describe, expect, it, onTestFinished } from "vitest";
import { OnInvalid } from "../../src/gen/dragoman/v1/output_format_pb.js";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";
import { isApplicable, titleOf } from "./dialect.ts";
import { dialects, providers } from "./load-dialects.ts";
import { planFor } from "./planned.ts";

/** What an API rejects in a JSON Schema. */
interface Rejected {
  /** Keywords in an output schema with `strict: true`. */
  readonly output: readonly string[];
  /** Keywords in the parameters of a tool with `strict: true`. */
  readonly strict: readonly string[];
  /** Whether the root of every tool's parameters must be an object without alternatives. */
  readonly objectRoot: boolean;
}

const lengths = ["minLength", "maxLength", "pattern", "maxItems", "uniqueItems"];
const numbers = ["minimum", "maximum", "multipleOf"];
const all = [...lengths, ...numbers];
const none: Rejected = { output: [], strict: [], objectRoot: false };
const claude: Rejected = { output: all, strict: all, objectRoot: true };
const gemini = ["minLength", "maxLength", "pattern", "uniqueItems", "multipleOf"];

/** Sources: see src/providers/kit/schema-rules.ts. A server that compiles any schema to a grammar rejects nothing. */
const rejections: Readonly<Record<string, Rejected>> = {
  openai: claude,
  // OpenRouter sends schemas on unchanged. The model of its cases is one of OpenAI or Anthropic.
  openrouter: claude,
  "azure-openai": claude,
  anthropic: claude,
  bedrock: claude,
  gemini: { output: gemini, strict: gemini, objectRoot: true },
  vertex: { output: gemini, strict: gemini, objectRoot: true },
  cohere: claude,
  cerebras: { output: all, strict: all, objectRoot: false },
  groq: { output: all, strict: all, objectRoot: false },
  fireworks: { ...none, output: [...lengths, "multipleOf"] },
  xai: { ...none, output: ["minLength", "maxLength", "maxItems", "uniqueItems"] },
  ...Object.fromEntries(
    [
      ...["deepinfra", "deepseek", "llamacpp", "llm-engine", "lmstudio", "mistral", "moonshot", "ollama"],
      ...["chat-completions", "perplexity", "sglang", "together", "vllm"],
    ].map((name) => [name, none]),
  ),
};

const bounded = {
  type: "object",
  properties: {
    marked: { type: "integer", minimum: 0, maximum: 130, multipleOf: 1 },
    name: { type: "string", minLength: 1, maxLength: 9, pattern: "^[a-z]+$" },
    tags: { type: "array", items: { type: "string" }, maxItems: 3, uniqueItems: true },
  },
  required: ["marked", "name", "tags"],
  additionalProperties: false,
};

const formatOf = (schema: object, strict = true) => ({
  outputFormat: {
    format: { case: "jsonSchema" as const, value: { name: "answer", schemaJson: JSON.stringify(schema), strict } },
  },
});
const toolOf = (schema: object, strict?: boolean) => ({
  tools: [functionTool({ name: "look", parametersJsonSchema: JSON.stringify(schema), ...(strict && { strict }) })],
});

/** Returns the first schema in a body with a property `marked`, at any depth; also in JSON text. */
function schemaIn(value: unknown): Record<string, unknown> | undefined {
  if (typeof value === "string") return value.startsWith("{") ? schemaIn(JSON.parse(value)) : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const { properties } = value as { properties?: unknown };
  if (typeof properties === "object" && properties !== null && "marked" in properties) return { ...value };
  return Object.values(value)
    .map(schemaIn)
    .find((found) => found !== undefined);
}

/** Providers whose API has no output schemas. Dragoman adds the schema to the prompt. */
const withoutSchemas: ReadonlySet<string> = new Set(["deepseek"]);

it("has rules for each provider", () => {
  expect(Object.keys(rejections).sort()).toEqual([...providers].sort());
});

describe.each(dialects.map((dialect) => ({ ...dialect, title: titleOf(dialect) })))("the $title API", (dialect) => {
  const { output, strict, objectRoot } = rejections[dialect.name] ?? none;

  it("gets an output schema without the keywords that it rejects; Dragoman validates them, with a warning", async () => {
    const plan = await planFor(dialect, formatOf(bounded));
    const sent = schemaIn(plan.body);
    expect(sent === undefined).toBe(withoutSchemas.has(dialect.name));
    if (sent === undefined) return expect(plan.checksSchema).toBe(true);
    for (const keyword of output) expect(Object.keys(keywordsIn(sent))).not.toContain(keyword);
    const told = plan.warnings.find(({ field }) => field.startsWith("output_format"));
    if (output.length === 0) {
      expect(sent).toEqual(bounded);
      expect(told).toBeUndefined();
    } else {
      expect(plan.checksSchema).toBe(true);
      expect(told?.reason).toMatch(/^(ADJUSTED|EMULATED)$/);
      expect(told?.message).toContain("maxLength (/properties/name)");
      // The model still sees the bounds.
      expect(JSON.stringify(sent)).toContain("maxLength");
    }
  });

  // Other APIs have no tools.
  if (!isApplicable(dialect.conversation)) return;

  it("gets a strict tool without the keywords that it rejects, with a warning", async () => {
    const plan = await planFor(dialect, toolOf(bounded, true));
    const sent = schemaIn(plan.body);
    for (const keyword of strict) expect(Object.keys(keywordsIn(sent))).not.toContain(keyword);
    const told = plan.warnings.find(({ message }) => message.includes("maxLength (/properties/name)"));
    expect(told?.field).toBe(strict.length > 0 ? "tools[0].function.parameters_json_schema" : undefined);
  });

  it.each([
    ["no type", { properties: { marked: { type: "integer", minimum: 0 } }, required: ["marked"] }],
    [
      "alternatives",
      {
        anyOf: [
          { type: "object", properties: { marked: { type: "integer", minimum: 0 } } },
          { type: "object", properties: { b: {} } },
        ],
      },
    ],
    [
      "a reference",
      { $ref: "#/$defs/A", $defs: { A: { type: "object", properties: { marked: { type: "integer", minimum: 0 } } } } },
    ],
  ])("gets the parameters of a tool whose root has %s in a form that it accepts", async (name, schema) => {
    const plan = await planFor(dialect, toolOf(schema));
    const sent = schemaIn(plan.body) ?? expect.fail("the body has no schema");
    // Only the root is rewritten.
    expect(sent.properties).toMatchObject({ marked: { minimum: 0 } });
    if (!objectRoot) return;
    expect(sent.type).toBe("object");
    for (const keyword of ["anyOf", "oneOf", "allOf", "$ref"]) expect(sent).not.toHaveProperty(keyword);
    const told = plan.warnings.map(({ reason, field }) => `${reason} ${field}`);
    expect(told).toEqual(name === "alternatives" ? ["EMULATED tools[0].function.parameters_json_schema"] : []);
  });
});

/** Returns the keywords of a schema and the schemas inside it. Names of properties are not keywords. */
function keywordsIn(schema: unknown): Readonly<Record<string, true>> {
  if (typeof schema !== "object" || schema === null) return {};
  const inner = Object.entries(schema).flatMap(([keyword, value]) =>
    keyword === "properties" ? Object.values(value) : [value],
  );
  const own = Array.isArray(schema) ? [] : Object.keys(schema);
  return Object.assign({}, ...inner.map(keywordsIn), Object.fromEntries(own.map((keyword) => [keyword, true])));
}

describe("a response of Claude to a schema with bounds", () => {
  async function answer(text: string, onInvalid = OnInvalid.ERROR) {
    const events = [
      {
        type: "message_start",
        message: { id: "m", role: "assistant", content: [], model: "c", usage: { input_tokens: 1, output_tokens: 1 } },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
      { type: "message_stop" },
    ];
    const write = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
    const upstream = await startReplayUpstream({
      headers: { "content-type": "text/event-stream" },
      steps: [{ write }],
    });
    onTestFinished(() => upstream[Symbol.asyncDispose]());
    const service = await startTestService({ ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: upstream.baseUrl });
    onTestFinished(() => service.stop());
    const { outputFormat } = formatOf(bounded);
    const chat = ask("anthropic/claude-sonnet-4-6", "Answer in JSON.", {
      outputFormat: { ...outputFormat, onInvalid },
    });
    return service.chatClient("grpc").completeChat({ chat });
  }
  const right = '{"marked":7,"name":"ann","tags":["a"]}';

  it("succeeds if it conforms to the whole schema", async () => {
    expect((await answer(right)).completion?.choices[0]?.outputViolation).toBeUndefined();
  });

  it.each([
    ["/properties/marked/maximum", right.replace("7", "700")],
    ["/properties/name/pattern", right.replace("ann", "Ann")],
    ["/properties/tags/uniqueItems", right.replace('"a"', '"a","a"')],
  ])("fails if it violates %s, which Claude does not know", async (schemaPath, text) => {
    await expect(answer(text)).rejects.toThrow(/did not return the requested JSON/);
    const { completion } = await answer(text, OnInvalid.RETURN);
    expect(completion?.choices[0]?.outputViolation).toMatchObject({ schemaPath });
  });
});
