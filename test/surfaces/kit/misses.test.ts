import { describe, expect, it } from "vitest";
import { httpApis } from "../../../src/surfaces/index.ts";
import { createMisses } from "../../../src/surfaces/kit/misses.ts";

const missOf = createMisses(httpApis, [
  { method: "GET", path: "/" },
  { method: "GET", path: "/healthz" },
  { method: "GET", path: "/metrics" },
]);

const messageOf = (path: string, method = "POST") => missOf({ method, path, headers: {} }).error.message;

describe("the error for a path that no route has", () => {
  it.each([
    ["/v1/chat/completions/", "POST /v1/chat/completions"],
    ["//v1/chat/completions", "POST /v1/chat/completions"],
    ["/v1//chat//completions", "POST /v1/chat/completions"],
    ["/V1/Chat/Completions", "POST /v1/chat/completions"],
    ["/v1/v1/chat/completions", "POST /v1/chat/completions"],
    ["/chat/completions", "POST /v1/chat/completions"],
    ["/openai/v1/chat/completions", "POST /v1/chat/completions"],
    ["/openai/deployments/gpt-4o/chat/completions", "POST /v1/chat/completions"],
    ["/v1/chat/completion", "POST /v1/chat/completions"],
    ["/v1/model", "GET /v1/models"],
    ["/models", "GET /v1/models"],
    ["/api/v1/models", "GET /v1/models"],
    ["/cerebras/chat/completions", "POST /cerebras/v1/chat/completions"],
    ["/cerebras/v1/v1/chat/completions", "POST /cerebras/v1/chat/completions"],
    ["/v1/openai/chat/completion", "POST /v1/openai/chat/completions"],
    ["/v4/chat/completions", "POST /v4/chat-completions"],
    ["/v4/models/bot/chat/completions", "POST /v4/models/{model_deployment_id}/chat-completions"],
    ["/v5/chat-completions", "POST /v4/chat-completions"],
    ["/health", "GET /healthz"],
    ["/metrics/", "GET /metrics"],
  ])("suggests for %s: %s", (path, meant) => {
    expect(messageOf(path)).toContain(`there is no POST ${path}; did you mean ${meant}? `);
  });

  it.each([
    [
      "/v1",
      "the OpenAI API has POST /v1/chat/completions, POST /v1/embeddings, GET /v1/models, GET /v1/models/{model}",
    ],
    ["/v1/unheard-of", "the OpenAI API has POST /v1/chat/completions"],
    ["/cerebras", "the Cerebras API has POST /cerebras/v1/chat/completions"],
    ["/v1/openai/unheard-of", "the DeepInfra API has POST /v1/openai/chat/completions"],
    ["/v4/unheard-of", "the Scale EGP API has POST /v4/chat-completions"],
    [
      "/favicon.ico",
      "the HTTP APIs begin with /v1, /v1/responses, /v1/messages, /cerebras, /v1/openai, /v4; pages are GET /, GET /healthz, GET /metrics",
    ],
  ])("names what exists instead of %s", (path, text) => {
    expect(messageOf(path)).toContain(`there is no POST ${path}; ${text}`);
  });

  it("repeats only the beginning of a long path", () => {
    expect(messageOf(`/v1/${"a".repeat(10_000)}`).length).toBeLessThan(400);
  });
});

describe("the error for a method that a path does not have", () => {
  it.each([
    ["GET", "/v1/chat/completions", "POST"],
    ["PUT", "/v1/models/gpt-4o", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["DELETE", "/", "GET, HEAD"],
  ])("names the methods for %s %s: %s", (method, path, allow) => {
    const { error } = missOf({ method, path, headers: {} });
    expect(error.facts.allow).toBe(allow);
    expect(error.message).toBe(`${path} does not accept ${method}; send ${allow.split(",", 1)[0]}`);
  });

  it("names http.cors_origins for OPTIONS, which browsers send before a call", () => {
    expect(messageOf("/v1/chat/completions", "OPTIONS")).toContain("http.cors_origins");
  });
});

describe("the shape of the error", () => {
  it.each([
    ["/v1/x", {}, { error: { type: "invalid_request_error", code: "not_found" } }],
    ["/x", {}, { error: { type: "invalid_request_error", code: "not_found" } }],
    ["/cerebras/x", {}, { type: "invalid_request_error", code: "not_found" }],
    ["/v1/openai/x", {}, { error: { type: "invalid_request_error" } }],
    ["/v4/x", {}, { detail: expect.stringContaining("there is no POST /v4/x") }],
    ["/v1/messages", { "anthropic-version": "2023-06-01" }, { type: "error", error: { type: "not_found_error" } }],
  ])("is that of the API for %s with the headers %j", (path, headers, body) => {
    const { error, toError } = missOf({ method: "POST", path, headers });
    expect(toError(error, "")).toMatchObject({ status: 404, body });
  });

  it("has a code of its own for a wrong method in OpenAI's API", () => {
    const { error, toError } = missOf({ method: "GET", path: "/v1/chat/completions", headers: {} });
    expect(toError(error, "")).toMatchObject({ status: 405, body: { error: { code: "method_not_supported" } } });
  });
});
