import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openaiSurface } from "../../../src/surfaces/openai/chat.ts";
import { warningsOf } from "../../behaviours/wire.ts";
import { publishedApis } from "../../contract/published/apis.ts";
import { type Instance, instancesOf, type Making } from "../../contract/published/instances.ts";
import { type ObjectShape, readPublishedTypes, type Shape } from "../../contract/published/read-types.ts";
import { isFields } from "../../contract/whole/sse-data.ts";
import { answers, type ChatUpstream, startChatUpstream } from "../../support/chat-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import { noModels } from "../harness.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/openai-chat.md"), "utf8");

/** Fates of the page by field, of the first table or of the second one. */
function fatesAfter(heading: string): ReadonlyMap<string, string> {
  const [, rows = ""] =
    new RegExp(`^\\| ${heading} \\| fate \\| note \\|\\n\\|[-|]+\\|\\n((?:\\|.*\\n)+)`, "m").exec(page) ?? [];
  return new Map([...rows.matchAll(/^\| `(.+?)` \| ([\w ]+?) \|/gm)].map(([, name = "", fate = ""]) => [name, fate]));
}

const fields = fatesAfter("field");
const places = fatesAfter("place");
const namesWith = (fates: ReadonlyMap<string, string>, fate: string) =>
  [...fates].flatMap(([name, found]) => (found === fate ? [name] : []));

const called = { id: "call_1", type: "function", function: { name: "look_up", arguments: "{}" } };
const named = { type: "function", function: { name: "look_up" } };
const file = { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" };
const customTool = { type: "custom", custom: { name: "run" } };

/** Bodies with what instances of the types lack. */
const further = [
  { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file_1" } }] }] },
  {
    messages: [{ role: "user", content: "hi" }],
    tools: [customTool],
    tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [customTool] } },
  },
];

/** Values that the types allow, and the API as well. Other values are marks. */
const making: Making = {
  never: new Set(["functions", "function_call", "ChatCompletionFunctionMessageParam"]),
  usual: {
    "messages.tool_calls": "ChatCompletionMessageFunctionToolCall",
    tools: "ChatCompletionFunctionTool",
    modalities: "audio",
    "messages.content": "list",
  },
  fixed: {
    model: "any/x",
    stream: true,
    temperature: 0.5,
    top_p: 0.5,
    n: 1,
    top_logprobs: 3,
    frequency_penalty: 0.5,
    presence_penalty: 0.5,
    logit_bias: { "5": 1 },
    max_tokens: 50,
    max_completion_tokens: 50,
    "messages.tool_call_id": called.id,
    "messages.content.image_url.url": "https://example.com/a.png",
    "messages.content.input_audio.data": "UklGRg==",
    "audio.voice.id": "voice_1",
    "tool_choice.allowed_tools.tools": [named],
    "tool_choice.function.name": "look_up",
    "tools.function.name": "look_up",
    "tools.function.parameters": { type: "object", properties: {}, required: [], additionalProperties: false },
    "response_format.json_schema.schema": { type: "object", properties: {}, required: [], additionalProperties: false },
  },
};

type Leaf = readonly [path: string, value: unknown];

/** Returns the values in a JSON value that are no lists and objects, with their paths. */
function leavesOf(value: unknown, path: readonly string[] = []): readonly Leaf[] {
  if (typeof value !== "object" || value === null) return [[path.join("."), value]];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}

/** Returns the form of a path that the page has: `messages.0.role` is `messages[].role`. */
const patternOf = (path: string) => path.replaceAll(/\.\d+/g, "[]");

const request = (body: object) => JSON.parse(JSON.stringify(body));

/** Changes an instance so that its fields fit each other. */
function fitted({ value }: Instance): Readonly<Record<string, unknown>> {
  const body = request(isFields(value) ? value : {});
  // A result follows its call, and audio output needs its modality.
  if (body.messages[0].role === "tool")
    body.messages.unshift({ role: "assistant", content: null, tool_calls: [called] });
  if (!body.modalities.includes("audio")) delete body.audio;
  // Two types have the name File, and two the name Grammar, so that the inner ones seem to contain themselves.
  for (const part of [body.messages[0].content].flat()) if (part?.type === "file") part.file = file;
  const { format } = body.tools[0].custom ?? {};
  if (format?.type === "grammar") format.grammar = { definition: "start: WORD", syntax: "lark" };
  const custom = body.tool_choice?.custom;
  if (custom !== undefined) body.tools = [{ type: "custom", custom }];
  return body;
}

let instances: readonly Instance[] = [];
let published: readonly string[] = [];
let modelFields: readonly string[] = [];
const responses = new Map<string, readonly Instance[]>();

const fieldsOf = (shape: Shape | undefined) => [...(shape as ObjectShape).fields().keys()];

let upstream: ChatUpstream;
let service: TestService;
beforeAll(async () => {
  readPublishedTypes((types) => {
    const shape = types.get("OpenAiRequest") ?? expect.fail("roots.ts has no OpenAiRequest");
    published = fieldsOf(shape);
    instances = instancesOf(shape, making);
    modelFields = fieldsOf(types.get("OpenAiModel"));
    for (const root of ["OpenAiResponse", "OpenAiChunk"]) {
      const api = publishedApis.find((each) => each.root === root);
      // Larger than the sum of the marks that they include.
      const counts = {
        "usage.prompt_tokens": 900_000,
        "usage.completion_tokens": 900_000,
        "usage.total_tokens": 1_800_000,
      };
      const all = instancesOf(types.get(root) as Shape, { ...api, fixed: { ...api?.fixed, ...counts } });
      responses.set(root, all);
    }
  });
  upstream = await startChatUpstream(answers("{}"));
  const base = { base_url: upstream.baseUrl, api_key: "k" };
  service = await startTestService(
    {},
    undefined,
    JSON.stringify({ providers: { any: { dialect: "openai", ...base }, other: { dialect: "vllm", ...base } } }),
  );
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

async function post(body: object) {
  const before = upstream.requests.length;
  const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const sent = upstream.requests.length > before ? JSON.parse(upstream.requests.at(-1)?.body ?? "") : undefined;
  return { status: response.status, text, sent, warnings: warningsOf(response) };
}

/** What reaches OpenAI in another form, with the reason. All other fields reach it as they were written. */
const changed: Readonly<Record<string, string>> = {
  max_tokens: "is max_completion_tokens",
  "messages[].content[].refusal": "is the refusal of the message",
  "messages[].content[].type": "a list with one text is a text",
  "messages[].content[].text": "a list with one text is a text",
  "messages[].refusal": "joins the refusals of the content",
  "messages[].tool_calls[].type": "a custom call is a function call",
  "modalities[]": "text alone is the default",
  model: "has no provider at OpenAI",
  "prediction.content[].text": "a list with one text is a text",
  "prediction.content[].type": "a list with one text is a text",
  reasoning_effort: "only models that reason get it",
  "response_format.type": "text is the default",
  stop: "is a list",
  stream: "audio of other forms than pcm16 has no stream",
  "stream_options.include_usage": "audio of other forms than pcm16 has no stream",
  "tool_choice.allowed_tools.tools[].type": "a custom tool is a function",
  "tool_choice.type": "a custom tool is a function",
  "tools[].type": "a custom tool is a function",
};

/** Returns the members of `known` that stand for a path: itself, or one around it. */
const around = (path: string, known: Iterable<string>) => [...known].filter((one) => `${path}.`.startsWith(`${one}.`));

describe("the published fields of a request of OpenAI's chat API", () => {
  it("are the fields of the page, each with a fate", () => {
    expect([...fields.keys()].sort()).toEqual([...published].sort());
    const fates = new Set([...fields.values(), ...places.values()]);
    expect([...fates].sort()).toEqual(["carried", "no effect", "passed on", "refused"]);
  });

  it("reach OpenAI with each member of each type, unless the page says otherwise", async () => {
    const lost = new Set<string>();
    const bodies = instances.map((instance) => ({ title: instance.title, body: fitted(instance) }));
    const more = further.map((body, index) => ({ title: `further ${index}`, body: { model: "any/x", ...body } }));
    for (const { title, body } of [...bodies, ...more]) {
      const { status, text, sent } = await post(body);
      expect([title, status, status === 200 ? "" : text]).toEqual([title, 200, ""]);
      // Whatever the form is, no text of the caller is lost.
      const texts = new Set(JSON.stringify(body).match(/mark\d+/g));
      expect([title, [...texts].filter((mark) => !JSON.stringify(sent).includes(mark))]).toEqual([title, []]);
      const got = new Map(leavesOf(sent));
      for (const [path, value] of leavesOf(body)) if (got.get(path) !== value) lost.add(patternOf(path));
    }
    const unexplained = [...lost].filter((path) => around(path, places.keys()).length === 0 && !(path in changed));
    expect(unexplained).toEqual([]);
    // What reaches OpenAI as it was written needs no excuse.
    expect(Object.keys(changed).filter((path) => !lost.has(path))).toEqual([]);
    const isLost = (place: string) => [...lost].some((path) => around(path, [place]).length > 0);
    expect([...places.keys()].filter((place) => places.get(place) !== "refused" && !isLost(place))).toEqual([]);
  });

  it("reach models that reason with the effort", async () => {
    for (const effort of ["low", "medium", "high"]) {
      const { sent } = await post({
        model: "any/gpt-5",
        messages: [{ role: "user", content: "hi" }],
        reasoning_effort: effort,
      });
      expect(sent).toMatchObject({ reasoning_effort: effort });
    }
  });

  it("that are passed on are dropped with a warning that names them, where the API lacks them", async () => {
    const passed = namesWith(fields, "passed on");
    const [instance] = instances;
    const body = fitted(instance ?? expect.fail("there is no instance"));
    const { extras } = openaiSurface.translate(body, { parameters: {}, headers: new Headers(), catalog: noModels });
    // Beside safety_identifier, user is an option of OpenAI.
    expect(Object.keys(extras?.fields ?? {}).sort()).toEqual(passed);
    const asked = { model: "other/x", messages: [{ role: "user", content: "hi" }] };
    for (const name of passed) {
      const { status, sent, warnings } = await post({ ...asked, [name]: body[name] });
      expect([name, status, warnings]).toEqual([name, 200, [["UNSUPPORTED_PARAMETER", name]]]);
      expect(sent).not.toHaveProperty(name);
    }
  });

  it.each<[string, object, string, string]>([
    ["functions", { functions: [{ name: "f" }] }, "functions", "use tools"],
    ["function_call", { function_call: "auto" }, "function_call", "use tool_choice"],
    [
      "messages[].role: function",
      { messages: [{ role: "function", name: "f", content: "4" }] },
      "messages.0.role",
      "write the role tool",
    ],
    [
      "messages[].function_call",
      { messages: [{ role: "assistant", function_call: { name: "f", arguments: "{}" } }] },
      "messages.0.function_call",
      "use tool_calls",
    ],
  ])("are refused by name: %s", async (_, more, param, hint) => {
    const { status, text } = await post({ model: "any/x", messages: [{ role: "user", content: "hi" }], ...more });
    expect([status, JSON.parse(text).error]).toMatchObject([400, { param, message: expect.stringContaining(hint) }]);
  });

  it("are refused only where the page says so", () => {
    const refused = [...namesWith(fields, "refused"), ...namesWith(places, "refused")];
    expect(refused.sort()).toEqual([
      "function_call",
      "functions",
      "messages[].function_call",
      "messages[].role: function",
    ]);
  });

  it("are null as if they were absent", async () => {
    const nulls = Object.fromEntries(published.map((name) => [name, null]));
    const { status, warnings, sent } = await post({
      ...nulls,
      model: "any/x",
      messages: [{ role: "user", content: "hi" }],
    });
    expect([status, warnings]).toEqual([200, []]);
    expect(Object.keys(sent)).toEqual(["model", "messages", "stream"]);
  });
});

/** Fields of OpenAI's responses that Dragoman's have another value for, or lack, with the reason. */
const different: Readonly<Record<string, string>> = {
  id: "is the id of the call",
  created: "is the time of the call",
  model: "is the name that Dragoman has",
  metadata: "repeats the request, and is in provider_metadata",
  obfuscation: "pads chunks",
  object: "is chat.completion.chunk, where the instance has another member of the type",
  "choices[].message.audio.id": "names the provider, too",
  "choices[].delta.audio.id": "names the provider, too",
  "choices[].message.tool_calls[].custom": "nobody requested a custom tool: it is in provider_metadata",
  "choices[].message.tool_calls[].id": "nobody requested a custom tool: it is in provider_metadata",
  "choices[].message.tool_calls[].type": "nobody requested a custom tool: it is in provider_metadata",
  "choices[].delta.tool_calls[]": "nobody requested a custom tool: it is in provider_metadata",
  "choices[].finish_reason": "follows from the content",
  "choices[].logprobs.refusal[]": "joins the content's, of a choice with a text",
  "usage.completion_tokens_details.text_tokens": "the rest of a count",
  "usage.prompt_tokens_details.text_tokens": "the rest of a count",
};

describe.each([
  ["OpenAiResponse", false],
  ["OpenAiChunk", true],
] as const)("the published fields of %s", (root, stream) => {
  it("are in the response with the values that OpenAI sent, unless there is a reason", async () => {
    const api = publishedApis.find((each) => each.root === root);
    const lost = new Set<string>();
    for (const { value } of responses.get(root) ?? []) {
      const headers = { "content-type": stream ? "text/event-stream" : "application/json" };
      upstream.plays(() => ({ headers, steps: [{ write: api?.play(value) ?? "" }] }));
      const usage = stream && { stream_options: { include_usage: true } };
      const { text } = await post({ model: "any/x", messages: [{ role: "user", content: "hi" }], stream, ...usage });
      const values = stream ? [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data = ""]) => data) : [text];
      const got = new Set(
        values.flatMap((json) => leavesOf(JSON.parse(json)).map(([path, leaf]) => `${path} ${leaf}`)),
      );
      for (const [path, leaf] of leavesOf(value)) if (!got.has(`${path} ${leaf}`)) lost.add(patternOf(path));
    }
    expect([...lost].filter((path) => around(path, Object.keys(different)).length === 0)).toEqual([]);
  });
});

it("lists models with the fields of OpenAI's type, and no others", async () => {
  const response = await fetch(`http://${service.httpAddress}/v1/models`);
  const { data } = JSON.parse(await response.text());
  const found = new Set<string>(data.flatMap((model: object) => Object.keys(model)));
  expect([...found].sort()).toEqual([...modelFields].sort());
});
