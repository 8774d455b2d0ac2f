import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { startTestService, type TestService } from "../support/service.ts";
import { expectPlain } from "./laws.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ OPENAI_API_KEY: "sk-test", ANTHROPIC_API_KEY: "sk-test" });
});
afterAll(() => service.stop());

type Row = readonly [mistake: string, chat: JsonValue & object, message: string, code: Code];

const user = { role: "ROLE_USER", parts: [{ text: "hello" }] };
const chat = (fields: JsonValue & object) => ({ model: "echo/echo", messages: [user], ...fields });
const parameters = (fields: JsonValue & object) => chat({ parameters: fields });
const media = (fields: JsonValue & object) => chat({ messages: [{ role: "ROLE_USER", parts: [{ media: fields }] }] });
const result = { toolResult: { toolCallId: "call-2", parts: [{ text: "x" }] } };
const call = { toolCall: { id: "call-1", name: "f", argumentsJson: "{}" } };
const schema = (text: string) => chat({ outputFormat: { jsonSchema: { name: "a", schemaJson: text } } });
const invalid = "invalid request: chat.";
const dataUrl = "data:<media type>;base64,<the bytes in base64>";

/** Mistakes with their text. The code is that of an invalid request unless the row has another. */
const rows: readonly (Row | readonly [mistake: string, chat: JsonValue & object, message: string])[] = [
  ["no model", chat({ model: "" }), `${invalid}model: must not be empty; name a model, such as echo/echo`],
  [
    "a misspelled model",
    chat({ model: "gpt-4oo" }),
    "there is no model gpt-4oo; write provider/model for an unlisted model; did you mean gpt-4o or gpt-4 or gpt-4.1?",
    Code.NotFound,
  ],
  [
    "a part of a model's name",
    chat({ model: "sonnet" }),
    "there is no model sonnet; write provider/model for an unlisted model; did you mean",
    Code.NotFound,
  ],
  [
    "a provider that is off",
    chat({ model: "gemini/gemini-2.5-pro" }),
    "the model gemini/gemini-2.5-pro needs the provider gemini, which is not configured: set GEMINI_API_KEY to turn it on",
    Code.FailedPrecondition,
  ],
  ["no messages", chat({ messages: [] }), `${invalid}messages: must not be empty; write at least one message`],
  [
    "a temperature above the range",
    parameters({ temperature: 3 }),
    `${invalid}parameters.temperature: must be from 0 to 2`,
  ],
  ["top_p above the range", parameters({ topP: 2 }), `${invalid}parameters.top_p: must be above 0 and at most 1`],
  [
    "a negative limit",
    parameters({ maxOutputTokens: -1 }),
    `${invalid}parameters.max_output_tokens: must be at least 0`,
  ],
  [
    "too many stop sequences",
    parameters({ stopSequences: Array(17).fill("x") }),
    `${invalid}parameters.stop_sequences: must have at most 16 items`,
  ],
  [
    "too many labels",
    chat({ labels: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`label-${index}`, "x"])) }),
    `${invalid}labels: must have at most 16 entries`,
  ],
  [
    "the same fallback twice",
    chat({ fallbackModels: ["gpt-4o", "gpt-4o"] }),
    `${invalid}fallback_models: has an item twice; write each item once`,
  ],
  [
    "a result for another call",
    chat({
      messages: [user, { role: "ROLE_ASSISTANT", parts: [call] }, { role: "ROLE_TOOL", parts: [result] }],
    }),
    `${invalid}messages[2].parts[0].tool_result.tool_call_id: matches no earlier tool call of this conversation; write the id of one`,
  ],
  [
    "a schema that is not JSON",
    schema("{type: object}"),
    `${invalid}output_format.json_schema.schema_json: must be the JSON text of an object, but is not JSON; see line 1, column 2`,
  ],
  [
    "a schema that ends too early, with one error",
    schema("{"),
    `${invalid}output_format.json_schema.schema_json: must be the JSON text of an object, but is not JSON; see line 1, column 2`,
  ],
  [
    "a list in place of a schema",
    schema("[]"),
    `${invalid}output_format.json_schema.schema_json: must be the JSON text of an object`,
  ],
  [
    "a path in place of a URL",
    media({ url: "picture.png" }),
    `${invalid}messages[0].parts[0].media.url: must be an absolute URL; write https://host/path, or ${dataUrl}`,
  ],
  [
    "a data: URL whose base64 is wrong",
    media({ url: "data:image/png;base64,A*A" }),
    `${invalid}messages[0].parts[0].media.url: is not a valid data: URL; write ${dataUrl}`,
  ],
  [
    "a script of the wrong type",
    chat({ providerOptions: { echo: { delay_ms: "soon" } } }),
    `${invalid}provider_options.echo.delay_ms: must be a number`,
  ],
];

it.each(
  rows.map(([mistake, request, message, code = Code.InvalidArgument]): Row => [mistake, request, message, code]),
)("gRPC names %s, and what to write", async (_, request, message, code) => {
  const failed = service.chatClient("grpc").completeChat({ chat: fromJson(ChatRequestSchema, request) });
  const error = await failed.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  expect(error?.code).toBe(code);
  if (message.endsWith("did you mean")) expect(error?.rawMessage).toContain(message);
  else expect(error?.rawMessage).toBe(message);
  expectPlain(error?.rawMessage ?? "");
});

it("gRPC suggests the method that a misspelled path means", async () => {
  const path = "/dragoman.v1.ChatService/Complete";
  const response = await fetch(`http://${service.httpAddress}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    code: "unimplemented",
    message: `unknown method ${path}; did you mean /dragoman.v1.ChatService/CompleteChat?`,
  });
});
