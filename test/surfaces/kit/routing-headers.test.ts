import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { streamEnd, textChunk } from "../../support/openai-wire.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";

const failing: Script = {
  status: 503,
  headers: { "content-type": "application/json" },
  steps: [{ write: '{"error":{"message":"busy"}}' }],
};
const streaming: Script = {
  headers: { "content-type": "text/event-stream" },
  steps: [{ write: textChunk("hi") + streamEnd }],
};

let service: TestService;
let upstream: ReplayUpstream;
beforeAll(async () => {
  upstream = await startReplayUpstream(failing, streaming);
  const environment = { VLLM_BASE_URL: upstream.baseUrl, OLLAMA_BASE_URL: upstream.baseUrl };
  const echo = "{ provider: echo, provider_model: echo }";
  const yaml = `
deployments: { d1: { model: echo/echo } }
models: { llama3.1-8b: ${echo}, meta-llama/Llama-2-70b-chat-hf: ${echo} }
http: { cors_origins: ["https://app.example"] }
`;
  service = await startTestService(environment, undefined, yaml);
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

function post(path: string, body: object, headers?: Record<string, string>): Promise<Response> {
  return send(path, { messages: [{ role: "user", content: "hi" }], ...body }, headers);
}

function send(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://${service.httpAddress}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

const headersOf = ({ headers }: Response) => [headers.get("x-dragoman-target"), headers.get("x-dragoman-attempts")];

describe("the HTTP APIs", () => {
  it("send the attempts of a failed call, and no target", async () => {
    const response = await post("/v1/chat/completions", { model: "vllm/m" });
    expect(response.status).toBe(503);
    expect(headersOf(response)).toEqual([null, expect.stringMatching(/^vllm\/m;reason=PROVIDER_UNAVAILABLE;ms=\d+/)]);
  });

  it("send the target and the attempts with the first output of a stream", async () => {
    const response = await post("/v1/chat/completions", { model: "vllm/m", stream: true });
    expect(headersOf(response)).toEqual(["vllm/m", expect.stringMatching(/^vllm\/m;ms=\d+$/)]);
    expect(await response.text()).toContain("[DONE]");
  });

  const messages = [{ role: "user", content: "hi" }];
  it.each([
    ["/v1/chat/completions", { model: "echo/echo", messages }],
    ["/cerebras/v1/chat/completions", { model: "llama3.1-8b", messages }],
    ["/v1/openai/chat/completions", { model: "meta-llama/Llama-2-70b-chat-hf", messages }],
    ["/v4/models/d1/chat-completions", { prompt: "hi", chat_history: [] }],
  ])("send the target and its time with a whole response of %s", async (path, body) => {
    const response = await send(path, body);
    expect(response.status).toBe(200);
    expect(headersOf(response)).toEqual(["echo/echo", expect.stringMatching(/^echo\/echo;ms=\d+$/)]);
  });

  it("send neither if no provider was asked", async () => {
    expect(headersOf(await post("/v1/chat/completions", { model: "none" }))).toEqual([null, null]);
    expect(headersOf(await fetch(`http://${service.httpAddress}/v1/models`))).toEqual([null, null]);
  });

  it("let web pages of listed origins read them", async () => {
    const response = await post("/v1/chat/completions", { model: "echo/echo" }, { origin: "https://app.example" });
    expect(response.headers.get("access-control-expose-headers")).toBe("*");
  });
});
