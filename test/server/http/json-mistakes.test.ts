import { fromBinary, fromJsonString, type JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatPath } from "../../../src/field-path.ts";
import { CompleteChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { BadRequestSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import { jsonMistakes } from "../../../src/server/http/json-mistakes/json-mistakes.ts";
import { startTestService, type TestService } from "../../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

interface Failure {
  readonly message: string;
  readonly details: readonly { readonly type: string; readonly value: string }[];
}

async function violationsOf(body: string, method = "CompleteChat"): Promise<readonly (readonly [string, string])[]> {
  const response = await fetch(`http://${service.httpAddress}/dragoman.v1.ChatService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  expect(response.status).toBe(400);
  const { details } = (await response.json()) as Failure;
  const detail = details.find(({ type }) => type === "google.rpc.BadRequest");
  const { fieldViolations } = fromBinary(BadRequestSchema, Buffer.from(detail?.value ?? "", "base64"));
  return fieldViolations.map(({ field, description }) => [field, description]);
}

const chat = (fields: object) => JSON.stringify({ chat: { model: "echo/echo", messages: [], ...fields } });
const message = (fields: object) => chat({ messages: [{ role: "ROLE_USER", parts: [{ text: "hi" }], ...fields }] });

describe("a JSON request over Connect", () => {
  it.each([
    ["no chat", "{}", "chat", 'is required; write {"chat": {"model": "...", "messages": [...]}}'],
    [
      "a chat request without its wrapper",
      '{"model": "m"}',
      "model",
      "is not a field of CompleteChatRequest; write chat.model",
    ],
    ["a misspelled field", chat({ modle: "m" }), "chat.modle", "is not a field of ChatRequest; did you mean model?"],
    ["a role in OpenAI's form", message({ role: "user" }), "chat.messages[0].role", 'is not a Role; write "ROLE_USER"'],
    [
      "an unknown role",
      message({ role: "chef" }),
      "chat.messages[0].role",
      'is not a Role; write one of "ROLE_SYSTEM", "ROLE_DEVELOPER", "ROLE_USER", "ROLE_ASSISTANT", "ROLE_TOOL"',
    ],
    [
      "content in OpenAI's form",
      message({ content: "hi" }),
      "chat.messages[0].content",
      'is not a field of Message; write parts, such as [{"text": "..."}]',
    ],
    [
      "text in place of parts",
      message({ parts: "hi" }),
      "chat.messages[0].parts",
      'must be an array, such as [{"text": "..."}]',
    ],
    [
      "text in place of a part",
      message({ parts: ["hi"] }),
      "chat.messages[0].parts[0]",
      'must be an object, such as {"text": "..."}',
    ],
    [
      "OpenAI's tool choice",
      chat({ tool_choice: "auto" }),
      "chat.tool_choice",
      'must be an object, such as {"mode": "TOOL_CHOICE_MODE_AUTO"}',
    ],
    [
      "a parameter outside parameters",
      chat({ temperature: 1 }),
      "chat.temperature",
      "is not a field of ChatRequest; write parameters.temperature",
    ],
    [
      "OpenAI's max_tokens",
      chat({ max_tokens: 9 }),
      "chat.max_tokens",
      "is not a field of ChatRequest; write parameters.max_output_tokens",
    ],
    [
      "another API's parameter in camelCase",
      chat({ parameters: { maxTokens: 9 } }),
      "chat.parameters.maxTokens",
      "is not a field of GenerationParameters; write max_output_tokens",
    ],
    [
      "a JSON Schema that is not text",
      chat({ output_format: { json_schema: { schema_json: { type: "object" } } } }),
      "chat.output_format.json_schema.schema_json",
      "must be a string with the JSON text",
    ],
    [
      "a tool without its kind",
      chat({ tools: [{ name: "f" }] }),
      "chat.tools[0].name",
      "is not a field of Tool; write function.name",
    ],
    [
      "a number that JSON would round",
      '{"chat": {"parameters": {"seed": 12345678901234567890}}}',
      "chat.parameters.seed",
      "must be a string, because a JSON number loses precision above 2^53; put the digits in quotes",
    ],
    [
      "two fields of a oneof",
      chat({ parameters: { seed: "1", unsignedSeed: "2" } }),
      "chat.parameters.unsigned_seed",
      "cannot be set together with seed; set one of them",
    ],
    [
      "a duration in another form",
      message({ parts: [{ text: "hi", cache_hint: { ttl: "5m" } }] }),
      "chat.messages[0].parts[0].cache_hint.ttl",
      'must be a number of seconds in a string, such as "300s"',
    ],
    [
      "OpenAI's choice of a function",
      chat({ tool_choice: { function: { name: "f" } } }),
      "chat.tool_choice.function",
      "is not a field of ToolChoice; write tool_name, the name as a string",
    ],
    [
      "a schema in place of its text",
      chat({ tools: [{ function: { name: "f", parameters_json_schema: {} } }] }),
      "chat.tools[0].function.parameters_json_schema",
      "must be a string with the JSON text",
    ],
    [
      "a field under both of its names",
      chat({ account_id: null, accountId: "b" }),
      "chat.accountId",
      "is the same field as account_id; set one of them",
    ],
    [
      "a name twice in one object",
      '{"chat": {"model": "a", "model": "b"}}',
      "body",
      'has "model" twice in one object; write it once',
    ],
    [
      "a message without a role",
      message({ role: undefined }),
      "chat.messages[0].role",
      "is required; set one of ROLE_SYSTEM, ROLE_DEVELOPER, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL",
    ],
    [
      "a modality that no model returns",
      chat({ messages: [{ role: 3, parts: [{ text: "hi" }] }], response_modalities: ["MODALITY_VIDEO"] }),
      "chat.response_modalities[0]",
      "must be one of MODALITY_TEXT, MODALITY_AUDIO, MODALITY_IMAGE",
    ],
    ["text that is not JSON", '{"chat": secret}', "body", "is not valid JSON"],
    ["JSON that ends too early", '{"chat": {', "body", "is not valid JSON; see line 1, column 11"],
  ])("with %s gets its path and what to write", async (_, body, field, description) => {
    expect(await violationsOf(body)).toEqual([[field, description]]);
  });

  it("gets all its mistakes at once", async () => {
    const mistakes = await violationsOf(
      JSON.stringify({ chat: { modle: "m", messages: [{ role: "user", content: "x" }] } }),
    );
    expect(mistakes.map(([field]) => field)).toEqual([
      "chat.modle",
      "chat.messages[0].role",
      "chat.messages[0].content",
    ]);
  });
});

/** A request with values of every kind of field. */
const valid: JsonValue = {
  chat: {
    model: "m",
    messages: [
      { role: "ROLE_USER", parts: [{ text: "a", cacheHint: { ttl: "5s" } }, { media: { data: "AAAA", detail: 1 } }] },
      {
        role: 4,
        parts: [{ tool_call: { id: "1", name: "f", arguments_json: "{}" }, citations: [{ start: 0, end: 1 }] }],
      },
    ],
    parameters: { temperature: 1, topP: "0.5", seed: "7", logprobs: true, logit_bias: { 5: 1 }, stop_sequences: ["x"] },
    chat_template_kwargs: { a: [1, null, { b: true }] },
    labels: { team: "a" },
    provider_options: { openai: { verbosity: "low" } },
  },
};

/** Replaces the value or the name at one place of a JSON value, which `choose` selects by number. */
function mutate(value: JsonValue, choose: number, replacement: JsonValue, name: string): JsonValue {
  let left = choose;
  const visit = (current: JsonValue): JsonValue => {
    if (left-- === 0) return replacement;
    if (Array.isArray(current)) return current.map(visit);
    if (typeof current !== "object" || current === null) return current;
    return Object.fromEntries(Object.entries(current).map(([key, item]) => [left-- === 0 ? name : key, visit(item)]));
  };
  return visit(value);
}

describe("jsonMistakes", () => {
  const isDecoded = (text: string): boolean => {
    try {
      fromJsonString(CompleteChatRequestSchema, text);
      return true;
    } catch {
      return false;
    }
  };

  it("finds a mistake exactly in the JSON that the decoder rejects", () => {
    const replacements = fc.oneof(
      fc.constantFrom<JsonValue>("", "ROLE_USER", "user", "1", "1.5", "5s", "-3", "AAA=", "é", 0, 7, 1.5, -1, 3e9),
      fc.constantFrom<JsonValue>(true, false, null, [], {}, [null], ["x"], [1], { a: 1 }, { text: "x" }),
      fc.jsonValue() as fc.Arbitrary<JsonValue>,
    );
    const names = fc.constantFrom(
      "model",
      "foo",
      "max_tokens",
      "content",
      "toolCall",
      "text",
      "media",
      "unsigned_seed",
      "chatTemplateKwargs",
      "a",
      "5",
    );
    fc.assert(
      fc.property(fc.nat(90), replacements, names, (choose, replacement, name) => {
        const text = JSON.stringify(mutate(valid, choose, replacement, name));
        const found = jsonMistakes(CompleteChatRequestSchema, text).map(({ field }) => formatPath(field));
        expect([text, found.length > 0]).toEqual([text, !isDecoded(text)]);
      }),
      { numRuns: 5000 },
    );
  });
});
