import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { requireKey, startTestService, type TestService } from "../support/service.ts";

/** Servers by the first segment of the path, in one process: what each answers to GET <server>/v1/models. */
const servers: Readonly<Record<string, (response: ServerResponse) => void>> = {
  vllm: json({
    object: "list",
    data: [
      {
        id: "Qwen/Qwen3-8B",
        object: "model",
        created: 1,
        owned_by: "vllm",
        root: "Qwen/Qwen3-8B",
        max_model_len: 40960,
      },
      { id: "lora-a", object: "model", owned_by: "vllm", parent: "Qwen/Qwen3-8B", max_model_len: null },
    ],
  }),
  sglang: json({ object: "list", data: [{ id: "renamed", object: "model", max_model_len: 8192 }, { id: "chat" }] }),
  ollama: json({ object: "list", data: [{ id: "llama3.2:latest", object: "model", owned_by: "library" }] }),
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-context.cpp
  llamacpp: json({
    models: [{ name: "m", model: "m" }],
    object: "list",
    data: [{ id: "/models/my model.gguf", object: "model", meta: { n_ctx: 4096, n_ctx_train: 131072 } }],
  }),
  "no-models": json({ object: "list", data: null }),
  "bare-list": json([{ id: "meta/llama", context_length: 131072 }]),
  "not-json": (response) => response.writeHead(200, { "content-type": "application/json" }).end("<html>{"),
  "other-json": json({ models: [{ name: "x" }] }),
  "strange-ids": json({
    data: [
      ...[1, null, "text", {}, { id: 7 }, { id: "" }, { id: "  " }, { id: "line\nbreak" }, { id: "\u202Egnirts" }],
      ...[{ id: "\ud800" }, { id: "x".repeat(300) }, { id: "twice" }, { id: "twice", max_model_len: 1 }],
      { id: "__proto__", max_model_len: "many", meta: "none", context_length: -1, context_window: 1e300 },
    ],
  }),
  huge: json({ data: Array.from({ length: 5000 }, (_, index) => ({ id: `model-${String(index).padStart(4, "0")}` })) }),
  endless: (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"data": [');
    const block = `${JSON.stringify({ id: "x".repeat(1000) })},`.repeat(100);
    const more = () => {
      while (!response.destroyed && response.write(block));
    };
    response.on("drain", more);
    more();
  },
  moved: (response) => response.writeHead(302, { location: "http://127.0.0.1:1/v1/models" }).end(),
  "needs-key": json({ error: { message: "no key", type: "invalid_request_error" } }, 401),
};

function json(body: unknown, status = 200) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
}

const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  const [, name = "", ...rest] = (request.url ?? "").split("/");
  if (request.method !== "GET" || rest.join("/") !== "v1/models") response.writeHead(404).end();
  else servers[name]?.(response);
});

const baseOf = (name: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}/v1`;

let service: TestService;
let openai: OpenAI;
const known = ["vllm", "sglang", "ollama", "llamacpp"];

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const added = Object.keys(servers).filter((name) => !known.includes(name));
  const file = {
    providers: {
      ...Object.fromEntries(known.map((name) => [name, { base_url: baseOf(name) }])),
      ...Object.fromEntries(added.map((name) => [name, { dialect: "chat-completions", base_url: baseOf(name) }])),
      vllm: { base_url: baseOf("vllm"), api_key: "vllm-key" },
      "turned-off": { dialect: "vllm", base_url: baseOf("vllm"), list_models: "off" },
      disabled: { dialect: "vllm", base_url: baseOf("vllm"), enabled: false },
      hosted: { dialect: "deepinfra", base_url: baseOf("vllm"), api_key: "k" },
      asked: { dialect: "deepinfra", base_url: baseOf("ollama"), api_key: "k", list_models: "on" },
      absent: { dialect: "vllm", base_url: "http://127.0.0.1:1/v1" },
    },
    models: { mine: { provider: "sglang", provider_model: "renamed" } },
    routes: { "sglang/chat": { tiers: [{ targets: [{ model: "echo/echo" }] }] } },
  };
  service = await startTestService({}, undefined, JSON.stringify(file));
  openai = new OpenAI({ baseURL: `http://${service.httpAddress}/v1`, apiKey: "none" });
});
afterAll(async () => {
  await service.stop();
  server.closeAllConnections();
  server.close();
});

async function idsOf(provider: string): Promise<readonly unknown[]> {
  const { models } = await service.modelClient("grpc").listModels({ provider, pageSize: 1000 });
  return models.map(({ id, contextWindowTokens }) => (contextWindowTokens ? [id, contextWindowTokens] : id));
}

describe("the models that own servers list", () => {
  it("does not ask a server before somebody wants a list", () => {
    expect(requests).toEqual([]);
  });

  const expected: readonly (readonly [string, unknown])[] = [
    ["vllm", [["vllm/Qwen/Qwen3-8B", 40960], "vllm/lora-a"]],
    ["ollama", ["ollama/llama3.2:latest"]],
    ["llamacpp", [["llamacpp//models/my model.gguf", 4096]]],
    ["bare-list", [["bare-list/meta/llama", 131072]]],
    // The configuration and a route have the names of both models.
    ["sglang", ["mine"]],
    ["asked", expect.arrayContaining(["asked/llama3.2:latest"])],
    ["no-models", []],
    ["strange-ids", ["strange-ids/__proto__", "strange-ids/twice"]],
    ...["not-json", "other-json", "endless", "moved", "needs-key", "absent", "turned-off", "disabled"].map(
      (name) => [name, []] as const,
    ),
  ];

  it.each(expected)("lists those of %s", async (name, models) => {
    expect(await idsOf(name)).toEqual(models);
  });

  it("lists at most 1,000 of a server, in pages that stay in order", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `huge/model-${String(index).padStart(4, "0")}`);
    const { data } = await openai.models.list();
    expect(data.flatMap(({ id, owned_by }) => (owned_by === "huge" ? [id] : []))).toEqual(names);
    const pages: string[] = [];
    let pageToken = "";
    while (pages.length < 30) {
      const page = await service.modelClient("grpc").listModels({ provider: "huge", pageSize: 10, pageToken });
      pages.push(...page.models.map(({ id }) => id));
      pageToken = page.nextPageToken;
    }
    expect(pages).toEqual(names.slice(0, 30));
  });

  it("asks with the key of the provider, by GET and without a body", async () => {
    await idsOf("vllm");
    const [request] = requests.filter(({ url }) => url === "/vllm/v1/models");
    expect(request?.headers).toMatchObject({ authorization: "Bearer vllm-key", accept: "application/json" });
    expect(request?.headers).not.toHaveProperty("content-type");
    expect(request?.headers).not.toHaveProperty("transfer-encoding");
    expect(requests.filter(({ url }) => url === "/vllm/v1/models")).toHaveLength(1);
  });

  it("lists them over OpenAI's API, for its own client", async () => {
    const { data } = await openai.models.list();
    expect(data).toContainEqual({ id: "vllm/Qwen/Qwen3-8B", object: "model", created: 0, owned_by: "vllm" });
    const ids = data.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id.startsWith("hosted/") && id.includes("Qwen3-8B"))).toEqual([]);
    expect(await openai.models.retrieve("vllm/Qwen/Qwen3-8B")).toMatchObject({ id: "vllm/Qwen/Qwen3-8B" });
  });

  it("lists them over Anthropic's API, with their context window", async () => {
    const anthropic = new Anthropic({ baseURL: `http://${service.httpAddress}`, apiKey: "none" });
    const found = await Array.fromAsync(anthropic.models.list({ limit: 1000 }));
    expect(found.map(({ id }) => id)).toContain("ollama/llama3.2:latest");
    expect(await anthropic.models.retrieve("vllm/Qwen/Qwen3-8B")).toMatchObject({ max_input_tokens: 40960 });
  });

  it("describes one as ListModels does, and one that the server does not list, too", async () => {
    const client = service.modelClient("grpc");
    const { model } = await client.getModel({ id: "vllm/Qwen/Qwen3-8B" });
    expect(model).toMatchObject({ provider: "vllm", family: "vllm", contextWindowTokens: 40960 });
    const { models } = await client.listModels({ provider: "vllm" });
    expect(models[0]).toEqual(model);
    const { model: other } = await client.getModel({ id: "vllm/not-loaded" });
    expect(other).toMatchObject({ id: "vllm/not-loaded", contextWindowTokens: 0 });
  });
});

describe("a key with allowed models", () => {
  it("sees only those of a server that it allows", async () => {
    const file = { providers: { ollama: { base_url: baseOf("ollama") }, vllm: { base_url: baseOf("vllm") } } };
    const change = (config: Config) => {
      const { authentication, ...rest } = requireKey(config);
      const keys = authentication.keys.map((key) => ({ ...key, models: ["vllm/*"] }));
      return { ...rest, authentication: { ...authentication, keys } };
    };
    const limited = await startTestService({}, change, JSON.stringify(file));
    try {
      const client = new OpenAI({ baseURL: `http://${limited.httpAddress}/v1`, apiKey: "right" });
      expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["vllm/Qwen/Qwen3-8B", "vllm/lora-a"]);
      await expect(client.models.retrieve("ollama/llama3.2:latest")).rejects.toMatchObject({ status: 403 });
    } finally {
      await limited.stop();
    }
  });
});
