import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServiceProcess, startProcess } from "../../support/process.ts";

const chat = "/dragoman.v1.ChatService";
const question = JSON.stringify({
  chat: { model: "echo/echo", messages: [{ role: "ROLE_USER", parts: [{ text: "hi" }] }] },
});

let service: ServiceProcess;
beforeAll(async () => {
  service = await startProcess();
});
afterAll(() => service[Symbol.asyncDispose]());

async function send(method: string, path: string, contentType = "", headers: Record<string, string> = {}) {
  const hasBody = method !== "GET" && method !== "HEAD";
  const response = await fetch(`http://${service.httpAddress}${path}`, {
    method,
    headers: { ...headers, ...(contentType && { "content-type": contentType }) },
    // A string would get a content type.
    ...(hasBody && { body: Buffer.from(question) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
}

/** Resolves with the line of a call whose error has a text. */
const lineWith = (text: string) =>
  service.logLine(
    ({ msg, error }) => msg === "call" && JSON.stringify(error ?? "").includes(JSON.stringify(text).slice(1, -1)),
  );

describe("a call with a wrong method or content type", () => {
  it.each([
    ["GET", "CompleteChat", "", 405, "does not accept GET; send POST with content-type: application/json"],
    ["PUT", "CompleteChat", "application/json", 405, "does not accept PUT; send POST"],
    ["OPTIONS", "StreamChat", "", 405, "http.cors_origins"],
    ["POST", "CompleteChat", "", 415, "the request has no content-type; send content-type: application/json"],
    ["POST", "CompleteChat", "text/plain", 415, 'CompleteChat does not accept "text/plain"; send content-type'],
    ["POST", "CompleteChat", "application/x-www-form-urlencoded", 415, "send content-type: application/json"],
    ["POST", "CompleteChat", "application/connect+json", 415, "only for streams; send content-type: application/json"],
    ["POST", "CompleteChat", "application/json; charset=latin1", 415, "JSON is always UTF-8"],
    ["POST", "CompleteChat", "application/grpc", 415, "native gRPC has its own address, grpc.address"],
    ["POST", "CompleteChat", "application/grpc-web-text", 415, "send application/grpc-web+proto"],
    ["POST", "StreamChat", "application/json", 415, "a stream needs a gRPC, gRPC-Web or Connect client"],
    ["POST", "StreamChat", "", 415, "the request has no content-type; a stream needs"],
  ])("%s %s with %j gets %i and a line in the log", async (method, name, contentType, status, text) => {
    const { body, headers, ...answer } = await send(method, `${chat}/${name}`, contentType);
    expect(answer.status).toBe(status);
    expect(body).toMatchObject({ code: "unimplemented", message: expect.stringContaining(text) });
    expect(headers.get("allow")).toBe(status === 405 ? "POST" : null);
    expect(await lineWith(text)).toMatchObject({ level: "info", method: name, peer_address: "127.0.0.1" });
  });

  it("says that the prefix of a message is missing if a stream gets plain JSON", async () => {
    const response = await fetch(`http://${service.httpAddress}${chat}/StreamChat`, {
      method: "POST",
      headers: { "content-type": "application/connect+json" },
      body: question,
    });
    expect(await response.text()).toContain(
      "if its 5-byte prefix is missing, send application/json to a method without",
    );
  });
});

describe("a path without a method", () => {
  it.each([
    [`${chat}/completechat`, `did you mean ${chat}/CompleteChat?`],
    ["/dragoman.v1.chatservice/completechat", `did you mean ${chat}/CompleteChat?`],
    [`${chat}/CompleteChat/`, `did you mean ${chat}/CompleteChat?`],
    [`/${chat}/CompleteChat`, `did you mean ${chat}/CompleteChat?`],
    ["/ChatService/CompleteChat", `did you mean ${chat}/CompleteChat?`],
    ["/dragoman.v2.ChatService/CompleteChat", `did you mean ${chat}/CompleteChat?`],
    [`${chat}/Nope`, "dragoman.v1.ChatService has CompleteChat, StreamChat, PlanChat"],
    [chat, "dragoman.v1.ChatService has CompleteChat, StreamChat, PlanChat"],
    ["/some.other.Service/Method", "call a method of dragoman.v1.ChatService, dragoman.v1."],
  ])("%s gets the names that exist, in Connect's form", async (path, text) => {
    for (const method of ["POST", "GET"]) {
      const { status, body } = await send(method, path, "application/json");
      expect(status).toBe(404);
      expect(body).toMatchObject({ code: "unimplemented", message: expect.stringContaining(text) });
    }
    expect(await lineWith(`unknown method ${path}; `)).toMatchObject({ method: "unknown", reason: "METHOD_NOT_FOUND" });
  });

  it.each([
    ["/v1/unheard-of", { error: { message: expect.stringContaining("the OpenAI API has") } }],
    ["/cerebras/v1/unheard-of", { message: expect.stringContaining("the Cerebras API has") }],
    ["/v4/unheard-of", { detail: expect.stringContaining("the Scale EGP API has") }],
  ])("%s gets the shape of its API, and a line in the log", async (path, body) => {
    for (const method of ["POST", "GET", "DELETE", "OPTIONS"]) {
      expect(await send(method, path, "application/json")).toMatchObject({ status: 404, body });
    }
    expect(await send("HEAD", path, "application/json")).toMatchObject({ status: 404, body: "" });
    expect(await lineWith(`there is no POST ${path}; `)).toMatchObject({ level: "info", reason: "METHOD_NOT_FOUND" });
  });

  it("leaves no line if it is below no API, as those of browsers and scanners are", async () => {
    expect(await send("GET", "/favicon.ico")).toMatchObject({ status: 404 });
    await send("GET", "/v1/after-it");
    await lineWith("there is no GET /v1/after-it; ");
    expect(JSON.stringify(service.log)).not.toContain("favicon");
  });

  it("gets Anthropic's shape with its header", async () => {
    const answer = await send("POST", "/v1/messagez", "application/json", { "anthropic-version": "2023-06-01" });
    expect(answer).toMatchObject({ status: 404, body: { type: "error", error: { type: "not_found_error" } } });
  });
});
