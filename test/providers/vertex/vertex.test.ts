import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import { GatewayError } from "../../../src/errors.ts";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { createVertexAdapter, hostOf } from "../../../src/providers/vertex/adapter.ts";
import type { TokenSource } from "../../../src/providers/vertex/google-tokens.ts";
import { provider } from "../../../src/providers/vertex/index.ts";
import { configured } from "../../support/configured.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { context, fold, model, request, settings, sse } from "../generate-content/harness.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

const stop = { candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }] };
const place = { project: "p1", location: "europe-west4" };
const pro = model("gemini-2.5-pro", "vertex");

function adapterFor(
  baseUrl: string,
  options: { readonly project?: string; readonly location?: string; readonly key_file?: string },
  tokens?: TokenSource,
  variables: Readonly<Record<string, string>> = {},
): Adapter {
  const adapter = createVertexAdapter(
    { ...settings(baseUrl), name: "vertex", apiKey: undefined, options, variables },
    tokens,
  );
  open.push({ [Symbol.asyncDispose]: async () => adapter.close?.() });
  return adapter;
}

async function upstreamWith(...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  open.push(upstream);
  return upstream;
}

/** Token source that numbers its tokens, so that tests can see a new one. */
function countingTokens(): TokenSource {
  let current = 1;
  return {
    token: async () => `token-${current}`,
    project: async () => "own-project",
    forget: () => {
      current++;
    },
  };
}

async function writeKey(json: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dragoman-vertex-"));
  open.push({ [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) });
  const file = join(folder, "key.json");
  await writeFile(file, JSON.stringify(json));
  return file;
}

/** Default credentials that get tokens from `tokenUrl`. Workload identity files contain their token endpoint. */
async function useCredentials(tokenUrl: string): Promise<void> {
  // The library prints a warning about such files to stderr.
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const file = await writeKey("a.b.c");
  const key = await writeKey({
    type: "external_account",
    audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: tokenUrl,
    credential_source: { file },
  });
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", key);
}

describe("a request to Vertex AI", () => {
  it("sends a token to the path of the project and location in the options", async () => {
    const upstream = await upstreamWith({ steps: [{ write: sse(stop) }] });
    const { error } = await fold(
      adapterFor(upstream.baseUrl, place, countingTokens()).stream(request(), pro, context()),
    );
    expect(error).toBeUndefined();
    expect(upstream.requests[0]?.path).toBe(
      "/v1beta1/projects/p1/locations/europe-west4/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    );
    expect(upstream.requests[0]?.headers.authorization).toBe("Bearer token-1");
    expect(upstream.requests[0]?.headers["x-goog-api-key"]).toBeUndefined();
  });

  it.each([
    [{}, {}, "/v1beta1/projects/own-project/locations/global/"],
    [{}, { GOOGLE_CLOUD_PROJECT: "p2", GOOGLE_CLOUD_LOCATION: "us" }, "/v1beta1/projects/p2/locations/us/"],
    [place, { GOOGLE_CLOUD_PROJECT: "p2" }, "/v1beta1/projects/p1/locations/europe-west4/"],
  ])("reads project and location from options %o, variables %o, credentials", async (options, environment, path) => {
    const upstream = await upstreamWith({ steps: [{ write: sse(stop) }] });
    const adapter = adapterFor(upstream.baseUrl, options, countingTokens(), environment);
    await fold(adapter.stream(request(), pro, context()));
    expect(upstream.requests[0]?.path).toContain(path);
  });

  it("gets a new token after Vertex AI rejected one", async () => {
    const refusal = '{"error":{"code":401,"status":"UNAUTHENTICATED","message":"expired"}}';
    const upstream = await upstreamWith(
      { status: 401, steps: [{ write: refusal }] },
      { steps: [{ write: sse(stop) }] },
    );
    const adapter = adapterFor(upstream.baseUrl, place, countingTokens());
    const first = await fold(adapter.stream(request(), pro, context()));
    expect(first.error?.reason).toBe("PROVIDER_CREDENTIALS_REJECTED");
    const second = await fold(adapter.stream(request(), pro, context()));
    expect(second.error).toBeUndefined();
    expect(upstream.requests[1]?.headers.authorization).toBe("Bearer token-2");
  });

  it("supports penalties on 2.5 models and gs:// URLs, but no service tier", () => {
    const asked = request({
      messages: [
        {
          role: Role.USER,
          parts: [{ kind: { case: "media", value: { source: { case: "url", value: "gs://bucket/a.png" } } } }],
        },
      ],
      parameters: { presencePenalty: 1 },
      serviceTier: "flex",
    });
    const found = adapterFor("http://127.0.0.1:9", place).checkSupport(asked, pro);
    expect(found).toMatchObject([{ kind: "UNSUPPORTED_PARAMETER", field: ["service_tier"] }]);
  });
});

describe("express mode of Vertex AI", () => {
  const express = (baseUrl: string, options = {}) => configured("vertex", baseUrl, { apiKey: "AIza-test", options });

  it("sends the key in a header, without a project, a location or a token", async () => {
    const upstream = await upstreamWith({ steps: [{ write: sse(stop) }] });
    await using adapter = { ...express(upstream.baseUrl), [Symbol.asyncDispose]: async () => adapter.close?.() };
    const { error } = await fold(adapter.stream(request(), pro, context()));
    expect(error).toBeUndefined();
    const [sent] = upstream.requests;
    expect(sent?.path).toBe("/v1/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse");
    expect(sent?.headers["x-goog-api-key"]).toBe("AIza-test");
    expect(sent?.headers.authorization).toBeUndefined();
  });

  it("reports an invalid key as PROVIDER_CREDENTIALS_REJECTED despite status 400", async () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }];
    const body = { error: { code: 400, message: "API key not valid.", status: "INVALID_ARGUMENT", details } };
    const upstream = await upstreamWith({ status: 400, steps: [{ write: JSON.stringify(body) }] });
    await using adapter = { ...express(upstream.baseUrl), [Symbol.asyncDispose]: async () => adapter.close?.() };
    const { error } = await fold(adapter.stream(request(), pro, context()));
    expect(error?.reason).toBe("PROVIDER_CREDENTIALS_REJECTED");
    expect(error?.message).not.toContain("AIza");
  });

  it("supports the same requests as a project in express mode", () => {
    const asked = request({ parameters: { presencePenalty: 1 }, serviceTier: "flex" });
    const adapter = express("http://127.0.0.1:9");
    expect(adapter.checkSupport(asked, pro)).toMatchObject([{ field: ["service_tier"] }]);
  });

  it.each([
    { project: "p1" },
    { location: "eu" },
    { key_file: "key.json" },
  ])("rejects %o together with a key", (options) => {
    expect(() => express("http://127.0.0.1:9", options)).toThrow(ConfigError);
  });
});

describe("a token for Google Cloud", () => {
  it("gets one token for several calls from the endpoint in the credentials", async () => {
    const endpoint = await upstreamWith({
      headers: { "content-type": "application/json" },
      steps: [{ write: JSON.stringify({ access_token: "from-endpoint", token_type: "Bearer", expires_in: 3600 }) }],
    });
    const upstream = await upstreamWith({ steps: [{ write: sse(stop) }] });
    await useCredentials(`${endpoint.baseUrl}/token`);
    const adapter = adapterFor(upstream.baseUrl, place);
    expect((await fold(adapter.stream(request(), pro, context()))).error).toBeUndefined();
    expect((await fold(adapter.stream(request(), pro, context()))).error).toBeUndefined();
    expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer from-endpoint",
      "Bearer from-endpoint",
    ]);
    expect(endpoint.requests).toHaveLength(1);
  });

  it("reports rejected credentials without revealing them", async () => {
    const endpoint = await upstreamWith({
      status: 400,
      headers: { "content-type": "application/json" },
      steps: [{ write: '{"error":"invalid_grant","error_description":"a.b.c is not a token"}' }],
    });
    const upstream = await upstreamWith();
    await useCredentials(`${endpoint.baseUrl}/token`);
    const { error } = await fold(adapterFor(upstream.baseUrl, place).stream(request(), pro, context()));
    expect(error?.reason).toBe("PROVIDER_CREDENTIALS_REJECTED");
    expect(error?.cause).toBeUndefined();
    expect(JSON.stringify(error?.facts) + error?.message).not.toContain("a.b.c");
    expect(upstream.requests).toHaveLength(0);
  });

  it("reports PROVIDER_UNAVAILABLE if Google's token endpoint is unreachable", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key_file = await writeKey({
      type: "service_account",
      client_email: "a@p1.iam.gserviceaccount.com",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      project_id: "p1",
    });
    // Google's endpoint is fixed, so a proxy that rejects every connection simulates a network failure.
    const asked: string[] = [];
    const proxy = createServer().on("connect", ({ url = "" }, socket) => {
      asked.push(url);
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    open.push(proxy);
    const address = proxy.address();
    const port = typeof address === "object" ? address?.port : undefined;
    vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${port}`);
    vi.stubEnv("NO_PROXY", "");
    vi.stubEnv("no_proxy", "");
    const { error } = await fold(
      adapterFor("http://127.0.0.1:9", { location: "eu", key_file }).stream(request(), pro, context()),
    );
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(new Set(asked)).toEqual(new Set(["oauth2.googleapis.com:443"]));
  });

  it.each([
    { type: "authorized_user" },
    "no key",
  ])("rejects a key file without a service account key: %o", async (json) => {
    const adapter = adapterFor("http://127.0.0.1:9", { ...place, key_file: await writeKey(json) });
    const { error } = await fold(adapter.stream(request(), pro, context()));
    expect(error?.reason).toBe("PROVIDER_CREDENTIALS_REJECTED");
  });

  it("reports a missing key file without revealing its path", async () => {
    const upstream = await upstreamWith();
    const adapter = adapterFor(upstream.baseUrl, { ...place, key_file: "/nowhere/key.json" });
    const { error } = await fold(adapter.stream(request(), pro, context()));
    expect(error?.reason).toBe("PROVIDER_CREDENTIALS_REJECTED");
    expect(error?.message).not.toContain("/nowhere");
  });

  it("stops waiting for a token on cancellation", async () => {
    const endpoint = await upstreamWith({ holdHeaders: new Promise(() => {}) });
    await useCredentials(`${endpoint.baseUrl}/token`);
    const controller = new AbortController();
    const asked = endpoint.nextRequest();
    const adapter = adapterFor("http://127.0.0.1:9", place);
    const outcome = fold(adapter.stream(request(), pro, context(controller.signal)));
    await asked;
    controller.abort(new GatewayError("CANCELLED", "the caller cancelled the call"));
    expect((await outcome).error?.reason).toBe("CANCELLED");
  });

  it("does not load google-auth-library before the first call", async () => {
    const script = `
      import { createRequire } from "node:module";
      const { providers } = await import(${JSON.stringify(new URL("../../../src/providers/registry.ts", import.meta.url).href)});
      const { options, ...rest } = { options: {}, variables: {}, name: "vertex", baseUrl: "http://127.0.0.1:9", headers: {}, maxConnections: 1, maxQueue: 1,
        timeouts: { connectMs: 1, firstEventMs: 1, idleMs: 1 } };
      const vertex = providers.find(({ name }) => name === "vertex");
      await vertex.load();
      vertex.create({ ...rest, options });
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(loaded.some((path) => path.includes("google-auth-library")));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    expect(stdout.trim()).toBe("false");
  });
});

describe("the settings of Vertex AI", () => {
  it.each([
    [{}, "set GOOGLE_APPLICATION_CREDENTIALS or VERTEX_API_KEY to turn it on"],
    [{ VERTEX_API_KEY: "AIza-test" }, undefined],
    [{ GOOGLE_APPLICATION_CREDENTIALS: "key.json" }, undefined],
  ])("detects credentials in %o", (environment, missing) => {
    expect(provider.detect?.(environment)).toBe(missing);
  });

  it.each([
    ["global", "aiplatform.googleapis.com"],
    ["europe-west4", "europe-west4-aiplatform.googleapis.com"],
    ["eu", "aiplatform.eu.rep.googleapis.com"],
    ["us", "aiplatform.us.rep.googleapis.com"],
  ])("maps the location %s to the host %s", (location, host) => {
    expect(hostOf(location)).toBe(host);
  });

  it.each([
    { projekt: "p1" },
    { project: "../p1" },
    { location: "a/b" },
    { project: 7 },
  ])("rejects the options %o", (options) => {
    expect(() => configured("vertex", "http://127.0.0.1:9", { apiKey: "", options })).toThrow(ConfigError);
  });
});
