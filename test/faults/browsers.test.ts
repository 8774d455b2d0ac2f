import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";

/** Sends a request without a client library, which would choose the Host itself. Returns the whole response. */
async function send(
  { httpAddress }: ServiceProcess,
  target: string,
  headers: Readonly<Record<string, string>>,
  body?: object,
  method = body === undefined ? "GET" : "POST",
): Promise<string> {
  const [host, port] = httpAddress.split(":");
  const socket = connect(Number(port), host);
  const text = body === undefined ? "" : JSON.stringify(body);
  const fields = { "Content-Type": "application/json", "Content-Length": text.length, Connection: "close", ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${text}`);
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    answer += chunk;
  });
  await once(socket, "close");
  return answer;
}

const status = (answer: string) => Number(answer.split(" ", 2)[1]);
const messages = [{ role: "user", content: "hi" }];
const entries = [
  ["/v1/chat/completions", { model: "echo/echo", messages }],
  ["/dragoman.v1.ModelService/ListModels", {}],
  ["/v1/models", undefined],
] as const;

describe("without keys", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startConfigured(
      "http: { allowed_hosts: [Proxy.example], cors_origins: ['https://app.example', 'chrome-extension://abc'] }",
    );
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it.each([
    "localhost",
    "LOCALHOST:8080",
    "chat.localhost",
    "127.0.0.1:8080",
    "127.8.9.1",
    "[::1]:1",
    "proxy.example:8443",
  ])("accepts the Host %s", async (host) => {
    for (const [target, body] of entries) {
      expect(status(await send(service, target, { Host: host }, body))).toBe(200);
    }
  });

  it.each([
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "evillocalhost",
    "10.0.0.1",
    "[::2]",
    "0.0.0.0",
  ])("rejects the Host %s and names the key that allows it", async (host) => {
    for (const [target, body] of entries) {
      const answer = await send(service, target, { Host: host }, body);
      expect(status(answer)).toBe(403);
      expect(answer).toContain("http.allowed_hosts");
    }
  });

  it("rejects a foreign host in an absolute request target, whatever the Host", async () => {
    const list = "/dragoman.v1.ModelService/ListModels";
    expect(status(await send(service, `http://evil.example${list}`, { Host: "localhost" }, {}))).toBe(403);
    expect(status(await send(service, `http://localhost${list}`, { Host: "evil.example" }, {}))).toBe(403);
    expect(status(await send(service, `//localhost${list}`, { Host: "evil.example" }, {}))).toBe(403);
    expect(status(await send(service, `http://localhost${list}`, { Host: "localhost" }, {}))).toBe(200);
  });

  it.each(["evil.example", "10.0.0.1", "a b"])("responds to health probes with the Host %s", async (host) => {
    for (const page of ["/healthz", "/readyz"]) expect(status(await send(service, page, { Host: host }))).toBe(200);
  });

  it.each([
    "http://localhost:3000",
    "http://127.0.0.1",
    "https://proxy.example",
    "https://app.example",
  ])("accepts pages of the origin %s", async (origin) => {
    for (const [target, body] of entries) {
      expect(status(await send(service, target, { Host: "localhost", Origin: origin }, body))).toBe(200);
    }
  });

  it.each([
    "http://evil.example",
    "http://app.example",
    "https://app.example:444",
    "null",
    "chrome-extension://other",
  ])("rejects pages of the origin %s and names the key that allows them", async (origin) => {
    for (const [target, body] of entries) {
      const answer = await send(service, target, { Host: "localhost", Origin: origin }, body);
      expect(status(answer)).toBe(403);
      expect(answer).toContain("http.cors_origins");
      expect(answer).not.toMatch(/access-control-allow/i);
    }
  });

  it.each(["https://app.example", "chrome-extension://abc"])("allows CORS for the listed origin %s", async (origin) => {
    const asked = {
      Host: "localhost",
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization,content-type",
    };
    for (const [target, body] of entries) {
      const preflight = await send(service, target, asked, undefined, "OPTIONS");
      expect(status(preflight)).toBe(204);
      expect(preflight).toMatch(/access-control-allow-headers: authorization,content-type/i);
      const answer = await send(service, target, { Host: "localhost", Origin: origin }, body);
      for (const response of [preflight, answer]) {
        expect(response.toLowerCase()).toContain(`access-control-allow-origin: ${origin}`);
        expect(response).toMatch(/vary: origin/i);
      }
      expect(answer).toMatch(/access-control-expose-headers: \*/i);
    }
  });

  it("sends no CORS headers to pages of localhost that are not listed", async () => {
    const answer = await send(service, "/v1/models", { Host: "localhost", Origin: "http://localhost:3000" });
    expect(answer).not.toMatch(/access-control/i);
  });
});

describe("in other modes", () => {
  it("accepts any Host and Origin where keys or the operator decide", async () => {
    await using service = await startConfigured("authentication: { mode: off }");
    for (const [target, body] of entries) {
      const answer = await send(service, target, { Host: "any.example", Origin: "https://any.example" }, body);
      expect(status(answer)).toBe(200);
      expect(answer).not.toMatch(/access-control|vary/i);
    }
  });
});
