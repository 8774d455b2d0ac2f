import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../support/service.ts";
import { expectOwnWords, expectPlain } from "./laws.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ OPENAI_API_KEY: "k", CEREBRAS_API_KEY: "k", DEEPINFRA_API_KEY: "k" });
});
afterAll(() => service.stop());

/** An API: where its requests go, and where its errors have the path and the text of a mistake. */
interface Api {
  readonly path: string;
  readonly model: string;
  readonly status: number;
  textsOf(error: never): readonly string[];
}

interface Detail {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

interface Details {
  readonly detail: readonly Detail[];
}

const inDetails = ({ detail }: Details) => detail.map(({ loc, msg }) => `${loc.slice(1).join(".") || "body"}: ${msg}`);

const apis: Readonly<Record<string, Api>> = {
  openai: {
    path: "/v1/chat/completions",
    model: "echo/echo",
    status: 400,
    textsOf: ({ error }: { readonly error: { readonly message: string } }) => [error.message],
  },
  cerebras: {
    path: "/cerebras/v1/chat/completions",
    model: "zai-glm-4.7",
    status: 400,
    textsOf: ({ message }: { readonly message: string }) => [message],
  },
  deepinfra: { path: "/v1/openai/chat/completions", model: "a/b", status: 422, textsOf: inDetails },
  "egp-chat": { path: "/v4/chat-completions", model: "gpt-4o", status: 422, textsOf: inDetails },
};

const dataUrl = "data:<media type>;base64,<the bytes in base64>";
const image = (url: string) => ({ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] });
const openAiShape = ["openai", "cerebras", "deepinfra"];
const all = Object.keys(apis);

type Row = readonly [mistake: string, of: readonly string[], body: object | string, text: string];

const rows: readonly Row[] = [
  ["no content at all", all, "", "body: must be valid JSON; it ends too early"],
  [
    "a forgotten comma",
    all,
    '{"model": "m",\n "messages": [{"role": "user" "content": "a"}]}',
    "body: must be valid JSON; see line 2, column 31",
  ],
  ["a comma too many", all, '{"model": "m", }', "body: must be valid JSON; see line 1, column 16"],
  ["single quotes", all, "{'model': 'm'}", "body: must be valid JSON; see line 1, column 2"],
  ["a list in place of a body", all, [1], "body: must be an object"],
  ["true in quotes", all, { stream: "true" }, "stream: must be true or false; remove the quotes"],
  ["an integer in quotes", openAiShape, { max_tokens: "5" }, "max_tokens: must be an integer; remove the quotes"],
  ["a fraction of a token", openAiShape, { max_tokens: 5.5 }, "max_tokens: must be an integer"],
  ["a number in quotes", openAiShape, { temperature: "0.5" }, "temperature: must be a number; remove the quotes"],
  ["a temperature above the range", ["openai", "deepinfra"], { temperature: 3 }, "temperature: must be from 0 to 2"],
  ["a huge limit", openAiShape, { max_tokens: 1e12 }, "max_tokens: must be at most 2147483647"],
  [
    "an integer in quotes at depth",
    ["egp-chat"],
    { model_parameters: { max_tokens: "5" } },
    "model_parameters.max_tokens: must be an integer; remove the quotes",
  ],
  ["no messages", openAiShape, { messages: [] }, "messages: must not be empty; write at least one message"],
  [
    "a path in place of a URL",
    all,
    image("picture.png"),
    `messages.0.content.0.image_url.url: must be an absolute URL; write https://host/path, or ${dataUrl}`,
  ],
  [
    "base64 without data:",
    all,
    image("iVBORw0KGgo="),
    `messages.0.content.0.image_url.url: must be an absolute URL; write https://host/path, or ${dataUrl}`,
  ],
  [
    "invalid base64",
    openAiShape,
    image("data:image/png;base64,A*A"),
    `messages.0.content.0.image_url.url: is not a valid data: URL; write ${dataUrl}`,
  ],
  [
    "a tool of the Responses API",
    ["openai"],
    { tools: [{ type: "function", name: "f" }] },
    "tools.0.function: is required; tools.0.name: is not a property of this API; write function.name",
  ],
  [
    "a tool of Anthropic's API",
    ["openai"],
    { tools: [{ name: "f", input_schema: {} }] },
    "tools.0.function: is required; tools.0.name: is not a property of this API; write function.name; " +
      "tools.0.input_schema: is not a property of this API; write function.parameters",
  ],
  [
    "Anthropic's system",
    ["openai"],
    { system: "be brief" },
    "system: is not a property of this API; write a message with the role system",
  ],
  [
    "a model that the list of the API lacks",
    ["egp-chat"],
    { model: "gpt-4oo" },
    'model: is not one of the 51 values of this API; did you mean "gpt-4o" or "gpt-4"?',
  ],
  [
    "a model of another API",
    ["cerebras"],
    { model: "echo/echo" },
    "the model echo/echo does not exist in the cerebras API; GET /cerebras/v1/models lists its models",
  ],
];

async function send(path: string, body: string) {
  const headers = { "content-type": "application/json" };
  return fetch(`http://${service.httpAddress}${path}`, { method: "POST", body, headers });
}

describe.each(Object.entries(apis))("%s", (name, { path, model, status, textsOf }) => {
  it.each(rows.filter(([, of]) => of.includes(name)))("names %s in its own words", async (_, __, fields, expected) => {
    const message = { model, messages: [{ role: "user", content: "hello" }] };
    const isObject = typeof fields === "object" && !Array.isArray(fields);
    const body = typeof fields === "string" ? fields : JSON.stringify(isObject ? { ...message, ...fields } : fields);
    const response = await send(path, body);
    const texts = textsOf((await response.json()) as never);
    expect(texts).toEqual([expected]);
    expect(response.status).toBe(expected.startsWith("the model") ? 404 : status);
    for (const text of texts) {
      expectPlain(text);
      expectOwnWords(text);
    }
  });
});
