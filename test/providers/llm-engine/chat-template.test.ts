import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import type { ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { MessageSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { startAttempt } from "../../../src/routing/attempt.ts";
import { createLlmEngine } from "../../contract/fixtures/llm-engine.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { ask } from "../../support/requests.ts";

type More = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;
type Api = "v1" | "v2";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

const { signal } = new AbortController();
const answers: Readonly<Record<Api, Script>> = {
  v1: {
    headers: { "content-type": "application/json" },
    steps: [{ write: '{"request_id":"c4bf","output":{"text":"Hi","num_completion_tokens":1}}' }],
  },
  v2: {
    headers: { "content-type": "application/json" },
    steps: [
      {
        write:
          '{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}',
      },
    ],
  },
};

async function start(api: Api, options: object = {}) {
  const upstream = await startReplayUpstream(answers[api]);
  const adapter = createLlmEngine(upstream.baseUrl, { api, ...options });
  open.push({ [Symbol.asyncDispose]: async () => adapter.close?.() }, upstream);

  function limit(request: ChatRequest, model: Model) {
    return applyAdaptations(request, adapter.checkSupport(request, model));
  }

  return {
    upstream,
    limit,
    plan: async (request: ChatRequest, model: Model) => {
      const limited = limit(request, model).request;
      const prompt = await adapter.prompt?.(limited, model, { holder: "account:a", signal });
      return { prompt, body: adapter.describe(limited, model, prompt) };
    },
    /** Returns the body of the upstream request. */
    send: async (request: ChatRequest, model: Model): Promise<Record<string, unknown>> => {
      for await (const _ of startAttempt({ model, adapter }, limit(request, model).request, {
        signal,
        holder: "account:a",
        whole: true,
      }).events);
      return JSON.parse(upstream.requests.at(-1)?.body ?? "{}");
    },
  };
}

const modelOf = (providerModel: string, templateFamily = ""): Model =>
  create(ModelSchema, { id: `llm-engine/${providerModel}`, provider: "llm-engine", providerModel, templateFamily });
const llama = modelOf("llama-3-8b-instruct");
const say = (chatTemplate: string | undefined, more: More = {}) =>
  ask("llm-engine/m", "Grüße </s> 世界", { ...(chatTemplate !== undefined && { chatTemplate }), ...more });
const joining = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %} \n{{ bos_token }} {{ eos_token }} ";

describe("a chat template with LLM Engine's v1", () => {
  it("renders the same prompt for a plan and for the upstream request", async () => {
    const { send, plan } = await start("v1");
    const prompt = "[user]Grüße </s> 世界 \n<|begin_of_text|> <|eot_id|> ";
    expect(await plan(say(joining), llama)).toMatchObject({ prompt, body: { prompt } });
    expect((await send(say(joining), llama)).prompt).toBe(prompt);
  });

  it("does not render a prompt that the context already has", async () => {
    const { upstream } = await start("v1");
    const adapter = createLlmEngine(upstream.baseUrl, { api: "v1" });
    const context = {
      signal,
      holder: "account:a",
      attempt: create(AttemptSchema),
      queue: { waitsFor: undefined },
      prompt: "written before",
    };
    for await (const _ of adapter.complete?.(say("{{ foo }}"), llama, context) ?? []);
    await adapter.close?.();
    expect(JSON.parse(upstream.requests[0]?.body ?? "").prompt).toBe("written before");
  });

  it("accepts an endpoint of unknown family with a chat template", async () => {
    const falcon = modelOf("falcon-40b");
    const { send, limit } = await start("v1");
    expect((await send(say("{{ messages[0].content }}"), falcon)).prompt).toBe("Grüße </s> 世界");
    expect(() => limit(say(undefined), falcon)).toThrow("send chat_template");
  });

  it("chooses the stock template by configuration, catalog, then endpoint name", async () => {
    const { send } = await start("v1");
    expect((await send(say(undefined), llama)).prompt).toContain("<|start_header_id|>user");
    expect((await send(say(undefined), modelOf("llama-3-8b", "mixtral"))).prompt).toBe(
      " [INST] Grüße </s> 世界 [/INST]",
    );
    const configured = await start("v1", { template: "chatml" });
    expect((await configured.send(say(undefined), modelOf("llama-3-8b", "mixtral"))).prompt).toContain("<|im_start|>");
  });

  it("uses no template for a model that supports only text completion", async () => {
    const base = modelOf("llama-3-8b", "none");
    const { send, limit } = await start("v1");
    expect((await send(say(undefined), base)).prompt).toBe("Grüße </s> 世界");
    const turn = create(MessageSchema, { role: Role.ASSISTANT, parts: [{ kind: { case: "text", value: "Hi" } }] });
    const two = { ...say(undefined), messages: [...say(undefined).messages, turn] };
    expect(() => limit(two, base)).toThrow("send one user message");
  });

  it("passes known variables to the stock template and reports the others", async () => {
    const { send, limit } = await start("v1");
    const qwen = modelOf("qwen3-8b");
    const chatTemplateKwargs = { enable_thinking: false, mood: "good" };
    expect((await send(say(undefined, { chatTemplateKwargs }), qwen)).prompt).toMatch(/<think>\n\n<\/think>\n\n$/);
    const limited = (model: Model) => limit(say(undefined, { chatTemplateKwargs }), model);
    expect(limited(qwen).request.chatTemplateKwargs).toEqual({ enable_thinking: false });
    expect(limited(qwen).warnings).toContainEqual(
      expect.objectContaining({ reason: "ADJUSTED", message: "the stock template has no variable mood" }),
    );
    expect(limited(llama).request.chatTemplateKwargs).toBeUndefined();
    expect(limited(llama).warnings).toContainEqual(
      expect.objectContaining({ reason: "UNSUPPORTED_PARAMETER", field: "chat_template_kwargs" }),
    );
  });
});

describe("a chat template with LLM Engine's v2", () => {
  it("sends the caller's template unchanged and shows the prompt in a plan", async () => {
    const chatTemplateKwargs = { greet: "yo" };
    const request = say("{{ greet }} {{ messages[0].content }}{{ eos_token }}", { chatTemplateKwargs });
    const { send, plan } = await start("v2");
    const fields = { chat_template: request.chatTemplate, chat_template_kwargs: chatTemplateKwargs };
    expect(await plan(request, llama)).toMatchObject({ prompt: "yo Grüße </s> 世界<|eot_id|>", body: fields });
    expect(await send(request, llama)).toMatchObject(fields);
  });

  it("shows Mixtral's bos_token, which the engine renders", async () => {
    const { send, plan, limit } = await start("v2");
    const request = say("{{ bos_token }}{{ messages[0].content }}");
    const mixtral = modelOf("mixtral-8x7b-instruct");
    expect((await plan(request, mixtral)).prompt).toBe("<s>Grüße </s> 世界");
    expect(limit(request, mixtral).warnings).toEqual([]);
    expect(await send(request, mixtral)).toMatchObject({ chat_template: request.chatTemplate });
  });

  it("sends a template with special tokens that only the engine knows, and shows no prompt", async () => {
    const { send, plan } = await start("v2");
    const request = say("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}");
    expect((await plan(request, modelOf("falcon-40b"))).prompt).toBeUndefined();
    expect(await send(request, modelOf("falcon-40b"))).toMatchObject({ chat_template: request.chatTemplate });
    await expect(send(say("{{ foo }}"), modelOf("falcon-40b"))).rejects.toMatchObject({ reason: "INVALID_REQUEST" });
  });

  it("renders the tools of the request", async () => {
    const { plan } = await start("v2");
    const tools = [{ kind: { case: "function", value: { name: "look" } } }] as const;
    const request = say("{{ tools[0].function.name }}{{ messages[0].content }}", { tools: [...tools] });
    expect((await plan(request, llama)).prompt).toBe("lookGrüße </s> 世界");
  });

  it("sends messages without a prompt if there is no chat template", async () => {
    const { send, plan } = await start("v2");
    expect((await plan(say(undefined), llama)).prompt).toBeUndefined();
    expect(await send(say(undefined, { chatTemplateKwargs: { enable_thinking: false } }), llama)).toMatchObject({
      messages: [{ role: "user", content: "Grüße </s> 世界" }],
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  it("rejects parts other than text together with a chat template", async () => {
    const media = { kind: { case: "media", value: { mediaType: "image/png" } } } as const;
    const request = say("{{ messages }}", { messages: [{ role: Role.USER, parts: [media] }] });
    const { limit } = await start("v2");
    expect(() => limit({ ...request }, llama)).toThrow("only text");
  });
});

describe.each<Api>(["v1", "v2"])("an invalid chat template with LLM Engine's %s", (api) => {
  it.each<[string, string, More, string]>([
    ["an unknown variable", "{{ foo }}", {}, "foo"],
    ["an unknown key of a message", "{{ messages[0].name }}", {}, "name is not defined"],
    ["a syntax error", "a\n{% if %}", {}, "line 2"],
    ["an exception", "{{ raise_exception('roles must alternate') }}", {}, "roles must alternate"],
    ["an endless loop", "{% for i in range(10**9) %}x{% endfor %}", {}, "range"],
    ["a reserved name", "x", { chatTemplateKwargs: { messages: [] } }, "messages"],
  ])("rejects %s without an upstream request", async (_, source, more, why) => {
    const { upstream, plan, send } = await start(api);
    const refusal = { reason: "INVALID_REQUEST", message: expect.stringContaining(why) };
    await expect(plan(say(source, more), llama)).rejects.toMatchObject(refusal);
    await expect(send(say(source, more), llama)).rejects.toMatchObject(refusal);
    expect(upstream.requests).toHaveLength(0);
  });

  it("rejects a reserved name without a template, with no upstream request", async () => {
    const { upstream, send } = await start(api);
    const request = say(undefined, { chatTemplateKwargs: { bos_token: "x" } });
    await expect(send(request, llama)).rejects.toMatchObject({ reason: "INVALID_REQUEST" });
    expect(upstream.requests).toHaveLength(0);
  });
});
