import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chunk, delta, finish, whole } from "../../behaviours/wire.ts";
import { type ChatUpstream, startChatUpstream } from "../../support/chat-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";

let upstream: ChatUpstream;
let service: TestService;
let openai: OpenAI;
beforeAll(async () => {
  upstream = await startChatUpstream();
  service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl });
  openai = new OpenAI({ baseURL: `http://${service.httpAddress}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

const request = {
  model: "vllm/x",
  messages: [{ role: "user" as const, content: "list the files" }],
  tools: [
    {
      type: "custom" as const,
      custom: {
        name: "shell",
        description: "Runs a command",
        format: { type: "grammar" as const, grammar: { definition: "start: WORD", syntax: "lark" as const } },
      },
    },
    { type: "function" as const, function: { name: "look_up", parameters: { type: "object", properties: {} } } },
  ],
};
const input = 'ls "a b"\n# ä';
const json = JSON.stringify({ input });

describe("a custom tool", () => {
  it("is a function with one text parameter at the provider, and its calls are custom calls", async () => {
    const calls = [
      { id: "c_1", type: "function", function: { name: "shell", arguments: json } },
      { id: "c_2", type: "function", function: { name: "look_up", arguments: "{}" } },
    ];
    upstream.plays(() => whole({ content: null, tool_calls: calls }, { choice: { finish_reason: "tool_calls" } }));
    const { choices } = await openai.chat.completions.create(request);
    expect(choices[0]?.message.tool_calls).toEqual([
      { id: "c_1", type: "custom", custom: { name: "shell", input } },
      { id: "c_2", type: "function", function: { name: "look_up", arguments: "{}" } },
    ]);
    const [shell] = JSON.parse(upstream.requests.at(-1)?.body ?? "").tools;
    expect(shell.function).toMatchObject({
      name: "shell",
      description: expect.stringMatching(/Runs a command.*lark grammar.*start: WORD/s),
      parameters: { required: ["input"], properties: { input: { type: "string" } } },
    });
  });

  it("can be called again with the message of its call and the result", async () => {
    upstream.plays(() => whole({ content: "Two files." }));
    const call = { id: "c_1", type: "custom" as const, custom: { name: "shell", input } };
    const { choices } = await openai.chat.completions.create({
      ...request,
      messages: [
        ...request.messages,
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", tool_call_id: "c_1", content: "a b" },
      ],
      tool_choice: { type: "custom", custom: { name: "shell" } },
    });
    expect(choices[0]?.message.content).toBe("Two files.");
    const sent = JSON.parse(upstream.requests.at(-1)?.body ?? "");
    expect(sent.messages[1].tool_calls).toEqual([
      { id: "c_1", type: "function", function: { name: "shell", arguments: json } },
    ]);
    expect(sent.tool_choice).toEqual({ type: "function", function: { name: "shell" } });
  });

  it("has its input at the end of a stream, however the arguments are cut", async () => {
    const named = { id: "c_1", type: "function", function: { name: "shell", arguments: "" } };
    const pieces = [...json].map((text) => chunk(delta({ tool_calls: [{ index: 0, function: { arguments: text } }] })));
    const first = chunk(delta({ role: "assistant", tool_calls: [{ index: 0, ...named }] }));
    const steps = [first, ...pieces, chunk(finish({}, { finish_reason: "tool_calls" })), "data: [DONE]\n\n"];
    upstream.plays(() => ({ steps: [{ write: steps.join("") }] }));
    const found: object[] = [];
    for await (const { choices } of await openai.chat.completions.create({ ...request, stream: true })) {
      found.push(...(choices[0]?.delta.tool_calls ?? []));
    }
    expect(found).toEqual([
      { index: 0, id: "c_1", type: "custom", custom: { name: "shell", input: "" } },
      { index: 0, custom: { input } },
    ]);
  });

  it.each<[string, object]>([
    ["tools.0.custom.name", { tools: [{ type: "custom", custom: {} }] }],
    ["tools.0.custom.name", { tools: [{ type: "custom", custom: { name: "no spaces" } }] }],
    ["tools.0.custom.format.type", { tools: [{ type: "custom", custom: { name: "f", format: { type: "ebnf" } } }] }],
    ["tools.0.type", { tools: [{ type: "web_search" }] }],
    ["tool_choice.custom.name", { tool_choice: { type: "custom", custom: { name: "other" } } }],
    ["tool_choice.custom.name", { tool_choice: { type: "custom", custom: {} } }],
    ["tool_choice.type", { tool_choice: { type: "web_search" } }],
  ])("has errors that name %s", async (param, more) => {
    const failure = openai.chat.completions.create({ ...request, ...more } as typeof request);
    await expect(failure).rejects.toMatchObject({ status: 400, param });
  });
});
