import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createAuthenticator } from "../../../src/accounts/keys.ts";
import { ActiveCalls } from "../../../src/calls/active-calls.ts";
import { Snapshots } from "../../../src/calls/snapshot.ts";
import type { Config } from "../../../src/config/config.ts";
import { createCatalog } from "../../../src/models/catalog.ts";
import { listedModels } from "../../../src/providers/registry.ts";
import { createSurfaces } from "../../../src/surfaces/index.ts";
import { callBounds, callEnvironment } from "../../support/call-environment.ts";

const catalog = createCatalog(listedModels({}), ["openai", "cerebras", "deepinfra", "echo"]);

describe("the model routes of each API", () => {
  const stops: (() => void)[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  async function serve(mode: Config["authentication"]["mode"] = "off") {
    const authenticate = createAuthenticator({ mode, keys: [], requireAccount: true });
    const bounds = callBounds({ maxCallMs: 1000 });
    const snapshots = new Snapshots({ authenticate, bounds, catalog, adapters: new Map() });
    const calls = new ActiveCalls(snapshots, callEnvironment());
    const handle = createSurfaces({ calls, maxRequestBytes: 1000, streamHeadersAfterMs: 1000 });
    const server = createServer((request, response) => {
      if (!handle(request, response)) response.writeHead(418).end();
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

  it("lists models in OpenAI's shape without an account", async () => {
    const get = await serve();
    const { status, body } = await get("/v1/models");
    expect([status, body.object]).toEqual([200, "list"]);
    const listed = { id: "gpt-4o", object: "model", created: 0, owned_by: "openai", shutdown_date: expect.any(String) };
    expect(body.data).toContainEqual(listed);
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual(catalog.list().map(({ id }) => id));
  });

  it("lists a provider's models in its API without the provider prefix", async () => {
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
  ])("returns one model, with or without percent-encoded slashes: %s", async (path, id) => {
    expect(await (await serve())(path)).toMatchObject({ status: 200, body: { id, object: "model" } });
  });

  it("responds with 404 in each API's error shape for an unknown model", async () => {
    const get = await serve();
    expect(await get("/v1/models/gpt-9")).toMatchObject({ status: 404, body: { error: { code: "model_not_found" } } });
    expect(await get("/cerebras/v1/models/gpt-4")).toMatchObject({ status: 404, body: { type: "not_found_error" } });
  });

  it("requires an API key for models, but not for Cerebras' tcp_warming", async () => {
    const get = await serve("keys");
    for (const path of ["/v1/models", "/v1/openai/models", "/cerebras/v1/models/llama3.1-8b"]) {
      expect((await get(path)).status).toBe(401);
    }
    expect(await get("/cerebras/v1/tcp_warming")).toMatchObject({ status: 200, body: {} });
  });

  it("supports HEAD, and ignores other methods and paths", async () => {
    const get = await serve();
    expect(await get("/v1/models", "HEAD")).toMatchObject({ status: 200, body: "" });
    expect((await get("/v1/models", "POST")).status).toBe(418);
    expect((await get("/v1/chat/completions")).status).toBe(418);
    for (const path of ["/v1/modelsx", "/v1/chat", "/models"]) expect((await get(path)).status).toBe(418);
  });
});
