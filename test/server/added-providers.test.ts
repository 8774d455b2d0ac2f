import { ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

const hello: Script = { steps: [{ write: textChunk("Hi") + streamEnd }] };
const json = (status: number, body: object): Script => ({
  status,
  headers: { "content-type": "application/json" },
  steps: [{ write: JSON.stringify(body) }],
});
const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5",
  content: [],
  stop_reason: null,
  usage: { input_tokens: 1, output_tokens: 1 },
};
const event = (data: { readonly type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const claude: Script = {
  steps: [
    {
      write: [
        { type: "message_start", message },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "Hi" } },
        { type: "content_block_stop", index: 0 },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
        { type: "message_stop" },
      ]
        .map(event)
        .join(""),
    },
  ],
};

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

interface Stage {
  readonly upstream: ReplayUpstream;
  readonly service: TestService;
}

/** Starts a service with one added provider, whose section can name `base_url: URL`. */
async function start(providers: string, ...scripts: readonly Script[]): Promise<Stage> {
  const upstream = await startReplayUpstream(...scripts);
  const yaml = `providers:\n  ${providers.replaceAll("URL", upstream.baseUrl)}\n`;
  const service = await startTestService({}, undefined, yaml);
  open.push(upstream, { [Symbol.asyncDispose]: () => service.stop() });
  return { upstream, service };
}

const bodyOf = ({ requests }: ReplayUpstream, index = 0) => JSON.parse(requests[index]?.body ?? "");

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(await call.catch((error: unknown) => error));
}

describe("a second OpenAI under its own name", () => {
  const section = "openai-eu: { dialect: openai, base_url: URL, api_key: sk-the-key-of-eu }";

  it("answers, and the response, the record and the attempt have its name", async () => {
    const { upstream, service } = await start(section, hello);
    const options = { "openai-eu": { verbosity: "low" }, openai: { store: true } };
    const chat = ask("openai-eu/gpt-4o", "hi", { providerOptions: options });
    const { completion } = await service.chatClient("grpc").completeChat({ chat });
    expect(completion).toMatchObject({ model: "openai-eu/gpt-4o", provider: "openai-eu" });
    expect(completion?.attempts).toMatchObject([{ provider: "openai-eu", target: "openai-eu/gpt-4o", credential: "" }]);
    expect(await service.nextRecord()).toMatchObject({ provider: "openai-eu", model: "openai-eu/gpt-4o" });
    expect(upstream.requests[0]).toMatchObject({
      path: "/chat/completions",
      headers: { authorization: "Bearer sk-the-key-of-eu" },
    });
    expect(bodyOf(upstream)).toMatchObject({ model: "gpt-4o", verbosity: "low" });
    expect(bodyOf(upstream)).not.toHaveProperty("store");
  });

  it("has the rules of OpenAI's models, listed or not", async () => {
    const { upstream, service } = await start(section, hello);
    const client = service.chatClient("grpc");
    for (const [index, model] of ["openai-eu/o3-mini", "openai-eu/gpt-5-unheard-of"].entries()) {
      const { completion } = await client.completeChat({
        chat: ask(model, "hi", { parameters: { temperature: 0.5, maxOutputTokens: 9 } }),
      });
      expect(completion?.warnings[0]).toMatchObject({ field: "parameters.temperature" });
      expect(bodyOf(upstream, index)).toMatchObject({ max_completion_tokens: 9 });
    }
  });

  it("has the models of OpenAI with their facts, and exact token counts", async () => {
    const { service } = await start(section, hello);
    const models = service.modelClient("grpc");
    const { models: listed } = await models.listModels({ provider: "openai-eu", pageSize: 1000 });
    expect(listed.map(({ id }) => id)).toContain("openai-eu/gpt-4o");
    expect(listed.every(({ id, family }) => id.startsWith("openai-eu/") && family === "openai-chat")).toBe(true);
    const { model } = await models.getModel({ id: "openai-eu/gpt-4o" });
    expect(model).toMatchObject({ contextWindowTokens: 128_000, provider: "openai-eu" });
    expect((await models.getModel({ id: "openai-eu/gpt-unlisted" })).model?.family).toBe("openai-chat");
    const plan = await service.chatClient("grpc").planChat({ chat: ask("openai-eu/gpt-4o", "hi") });
    expect(plan.inputTokensQuality).toBe(UsageQuality.EXACT);
  });

  it("is suggested for a model of OpenAI if OpenAI itself is off", async () => {
    const { service } = await start(section, hello);
    const error = await failureOf(service.chatClient("grpc").completeChat({ chat: ask("openai/gpt-4o", "hi") }));
    expect(error.rawMessage).toMatch(/set OPENAI_API_KEY.*available as openai-eu\/gpt-4o$/);
  });

  it("says why it is off", async () => {
    const { service } = await start("openai-eu: { dialect: openai, api_key: k, enabled: false }");
    const error = await failureOf(service.chatClient("grpc").completeChat({ chat: ask("openai-eu/x", "hi") }));
    expect(error.rawMessage).toContain("which is not configured: providers.openai-eu.enabled is false");
  });

  it("takes the fields of OpenAI's HTTP API that only its providers get", async () => {
    const { upstream, service } = await start(section, hello);
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "openai-eu/gpt-4o",
        messages: [{ role: "user", content: "hi" }],
        user: "ann",
        safety_identifier: "hash-of-ann",
        store: false,
      }),
    });
    expect(response.status).toBe(200);
    expect(bodyOf(upstream)).toMatchObject({ user: "ann", safety_identifier: "hash-of-ann", store: false });
  });
});

describe("a second Anthropic under its own name", () => {
  const section = "claude-eu: { dialect: anthropic, base_url: URL, api_key: sk-ant-eu }";
  const search = (provider: string) => ({
    kind: { case: "providerTool" as const, value: { provider, type: "web_search_20250305", configJson: "" } },
  });

  it("speaks Anthropic's API, with the options of its own name", async () => {
    const { upstream, service } = await start(section, claude);
    const chat = ask("claude-eu/claude-sonnet-4-5", "hi", {
      providerOptions: { "claude-eu": { betas: ["b-2026-01-01"], container: "c1" }, anthropic: { container: "c2" } },
    });
    const { completion } = await service.chatClient("grpc").completeChat({ chat });
    expect(completion).toMatchObject({ provider: "claude-eu", choices: [{ finishReason: 1 }] });
    expect(upstream.requests[0]).toMatchObject({
      path: "/v1/messages",
      headers: { "x-api-key": "sk-ant-eu", "anthropic-beta": expect.stringContaining("b-2026-01-01") },
    });
    expect(bodyOf(upstream)).toMatchObject({ container: "c1" });
  });

  it.each(["claude-eu", "anthropic"])("runs the provider tools of %s", async (provider) => {
    const { upstream, service } = await start(section, claude);
    const chat = ask("claude-eu/claude-sonnet-4-5", "hi", { tools: [search(provider)] });
    await service.chatClient("grpc").completeChat({ chat });
    expect(bodyOf(upstream).tools).toMatchObject([{ type: "web_search_20250305" }]);
  });

  it("rejects the provider tools of others", async () => {
    const { service } = await start(section, claude);
    const chat = ask("claude-eu/claude-sonnet-4-5", "hi", { tools: [search("openai")] });
    const error = await failureOf(service.chatClient("grpc").completeChat({ chat }));
    expect(error.rawMessage).toContain("the tool is one of openai, but the request goes to claude-eu");
  });
});

describe("a server with OpenAI's API that Dragoman does not know", () => {
  const section = "my-gpu: { dialect: chat-completions, base_url: URL }";

  it("answers without a key, and warnings have its name", async () => {
    const { upstream, service } = await start(section, hello);
    const chat = ask("my-gpu/org/model:7b", "hi", { parameters: { topK: 3, maxOutputTokens: 9 }, serviceTier: "flex" });
    const { completion } = await service.chatClient("grpc").completeChat({ chat });
    expect(completion).toMatchObject({ provider: "my-gpu", model: "my-gpu/org/model:7b" });
    expect(completion?.warnings).toMatchObject([{ field: "service_tier", message: expect.stringMatching(/my-gpu/) }]);
    expect(upstream.requests[0]?.headers).not.toHaveProperty("authorization");
    expect(bodyOf(upstream)).toMatchObject({ model: "org/model:7b", top_k: 3, max_tokens: 9 });
  });

  it.each([
    ["a text", { status: 404, headers: { "content-type": "text/plain" }, steps: [{ write: "404 page not found" }] }],
    ["no body", { status: 404 }],
    ["FastAPI's body", json(404, { detail: "Not Found" })],
  ])("says that base_url may lack /v1 after a 404 with %s", async (_name, script) => {
    const { service } = await start(section, script);
    const error = await failureOf(service.chatClient("grpc").completeChat({ chat: ask("my-gpu/m", "hi") }));
    expect(error.rawMessage).toBe(
      "the provider does not have the path of the request (HTTP 404): is base_url right? It may lack /v1 at its end",
    );
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason: "PROVIDER_FAULT", metadata: { provider: "my-gpu" } },
    ]);
  });

  it("does not suggest /v1 for a base URL that has it", async () => {
    const { service } = await start("my-gpu: { dialect: chat-completions, base_url: URL/v1 }", { status: 404 });
    const error = await failureOf(service.chatClient("grpc").completeChat({ chat: ask("my-gpu/m", "hi") }));
    expect(error.rawMessage).toMatch(/is base_url right\?$/);
  });
});

it("lists and serves a second Cerebras in Cerebras' HTTP API, with its prefix", async () => {
  const { upstream, service } = await start("cerebras-eu: { dialect: cerebras, base_url: URL, api_key: k }", hello);
  const base = `http://${service.httpAddress}/cerebras/v1`;
  const { data } = (await (await fetch(`${base}/models`)).json()) as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toContain("cerebras-eu/gpt-oss-120b");
  for (const [index, name] of ["gpt-oss-120b", "unlisted"].entries()) {
    const response = await fetch(`${base}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: `cerebras-eu/${name}`, messages: [{ role: "user", content: "hi" }] }),
    });
    expect([response.status, bodyOf(upstream, index).model]).toEqual([200, name]);
  }
});

it("runs a second echo with the script of its own options", async () => {
  const { service } = await start("echo-2: { dialect: echo }");
  const providerOptions = { "echo-2": { text: "mine" }, echo: { text: "not mine" } };
  const chat = ask("echo-2/echo", "hi", { providerOptions });
  const { completion } = await service.chatClient("grpc").completeChat({ chat });
  expect(completion).toMatchObject({ provider: "echo-2" });
  expect(JSON.stringify(completion?.choices[0]?.message?.parts)).toContain("mine");
  expect(JSON.stringify(completion?.choices[0]?.message?.parts)).not.toContain("not mine");
});
