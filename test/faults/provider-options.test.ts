import type { JsonObject } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startConfigured } from "../support/configured-process.ts";
import type { ServiceProcess } from "../support/process.ts";
import { type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { functionTool } from "../support/tools.ts";

const completion = { choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }] };
const headers = { "content-type": "application/json" };
let upstream: ReplayUpstream;

beforeAll(async () => {
  upstream = await startReplayUpstream({ headers, steps: [{ write: JSON.stringify(completion) }] });
});
afterAll(() => upstream[Symbol.asyncDispose]());

function start(yaml: string): Promise<ServiceProcess> {
  return startConfigured(yaml, {
    OPENAI_API_KEY: "sk-test",
    OPENAI_BASE_URL: upstream.baseUrl,
    CEREBRAS_API_KEY: "sk-test",
    CEREBRAS_BASE_URL: upstream.baseUrl,
    GEMINI_API_KEY: "sk-test",
    GEMINI_BASE_URL: upstream.baseUrl,
  });
}

const transports = {
  gRPC: ({ grpcAddress }: ServiceProcess) => createGrpcTransport({ baseUrl: `http://${grpcAddress}` }),
  Connect: ({ httpAddress }: ServiceProcess) =>
    createConnectTransport({ baseUrl: `http://${httpAddress}`, httpVersion: "1.1" }),
} as const;
const protocols = ["gRPC", "Connect"] as const;

/** Calls CompleteChat. Returns the reason and the violations of the error, or undefined if the call succeeds. */
async function failureOf(
  service: ServiceProcess,
  protocol: (typeof protocols)[number],
  chat = ask("openai/gpt-4o", ""),
) {
  try {
    await createClient(ChatService, transports[protocol](service)).completeChat({ chat });
    return undefined;
  } catch (error) {
    const failed = ConnectError.from(error);
    const violations = failed.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
    return {
      reason: failed.findDetails(ErrorInfoSchema)[0]?.reason,
      violations: violations.map(({ field, description }) => `${field}: ${description}`),
    };
  }
}

const askWith = (options: JsonObject, model = "openai/gpt-4o") =>
  ask(model, "hi", { providerOptions: { [model.split("/")[0] ?? ""]: options } });

function post(service: ServiceProcess, path: string, body: object, more: Readonly<Record<string, string>> = {}) {
  const url = `http://${service.httpAddress}${path}`;
  return fetch(url, { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(body) });
}

const messages = [{ role: "user", content: "hi" }];
const openaiPath = "/v1/chat/completions";

describe("with provider options on", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await start("limits: { provider_options: on }");
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it.each(
    protocols,
  )("rejects an option that the request has a field for, and names the field, over %s", async (name) => {
    expect(await failureOf(service, name, askWith({ n: 5, user: "x", Model: "gpt-5", max_tokens: 1 }))).toEqual({
      reason: "INVALID_REQUEST",
      violations: expect.arrayContaining([
        "chat.provider_options.openai.n: is not a provider option; use parameters.n",
        "chat.provider_options.openai.user: is not a provider option; use user",
        "chat.provider_options.openai.Model: is not a provider option; use model",
        "chat.provider_options.openai.max_tokens: is not a provider option; use parameters.max_output_tokens",
      ]),
    });
  });

  it("rejects an option inside another, in any spelling", async () => {
    const options = { generation_config: { max_output_tokens: 5, mediaResolution: "MEDIA_RESOLUTION_LOW" } };
    expect((await failureOf(service, "gRPC", askWith(options, "gemini/gemini-2.5-flash")))?.violations).toEqual([
      "chat.provider_options.gemini.generation_config.max_output_tokens: is not a provider option; " +
        "use parameters.max_output_tokens",
    ]);
  });

  it("sends options that the request has no field for", async () => {
    expect(await failureOf(service, "gRPC", askWith({ store: true, verbosity: "low" }))).toBeUndefined();
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? "")).toMatchObject({ store: true, verbosity: "low" });
  });
});

describe.each(["off", "false"])("with provider options %s", (written) => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await start(`limits: { provider_options: ${written} }`);
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it.each(protocols)("rejects every option, over %s", async (name) => {
    for (const chat of [askWith({ store: true }), scriptEcho({ text: "a" })]) {
      expect(await failureOf(service, name, chat)).toEqual({
        reason: "INVALID_REQUEST",
        violations: [expect.stringMatching(/^chat\.provider_options: the operator has turned provider options off/)],
      });
    }
    const tools = [functionTool({ name: "f", providerOptions: { openai: { store: true } } })];
    expect((await failureOf(service, name, ask("openai/gpt-4o", "hi", { tools })))?.violations).toEqual([
      expect.stringMatching(/^chat\.tools\[0\]\.function\.provider_options: the operator has turned/),
    ]);
  });

  it("accepts a request without options", async () => {
    expect(await failureOf(service, "gRPC", ask("openai/gpt-4o", "hi"))).toBeUndefined();
  });

  it("rejects the fields of OpenAI's API that the request has no field for", async () => {
    const response = await post(service, openaiPath, { model: "openai/gpt-4o", messages, store: true });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('"param":"store"')]);
  });

  it("sends fields of HTTP APIs whose meaning Dragoman knows", async () => {
    const both = { user: "u", safety_identifier: "s" };
    expect((await post(service, openaiPath, { model: "openai/gpt-4o", messages, ...both })).status).toBe(200);
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? "")).toMatchObject(both);
    const path = "/cerebras/v1/chat/completions";
    const flex = { model: "gpt-oss-120b", messages, service_tier: "flex" };
    expect((await post(service, path, flex, { queue_threshold: "500" })).status).toBe(200);
    expect(upstream.requests.at(-1)?.headers.queue_threshold).toBe("500");
  });
});
