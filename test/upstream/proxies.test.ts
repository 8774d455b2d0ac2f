import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { resolveProxy } from "../../src/config/proxy.ts";
import type { GatewayError } from "../../src/errors.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { createSigner } from "../../src/providers/bedrock/sign.ts";
import { startAttempt } from "../../src/routing/attempt.ts";
import { collect, model, request } from "../providers/chat-completions/harness.ts";
import { hasOpenssl, issueCertificate } from "../support/certificates.ts";
import { configured } from "../support/configured.ts";
import { startProxy } from "../support/proxy.ts";
import { startReplayUpstream } from "../support/replay-upstream.ts";

const sse = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const json = '{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}';
const headersOf = (whole: boolean) => ({ "content-type": whole ? "application/json" : "text/event-stream" });

async function ask(adapter: Adapter, whole = false): Promise<GatewayError | undefined> {
  const options = { signal: new AbortController().signal, holder: "account:a", whole };
  const { events, error } = await collect(startAttempt({ adapter, model: model() }, request(), options).events);
  await adapter.close?.();
  if (error === undefined) expect(events.map(({ case: kind }) => kind)).toContain("delta");
  return error;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "dragoman-proxy-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe.each([
  ["streamed", false],
  ["whole", true],
])("a provider behind a proxy, %s", (_, whole) => {
  const script = { headers: headersOf(whole), steps: [{ write: whole ? json : sse }] };

  it("is reached through a tunnel, with the proxy's credentials", async () => {
    await using upstream = await startReplayUpstream(script);
    await using proxy = await startProxy();
    const { host } = new URL(upstream.baseUrl);
    const adapter = configured("openai", upstream.baseUrl, { proxy: `http://me:p%40ss@127.0.0.1:${proxy.port}` });
    expect(await ask(adapter, whole)).toBeUndefined();
    expect(proxy.connects).toEqual([host]);
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from("me:p@ss").toString("base64")}`]);
    expect(upstream.requests[0]?.headers).not.toHaveProperty("proxy-authorization");
  });

  it.skipIf(!hasOpenssl)("is reached through a tunnel over TLS", async () => {
    const { certificate, key } = issueCertificate(folder(), "upstream");
    const defaults = getCACertificates("default");
    setDefaultCACertificates([...defaults, certificate.toString()]);
    onTestFinished(() => setDefaultCACertificates(defaults));
    const server = createServer({ cert: certificate, key }, (_message, response) => {
      response.writeHead(200, headersOf(whole)).end(whole ? json : sse);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using proxy = await startProxy();
    const adapter = configured("openai", `https://127.0.0.1:${port}`, { proxy: `127.0.0.1:${proxy.port}` });
    expect(await ask(adapter, whole)).toBeUndefined();
    expect(proxy.connects).toEqual([`127.0.0.1:${port}`]);
  });

  it("uses the connection again", async () => {
    await using upstream = await startReplayUpstream(script);
    await using proxy = await startProxy();
    const adapter = configured("openai", upstream.baseUrl, { proxy: `http://127.0.0.1:${proxy.port}` });
    const options = { signal: new AbortController().signal, holder: "account:a", whole };
    for (let call = 0; call < 20; call++) {
      const { events } = startAttempt({ adapter, model: model() }, request(), options);
      expect((await collect(events)).error).toBeUndefined();
    }
    await adapter.close?.();
    // A call that starts before the previous body has ended opens a second connection.
    expect(proxy.connects.length).toBeLessThanOrEqual(2);
  });

  it("is reached directly if it is a loopback address and only the environment has a proxy", async () => {
    await using upstream = await startReplayUpstream(script);
    await using proxy = await startProxy();
    const environment = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    expect(await ask(configured("openai", upstream.baseUrl, { environment }), whole)).toBeUndefined();
    expect(proxy.connects).toEqual([]);
  });

  it("is reached through the proxy of the environment, and not if its own setting is none", async () => {
    await using proxy = await startProxy(502);
    const environment = { https_proxy: `127.0.0.1:${proxy.port}`, HTTP_PROXY: "http://unused.invalid:1" };
    const error = await ask(configured("openai", "https://api.example.invalid/v1", { environment }), whole);
    expect(proxy.connects).toEqual(["api.example.invalid:443"]);
    expect(error?.message).toContain(`127.0.0.1:${proxy.port}`);
    await ask(configured("openai", "https://127.0.0.1:1/v1", { environment, proxy: "none" }), whole);
    expect(proxy.connects).toHaveLength(1);
  });
});

describe("a proxy that does not connect", () => {
  it.each([
    [407, "PROVIDER_CREDENTIALS_REJECTED", /rejected the credentials, or needs some \(HTTP 407\)/],
    [403, "PROVIDER_PERMISSION_DENIED", /did not connect to the provider \(HTTP 403\)/],
    [502, "PROVIDER_UNAVAILABLE", /did not connect to the provider \(HTTP 502\)/],
  ])("is named in the error: HTTP %i", async (status, reason, words) => {
    await using proxy = await startProxy(status);
    const place = `http://127.0.0.1:${proxy.port}`;
    const adapter = configured("openai", "http://127.0.0.1:9", { proxy: place.replace("//", "//user:topsecret@") });
    const error = await ask(adapter);
    expect(error?.reason).toBe(reason);
    expect(error?.message).toMatch(words);
    expect(error?.message).toContain(place);
    expect(error?.facts.metadata).toMatchObject({ proxy: place });
    expect(JSON.stringify([error, error?.message, error?.facts, String(error?.cause)])).not.toContain("topsecret");
  });

  it("is named in the error: refused connection", async () => {
    const proxy = await startProxy();
    await proxy[Symbol.asyncDispose]();
    const error = await ask(configured("openai", "http://127.0.0.1:9", { proxy: `http://127.0.0.1:${proxy.port}` }));
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(error?.message).toBe(`the proxy http://127.0.0.1:${proxy.port} could not be reached (ECONNREFUSED)`);
  });

  it("is named in the error: no answer in time", async () => {
    await using proxy = await startProxy(0);
    const options = { proxy: `http://127.0.0.1:${proxy.port}`, timeouts: { connectMs: 20 } };
    const error = await ask(configured("openai", "http://127.0.0.1:9", options));
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
    expect(error?.message).toContain(`http://127.0.0.1:${proxy.port}`);
  });
});

describe("token requests", () => {
  it("of Entra ID go through the provider's proxy", async () => {
    await using proxy = await startProxy(502);
    const options = {
      key_type: "entra-secret",
      ...{ tenant_id: "t", client_id: "c", authority: "https://login.example.invalid" },
    };
    const place = `http://127.0.0.1:${proxy.port}`;
    const error = await ask(configured("azure-openai", "https://azure.example.invalid", { options, proxy: place }));
    expect(proxy.connects).toEqual(["login.example.invalid:443"]);
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(error?.message).toContain(place);
  });

  it("of Google go through the provider's proxy", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key_file = join(folder(), "key.json");
    const private_key = privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileSync(key_file, JSON.stringify({ client_email: "a@example.invalid", private_key }));
    await using proxy = await startProxy(403);
    const options = { key_file, project: "p", location: "global" };
    const adapter = configured("vertex", "https://vertex.example.invalid", {
      ...{ options, apiKey: "", proxy: `http://127.0.0.1:${proxy.port}` },
    });
    expect((await ask(adapter))?.reason).toMatch(/^PROVIDER_/);
    expect(new Set(proxy.connects)).toEqual(new Set(["oauth2.googleapis.com:443"]));
  });

  it("of AWS go through the provider's proxy", async () => {
    const tokenFile = join(folder(), "token");
    writeFileSync(tokenFile, "token");
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", tokenFile);
    vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r");
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_REGION", "us-east-1");
    onTestFinished(() => void vi.unstubAllEnvs());
    await using proxy = await startProxy(403);
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const choice = resolveProxy({ environment, configured: undefined, on: true }, () => {});
    const sign = createSigner("us-east-1", undefined, choice);
    await expect(sign(new URL("https://bedrock.example.invalid/"), "{}")).rejects.toThrow();
    expect(new Set(proxy.connects)).toEqual(new Set(["sts.us-east-1.amazonaws.com:443"]));
  });
});
