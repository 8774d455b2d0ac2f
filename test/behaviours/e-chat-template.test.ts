import { expect } from "vitest";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { type Failure, failureOf, paths, promptAnswer, type Reply, says, startStage, wrongPlaces } from "./support.ts";
import { warningsOf } from "./wire.ts";

const llama = "llama-3-8b-instruct";
const mixtral = "mixtral-8x7b-instruct";
const history = [...says("a"), { role: "assistant", content: "b" }, ...says("c")];
const system = { role: "system", content: "be terse" };
const turns = [
  [Role.USER, "a"],
  [Role.ASSISTANT, "b"],
  [Role.USER, "c"],
] as const;
const turn = (role: Role, value: string) => ({ role, parts: [{ kind: { case: "text" as const, value } }] });
const conversation = turns.map(([role, value]) => turn(role, value));
const joined = "{% for m in messages %}{{ m.content }}{% endfor %}";
/** Template with the check of the stock templates: roles must alternate, starting with the user. */
const alternating = `{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{
  raise_exception('Conversation roles must alternate!') }}{% endif %}[{{ m.content }}]{% endfor %}`;

/** Starts EGP with LLM Engine, which receives the rendered prompt (v1 API) or the template (v2 API). */
async function startEngine(api: "v1" | "v2" = "v1") {
  const scripts = { "llm-engine": api === "v1" ? [promptAnswer] : [], openai: [] };
  const deployments = { d1: { model: llama }, mix: { model: mixtral } };
  const stage = await startStage(scripts, { deployments, providers: { "llm-engine": { options: { api } } } });
  const { completeChat } = stage.service.chatClient("grpc");
  const chatOf = (model: string, chatTemplate: string, more: Parameters<typeof ask>[2] = {}): ChatRequest =>
    ask(model, "", { chatTemplate, messages: conversation, instructions: "", ...more });
  return {
    ...stage,
    prompt: () => stage.sent("llm-engine").prompt,
    /** Calls EGP chat completions. */
    chat: (model: string, chat_template: string, more: object = {}): Promise<Reply> =>
      stage.post(paths.egpChat, { model, chat_template, messages: history, instructions: null, ...more }),
    /** Calls EGP chat completions of a deployment. */
    deploy: (id: string, chat_template: string | undefined, more: object = {}): Promise<Reply> =>
      stage.post(paths.egpDeployment(id), { chat_template, chat_history: history.slice(0, 2), prompt: "c", ...more }),
    call: async (...request: Parameters<typeof chatOf>): Promise<void> => {
      await completeChat({ chat: chatOf(...request) });
    },
    failure: (...request: Parameters<typeof chatOf>): Promise<Failure> =>
      failureOf(completeChat({ chat: chatOf(...request) })),
  };
}
type Engine = Awaited<ReturnType<typeof startEngine>>;

/** Expects that both EGP APIs and gRPC reject a template with this text, without an upstream request. */
async function expectRefused(engine: Engine, model: "llama" | "mixtral", template: string, why: string): Promise<void> {
  const [id, name] = model === "llama" ? ["d1", llama] : ["mix", mixtral];
  const before = engine.asked();
  for (const rejected of [await engine.chat(name, template), await engine.deploy(id, template)]) {
    expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.chat_template"]]);
    expect(JSON.stringify(rejected.body)).toContain(why);
  }
  expect(await engine.failure(name, template)).toMatchObject({
    code: "InvalidArgument",
    reason: "INVALID_REQUEST",
    fields: ["chat.chat_template"],
    message: expect.stringContaining(why),
  });
  expect(engine.asked()).toBe(before);
}

behaviour(57, async () => {
  const engine = await startEngine();
  expect(await engine.chat(llama, joined)).toMatchObject({ status: 200 });
  expect(engine.prompt()).toBe("abc");
  expect(await engine.deploy("d1", joined)).toMatchObject({ status: 200 });
  expect(engine.prompt()).toBe("abc");
  await engine.call(llama, `>${joined}<`);
  expect(engine.prompt()).toBe(">abc<");

  // LLM Engine's v2 API renders templates itself.
  const v2 = await startEngine("v2");
  await v2.chat(llama, joined);
  expect(v2.sent("llm-engine")).toMatchObject({ chat_template: joined, messages: history });
});

behaviour(58, async () => {
  const { chat, failure, asked, post } = await startEngine();
  const rejected = await chat("gpt-4o", joined);
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([400, ["body.chat_template"]]);
  expect(await failure("gpt-4o", joined)).toMatchObject({
    code: "InvalidArgument",
    reason: "UNSUPPORTED_PARAMETER",
    fields: ["chat.chat_template"],
  });
  expect(asked()).toBe(0);
  expect(await post(paths.egpChat, { model: "gpt-4o", messages: says("hi") })).toMatchObject({ status: 200 });
});

const tokens = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";

behaviour(59, async () => {
  const engine = await startEngine();
  await engine.chat(llama, tokens);
  expect(engine.prompt()).toBe("<|begin_of_text|>a<|eot_id|>");
  await engine.call(llama, tokens);
  expect(engine.prompt()).toBe("<|begin_of_text|>a<|eot_id|>");
  await engine.chat("llama-2-7b-chat", tokens);
  expect(engine.prompt()).toBe("<s>a</s>");
});

behaviour(60, async () => {
  const engine = await startEngine();
  const told = await engine.chat(mixtral, tokens);
  expect(told.status).toBe(200);
  expect(engine.prompt()).toBe("a</s>");
  expect(warningsOf(told)).toContainEqual(["EMULATED", "chat_template"]);
  const plain = await engine.chat(mixtral, "{{ messages[0].content }}{{ eos_token }}");
  expect(warningsOf(plain)).not.toContainEqual(["EMULATED", "chat_template"]);
  expect(engine.prompt()).toBe("a</s>");
  await engine.call(mixtral, "{{ messages[0].content }}{{ eos_token }}");
  expect(engine.prompt()).toBe("a</s>");
});

behaviour(61, async () => {
  const engine = await startEngine();
  for (const template of ["{{ messages[0].content }}", "{{ eos_token }}", "no variable at all"]) {
    expect(await engine.chat(llama, template)).toMatchObject({ status: 200 });
    await engine.call(llama, template);
  }
  expect(engine.prompt()).toBe("no variable at all");
});

behaviour(62, async () => {
  const engine = await startEngine();
  await expectRefused(engine, "llama", "{{ foo }}", "foo");
  // Dragoman also rejects it in a condition and in a branch that is never executed.
  await expectRefused(engine, "llama", "{% if foo %}x{% endif %}y", "foo");
  await expectRefused(engine, "llama", "x{% if false %}{{ foo }}{% endif %}", "foo");
  // A variable that the template sets is declared.
  await engine.chat(llama, "{% set foo = 'bar' %}{{ foo }}");
  expect(engine.prompt()).toBe("bar");
});

behaviour(63, async () => {
  const engine = await startEngine();
  await engine.chat(llama, "{% for key, value in messages[0].items() %}{{ key }}={{ value }};{% endfor %}");
  expect(engine.prompt()).toBe("role=user;content=a;");
  await engine.call(llama, "{% if messages[0].name is defined %}seen{% else %}unseen{% endif %}", {
    messages: conversation.map((message) => ({ ...message, name: "ann" })),
  });
  expect(engine.prompt()).toBe("unseen");
  await expectRefused(engine, "llama", "{{ messages[0].name }}", "name");
  await expectRefused(engine, "llama", "{{ messages[0]['tool_calls'] }}", "tool_calls");
});

behaviour(64, async () => {
  const engine = await startEngine();
  const first = "{{ messages[0].role }}: {{ messages[0].content }}";
  await engine.chat(llama, first, { instructions: "be terse" });
  expect(engine.prompt()).toBe("system: be terse");
  await engine.chat(llama, first, { instructions: undefined, messages: [system, ...history] });
  expect(engine.prompt()).toBe("system: be terse");
  // The default instructions count as instructions too.
  await engine.chat(llama, first, { instructions: undefined });
  expect(engine.prompt()).toMatch(/^system: You are an AI assistant/);
  await engine.call(llama, first, { instructions: "be terse" });
  expect(engine.prompt()).toBe("system: be terse");
  await engine.chat(llama, first);
  expect(engine.prompt()).toBe("user: a");
});

behaviour(65, async () => {
  const engine = await startEngine();
  expect(await engine.chat(mixtral, alternating)).toMatchObject({ status: 200 });
  expect(engine.prompt()).toBe("[a][b][c]");
  await engine.call(mixtral, alternating);
  expect(engine.prompt()).toBe("[a][b][c]");
  const before = engine.asked();
  // Without the field, the default instructions apply, which such a template rejects.
  expect(await engine.chat(mixtral, alternating, { instructions: undefined })).toMatchObject({ status: 422 });
  expect(await engine.failure(mixtral, alternating, { instructions: "be terse" })).toMatchObject({
    code: "InvalidArgument",
  });
  expect(engine.asked()).toBe(before);
});

behaviour(66, async () => {
  const engine = await startEngine();
  await expectRefused(engine, "mixtral", "{{ raise_exception('no such conversation') }}", "no such conversation");
  const wrong = { messages: [...says("a"), ...says("b")] };
  const rejected = await engine.chat(mixtral, alternating, wrong);
  expect(rejected).toMatchObject({
    status: 422,
    body: { detail: [{ msg: expect.stringContaining("Conversation roles must alternate!") }] },
  });
  expect(engine.asked()).toBe(0);
});

behaviour(67, async () => {
  const engine = await startEngine();
  const late = [...says("a"), system, ...says("b")];
  const rejected = await engine.chat(mixtral, joined, { messages: late, instructions: undefined });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.messages.1.role"]]);
  const deployed = await engine.deploy("mix", joined, { chat_history: late });
  expect([deployed.status, wrongPlaces(deployed)]).toEqual([422, ["body.chat_history.1.role"]]);
  const messages = conversation.with(1, turn(Role.SYSTEM, "x"));
  expect(await engine.failure(mixtral, joined, { messages })).toMatchObject({
    code: "InvalidArgument",
    fields: ["chat.messages[1].role"],
  });
  expect(engine.asked()).toBe(0);
  await engine.chat(mixtral, joined, { messages: [system, ...says("a")], instructions: undefined });
  expect(engine.prompt()).toBe("be tersea");
  // For Llama 3, a template may see the system message at any position.
  await engine.chat(llama, joined, { messages: late, instructions: undefined });
  expect(engine.prompt()).toBe("abe terseb");
});

behaviour(68, async () => {
  const engine = await startEngine();
  await expectRefused(engine, "llama", "{% if %}", "line 1");
  await expectRefused(engine, "llama", "fine\nfine\n{{ messages[ }}", "line 3");
  await expectRefused(engine, "llama", "{% for m in messages %}", "line 1");
});

behaviour(69, async () => {
  const engine = await startEngine();
  const refusals = [
    ["{% for i in range(10 ** 9) %}x{% endfor %}", "range"],
    [`${"{% for i in range(9999) %}".repeat(4)}${"{% endfor %}".repeat(4)}x`, "it takes longer than"],
    [
      "{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
      "it builds a text of more than",
    ],
    ["{% include 'other.jinja' %}", "include"],
    ["{% import 'other.jinja' as other %}", "import"],
    ["{{ messages.__class__ }}", "__class__"],
    ["{{ messages.constructor }}", "constructor"],
    ["{{ messages[0].content.constructor('return process')() }}", "constructor"],
    ["{{ process.env }}", "process"],
  ] as const;
  for (const [template, why] of refusals) await expectRefused(engine, "llama", template, why);
  // These templates do not affect later calls.
  await engine.chat(llama, joined);
  expect(engine.prompt()).toBe("abc");
});

behaviour(70, async () => {
  const engine = await startEngine();
  await expectRefused(engine, "llama", "x".repeat(10_001), "10000");
  expect(await engine.chat(llama, "x".repeat(10_000))).toMatchObject({ status: 200 });
  expect(engine.prompt()).toHaveLength(10_000);
});

behaviour(71, async () => {
  const engine = await startEngine();
  const template = "{{ greet }} {{ messages[0].content }}";
  const kwargs = { greet: "yo" };
  await engine.deploy("d1", template, { chat_template_kwargs: kwargs });
  expect(engine.prompt()).toBe("yo a");
  await engine.call(llama, template, { chatTemplateKwargs: kwargs });
  expect(engine.prompt()).toBe("yo a");
  await expectRefused(engine, "llama", template, "greet");
  const v2 = await startEngine("v2");
  await v2.deploy("d1", template, { chat_template_kwargs: kwargs });
  expect(v2.sent("llm-engine")).toMatchObject({ chat_template: template, chat_template_kwargs: kwargs });
});

behaviour(72, async () => {
  for (const api of ["v1", "v2"] as const) {
    const engine = await startEngine(api);
    for (const name of ["messages", "bos_token", "eos_token"]) {
      for (const template of [joined, undefined]) {
        const rejected = await engine.deploy("d1", template, { chat_template_kwargs: { [name]: "x" } });
        expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, [`body.chat_template_kwargs.${name}`]]);
      }
      expect(await engine.failure(llama, joined, { chatTemplateKwargs: { [name]: "x" } })).toMatchObject({
        code: "InvalidArgument",
        fields: [`chat.chat_template_kwargs.${name}`],
      });
    }
    expect(engine.asked()).toBe(0);
  }
});

behaviour(73, async () => {
  const chat_template_kwargs = { enable_thinking: false };
  const deployments = { thinker: { model: "llm-engine/qwen3-8b" } };
  const options = { options: { api: "v1" } };
  const v1 = await startStage({ "llm-engine": [promptAnswer] }, { deployments, providers: { "llm-engine": options } });
  const path = paths.egpDeployment("thinker");
  const body = { prompt: "hi", chat_history: [] };
  await v1.post(path, { ...body, chat_template_kwargs });
  const prompt = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n";
  expect(v1.sent("llm-engine").prompt).toBe(`${prompt}<think>\n\n</think>\n\n`);
  await v1.post(path, body);
  expect(v1.sent("llm-engine").prompt).toBe(prompt);
  const chat = ask("deployments/thinker", "hi", { chatTemplateKwargs: { enable_thinking: false } });
  await v1.service.chatClient("grpc").completeChat({ chat });
  expect(v1.sent("llm-engine").prompt).toBe(`${prompt}<think>\n\n</think>\n\n`);

  const v2 = await startStage({ "llm-engine": [] }, { deployments });
  await v2.post(path, { ...body, chat_template_kwargs });
  expect(v2.sent("llm-engine")).toMatchObject({ chat_template_kwargs });
  expect(v2.sent("llm-engine")).not.toHaveProperty("chat_template");
});

behaviour(74, async () => {
  const { post, sent, service } = await startStage({ deepinfra: [] });
  const chat_template_kwargs = { enable_thinking: false, depth: { most: 3 } };
  const body = { model: "vendor/thinker", messages: says("hi") };
  expect(await post(paths.deepinfra, { ...body, chat_template_kwargs })).toMatchObject({ status: 200 });
  expect(sent("deepinfra")).toMatchObject({ chat_template_kwargs });
  const chat = ask("deepinfra/vendor/thinker", "hi", { chatTemplateKwargs: chat_template_kwargs });
  await service.chatClient("grpc").completeChat({ chat });
  expect(sent("deepinfra")).toMatchObject({ chat_template_kwargs });
  const rejected = await post(paths.deepinfra, { ...body, chat_template_kwargs: [1] });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.chat_template_kwargs"]]);
});

behaviour(75, async () => {
  const engine = await startEngine();
  const body = { messages: says("hi"), instructions: "be terse" };
  const prompts = {
    [llama]:
      "<|start_header_id|>system<|end_header_id|>\n\nbe terse<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    [mixtral]: " [INST] be terse\n\nhi [/INST]",
    "llama-2-7b-chat": expect.stringMatching(/\[INST\] <<SYS>>\nbe terse\n<<\/SYS>>\n\nhi \[\/INST\]$/),
    "zephyr-cat-merged": expect.stringContaining("<|user|>\nhi</s>\n<|assistant|>\n"),
    "phi-3-mini-4k-instruct": expect.stringContaining("<|user|>\nhi<|end|>\n<|assistant|>\n"),
    "dolphin-2.9-llama3-8b": expect.stringContaining("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"),
  };
  for (const [model, prompt] of Object.entries(prompts)) {
    await engine.post(paths.egpChat, { model, ...body });
    expect([model, engine.prompt()]).toEqual([model, prompt]);
    const chat = ask(model, "hi", { instructions: "be terse" });
    await engine.service.chatClient("grpc").completeChat({ chat });
    expect([model, engine.prompt()]).toEqual([model, prompt]);
  }
});
