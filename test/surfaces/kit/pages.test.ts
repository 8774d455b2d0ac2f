import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createAuthenticator } from "../../../src/accounts/keys.ts";
import { Calls } from "../../../src/calls/active-calls.ts";
import type { Config } from "../../../src/config/config.ts";
import { createCatalog, type Deployment } from "../../../src/models/catalog.ts";
import { listedModels } from "../../../src/providers/listed-models.ts";
import { cerebrasNamespace } from "../../../src/surfaces/cerebras/index.ts";
import { deepinfraNamespace } from "../../../src/surfaces/deepinfra/index.ts";
import { servePages } from "../../../src/surfaces/kit/pages.ts";
import { nameInNamespace } from "../../../src/surfaces/openai-shape/models.ts";

const models = listedModels();
const echoModel = models.find(({ id }) => id === "echo/echo");
if (echoModel === undefined) throw new Error("echo is listed");

/** Entries of the configuration that put other models under the names of a namespace. */
const configured: readonly Deployment[] = [
  { ...echoModel, id: "llama3.1-8b", profile: "cerebras" },
  { ...echoModel, id: "house/model", profile: "deepinfra" },
  { ...echoModel, id: "deployments/abc", profile: "egp-deployment" },
].map((model) => ({ model, account: "", parameters: [], completionOnly: false }));

const plain = createCatalog(models, ["openai", "cerebras", "deepinfra", "echo"]);
const changed = createCatalog(models, ["openai", "cerebras", "deepinfra", "echo"], [], configured);
const withoutOpenAi = createCatalog(models, ["cerebras"], [{ name: "openai", reason: "set OPENAI_API_KEY" }]);

describe("a bare name on Cerebras' surface", () => {
  it("is Cerebras' model where Cerebras is off, and the error says how to turn it on", () => {
    const off = createCatalog(models, ["echo"], [{ name: "cerebras", reason: "set CEREBRAS_API_KEY to turn it on" }]);
    const resolve = () => off.resolve(nameInNamespace("llama3.1-8b", cerebrasNamespace, off));
    expect(resolve).toThrow("set CEREBRAS_API_KEY to turn it on");
  });

  const named = (name: string, catalog = plain) => catalog.resolve(nameInNamespace(name, cerebrasNamespace, catalog));

  it.each([
    "llama3.1-8b",
    "llama3.1-70b",
    "gpt-oss-120b",
    "llama-3.3-70b",
    "cerebras/gpt-oss-120b",
  ])("is Cerebras' model: %s", (name) => {
    expect(named(name)).toMatchObject({ provider: "cerebras", providerModel: name.replace("cerebras/", "") });
  });

  it("is not found when it is another provider's, whether that one is on or off", () => {
    for (const catalog of [plain, withoutOpenAi]) {
      for (const name of ["gpt-4", "openai/gpt-4o"]) {
        expect(() => named(name, catalog)).toThrow(expect.objectContaining({ reason: "MODEL_NOT_FOUND" }));
      }
    }
  });

  it("is what the configuration makes of it", () => {
    expect(named("llama3.1-8b", changed).provider).toBe("echo");
    const elsewhere = () => named("house/model", changed);
    expect(elsewhere).toThrow(expect.objectContaining({ reason: "MODEL_NOT_FOUND" }));
  });
});

describe("a name on DeepInfra's surface", () => {
  const named = (name: string, catalog = plain) => catalog.resolve(nameInNamespace(name, deepinfraNamespace, catalog));

  it.each([
    ["meta-llama/Llama-2-70b-chat-hf", "meta-llama/Llama-2-70b-chat-hf"],
    ["openai/gpt-oss-120b", "openai/gpt-oss-120b"],
    ["openai/gpt-4o", "openai/gpt-4o"],
    ["someone/model:v2", "someone/model:v2"],
    ["deploy_id:xyz", "deploy_id:xyz"],
    ["deepinfra/openai/gpt-oss-120b", "openai/gpt-oss-120b"],
  ])("is DeepInfra's to know: %s", (name, providerModel) => {
    expect(named(name)).toMatchObject({ provider: "deepinfra", providerModel });
  });

  it("is what the configuration makes of it, deployments by their id", () => {
    expect(named("house/model", changed).provider).toBe("echo");
    expect(named("deploy_id:abc", changed).id).toBe("deployments/abc");
  });
});

describe("the pages beside the chat", () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function serve(mode: Config["authentication"]["mode"] = "off") {
    const authenticate = createAuthenticator({ mode, keys: [], requireAccount: true });
    const calls = new Calls({ ledger: { write() {} }, maxCallMs: 1000, onFault() {} });
    const gateway = { authenticate, catalog: plain, adapters: new Map(), calls };
    const server = createServer((request, response) => {
      if (!servePages(gateway, request.url ?? "", request, response)) response.writeHead(418).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stops.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    return async (path: string, method = "GET") => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
    };
  }

  it("list the models in OpenAI's shape, without asking for an account", async () => {
    const get = await serve();
    const { status, body } = await get("/v1/models");
    expect([status, body.object]).toEqual([200, "list"]);
    expect(body.data).toContainEqual({ id: "gpt-4o", object: "model", created: 0, owned_by: "openai" });
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual(plain.list().map(({ id }) => id));
  });

  it("list on the surfaces of a provider what it has, by the names that it has there", async () => {
    const get = await serve();
    const cerebras = (await get("/cerebras/v1/models")).body.data;
    expect(cerebras.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining(["llama3.1-8b", "gpt-oss-120b"]),
    );
    expect(cerebras.every(({ owned_by }: { owned_by: string }) => owned_by === "cerebras")).toBe(true);
    const deepinfra = (await get("/v1/openai/models")).body.data;
    expect(deepinfra.map(({ id }: { id: string }) => id)).toContain("openai/gpt-oss-120b");
  });

  it.each([
    ["/v1/models/gpt-4o", "gpt-4o"],
    ["/v1/models/echo%2Fecho", "echo/echo"],
    ["/v1/models/echo/echo", "echo/echo"],
    ["/cerebras/v1/models/gpt-oss-120b", "gpt-oss-120b"],
    ["/v1/openai/models/openai/gpt-oss-120b", "openai/gpt-oss-120b"],
  ])("show one model, slashes in its name encoded or not: %s", async (path, id) => {
    expect(await (await serve())(path)).toMatchObject({ status: 200, body: { id, object: "model" } });
  });

  it("say in the surface's own way that there is no such model", async () => {
    const get = await serve();
    expect(await get("/v1/models/gpt-9")).toMatchObject({ status: 404, body: { error: { code: "model_not_found" } } });
    expect(await get("/cerebras/v1/models/gpt-4")).toMatchObject({ status: 404, body: { type: "not_found_error" } });
  });

  it("need a key like the chat itself; the connection that Cerebras' client warms needs none", async () => {
    const get = await serve("keys");
    for (const path of ["/v1/models", "/v1/openai/models", "/cerebras/v1/models/llama3.1-8b"]) {
      expect((await get(path)).status).toBe(401);
    }
    expect(await get("/cerebras/v1/tcp_warming")).toMatchObject({ status: 200, body: {} });
  });

  it("answer HEAD without a body, other methods with 405, and leave other paths to others", async () => {
    const get = await serve();
    expect(await get("/v1/models", "HEAD")).toMatchObject({ status: 200, body: "" });
    const posted = await get("/v1/models", "POST");
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    for (const path of ["/v1/modelsx", "/v1/chat/completions", "/models"]) expect((await get(path)).status).toBe(418);
  });
});
