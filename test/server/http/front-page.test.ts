import { execFile } from "node:child_process";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startConfigured } from "../../support/configured-process.ts";
import type { ServiceProcess } from "../../support/process.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends `GET /`. `fetch` would set the Host and other headers itself. */
function get({ httpAddress }: ServiceProcess, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const [host, port] = httpAddress.split(":");
  return new Promise((resolve, reject) => {
    request({ host, port, path: "/", method, headers, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, headers: response.headers, body }), reject);
    })
      .once("error", reject)
      .end();
  });
}

const html = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

describe("without keys", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startConfigured("http: { allowed_hosts: [proxy.example] }");
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it.each([
    [{}, "text/plain; charset=utf-8", "Dragoman "],
    [{ accept: "*/*" }, "text/plain; charset=utf-8", "Dragoman "],
    [html, "text/html; charset=utf-8", "<!doctype html>"],
    [{ accept: "application/json" }, "application/json; charset=utf-8", "{"],
    [{ accept: "text/html;q=0.1, application/json;q=0.9" }, "application/json; charset=utf-8", "{"],
    [{ accept: "image/png" }, "text/plain; charset=utf-8", "Dragoman "],
  ])("the page for %j is %s", async (headers, type, start) => {
    const answer = await get(service, headers);
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": type, vary: "accept" } });
    expect(answer.body.startsWith(start)).toBe(true);
  });

  it.each([{}, html, { accept: "application/json" }])("names all that is here for %j", async (headers) => {
    const { body } = await get(service, headers);
    expect(body).toContain(service.grpcAddress);
    const paths = [
      "/v1/chat/completions",
      "/cerebras/v1/chat/completions",
      "/v1/openai/models",
      "/v4/chat-completions",
    ];
    for (const path of [...paths, "/healthz", "/readyz", "/metrics", "0.1.0", "docs/README.md"]) {
      expect(body).toContain(path);
    }
  });

  it("prints commands that work when they are copied", async () => {
    const { body } = await get(service, { host: service.httpAddress, accept: "application/json" });
    const { apis } = JSON.parse(body);
    expect(apis.map(({ name }: { name: string }) => name)).toEqual([
      "Connect",
      "OpenAI",
      "Cerebras",
      "DeepInfra",
      "Scale EGP",
    ]);
    for (const { name, example } of apis) {
      const { stdout } = await promisify(execFile)("sh", ["-c", example]);
      const answer = JSON.parse(stdout);
      // The models of the other APIs need a provider.
      if (name === "Connect" || name === "OpenAI") expect(JSON.stringify(answer)).toContain("capital of France?");
      else expect(JSON.stringify(answer)).toMatch(/needs the provider|set \w+_API_KEY/);
    }
  });

  it("has no scripts and no other resources, and a policy that forbids them", async () => {
    const { body, headers } = await get(service, html);
    expect(body).not.toMatch(/<script|<link|src=|url\(|http-equiv|<[^>]* on\w+=/i);
    expect([...body.matchAll(/href="([^"]*)"/g)].map(([, target]) => target)).toEqual([
      "/healthz",
      "/readyz",
      "/metrics",
    ]);
    expect(headers).toMatchObject({
      "content-security-policy": expect.stringMatching(/^default-src 'none'; style-src 'sha256-[\w+/=]{44}';/),
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
  });

  it("escapes the Host header in HTML", async () => {
    const { body, status } = await get(service, { ...html, host: "localhost:1&'" });
    expect([status, body.includes("<pre>"), body.includes("localhost:1&'")]).toEqual([400, false, false]);
    expect((await get(service, { ...html, host: "a&b'c.localhost" })).body).not.toContain("a&b'c");
  });

  it("answers HEAD with the headers of GET and no body", async () => {
    const [got, head] = [await get(service), await get(service, {}, "HEAD")];
    expect(head).toMatchObject({ status: 200, body: "", headers: { "content-length": got.headers["content-length"] } });
  });

  it("follows the rules against DNS rebinding", async () => {
    expect(await get(service, { host: "evil.example" })).toMatchObject({ status: 403 });
    expect(await get(service, { host: "localhost", origin: "https://evil.example" })).toMatchObject({ status: 403 });
    expect(await get(service, { host: "proxy.example" })).toMatchObject({ status: 200 });
  });

  it("accepts no other method", async () => {
    expect(await get(service, {}, "POST")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  });
});

describe("with keys", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startConfigured("{}", { DRAGOMAN_API_KEYS: "right" });
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it.each([
    {},
    html,
    { accept: "application/json" },
    { "x-api-key": "right" },
  ])("the page for %j says only that a key is needed", async (headers) => {
    const { body, status } = await get(service, { ...headers, host: "any.example" });
    expect(status).toBe(200);
    const words = body.replace(/<style>.*<\/style>|<[^>]*>/g, " ").split(/\W+/);
    const message = "This service requires an API key send it as x api key key or authorization Bearer key";
    const known = ["name", "message", "lt", "gt", "Dragoman", ...message.split(" ")];
    expect(words.filter((word) => word !== "" && !known.includes(word))).toEqual([]);
    expect(words).toEqual(expect.arrayContaining(["Dragoman", ...message.split(" ")]));
    expect(body).not.toMatch(/\d+\.\d+\.\d+|127\.0\.0\.1|any\.example|echo|openai|\/v1/i);
  });
});
