import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, onTestFinished } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import type { GatewayError } from "../../src/errors.ts";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { Rejections } from "../../src/load/rejections.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { startService } from "../../src/server/service.ts";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { asCerebras, asDeepinfra, failureOf, paths, says, startStage, wrongPlaces } from "./support.ts";
import { replies } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const llama31 = "llama3.1-8b";
const deployments = { d1: { model: "llama-3-1-8b-instruct" } };
const prompt = { prompt: "Where?", chat_history: [] };
const messages = says("Where?");

describe("O. Errors", () => {
  behaviour(202, async () => {
    const stage = await startStage({ openai: [], "llm-engine": [], cerebras: [], deepinfra: [] }, { deployments });
    const fault = (...loc: readonly string[]) => ({
      status: 422,
      body: { detail: [{ loc: ["body", ...loc], msg: expect.stringMatching(/./), type: expect.stringMatching(/./) }] },
    });
    expect(await stage.post(paths.egpDeployment("d1"), { ...prompt, temperature: 2.5 })).toMatchObject(
      fault("temperature"),
    );
    const wrongType = { ...prompt, temperature: "hot" };
    expect(await stage.post(paths.egpDeployment("d1"), wrongType)).toMatchObject({
      body: { detail: [{ loc: ["body", "temperature"], type: "type_error" }] },
    });
    const chat = { model: "gpt-4o", messages, model_parameters: { temperature: 1.5 } };
    expect(await stage.post(paths.egpChat, chat)).toMatchObject(fault("model_parameters", "temperature"));
    const body = { model: llama2, messages, temperature: 2.5 };
    expect(await stage.post(paths.deepinfra, body)).toMatchObject(fault("temperature"));
    const nested = { model: llama2, messages: [...messages, { role: "robot", content: "hi" }] };
    expect(await stage.post(paths.deepinfra, nested)).toMatchObject({
      body: { detail: [{ loc: ["body", "messages", 1, "role"] }] },
    });

    const client = stage.service.chatClient("grpc");
    const hot = ask("echo/echo", "Where?", { parameters: { temperature: 2.5 } });
    const { error, code } = await failureOf(client.completeChat({ chat: hot }));
    expect(code).toBe("InvalidArgument");
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([
      { field: "chat.parameters.temperature", description: expect.stringMatching(/./), reason: "double.gte_lte" },
    ]);
    const warm = ask(llama31, "Where?", { ...asCerebras, parameters: { temperature: 1.75 } });
    expect(await failureOf(client.completeChat({ chat: warm }))).toMatchObject({
      fields: ["chat.parameters.temperature"],
      message: expect.stringContaining("1.5"),
    });
    expect(stage.asked()).toBe(0);
    expect((await stage.post(paths.deepinfra, { ...body, temperature: 2 })).status).toBe(200);
  });

  behaviour(203, async () => {
    const stage = await startStage({ openai: [], "llm-engine": [], cerebras: [], deepinfra: [] }, { deployments });
    const two = await stage.post(paths.deepinfra, { model: llama2, messages, temperature: 3, n: 9 });
    expect([two.status, wrongPlaces(two).toSorted()]).toEqual([422, ["body.n", "body.temperature"]]);
    // Wrong types are reported together, too.
    const types = await stage.post(paths.deepinfra, { model: 1, messages, temperature: "3", n: "9" });
    expect(wrongPlaces(types).toSorted()).toEqual(["body.model", "body.n", "body.temperature"]);
    const stop_sequences = ["1", "2", "3", "4", "5"];
    const chat = { model: "gpt-4o", messages, model_parameters: { temperature: 1.5, stop_sequences } };
    expect(wrongPlaces(await stage.post(paths.egpChat, chat)).toSorted()).toEqual([
      "body.model_parameters.stop_sequences",
      "body.model_parameters.temperature",
    ]);
    const deployment = { ...prompt, temperature: 3, stop_sequences };
    expect(wrongPlaces(await stage.post(paths.egpDeployment("d1"), deployment)).toSorted()).toEqual([
      "body.stop_sequences",
      "body.temperature",
    ]);
    const { body } = await stage.post(paths.cerebras, {
      model: llama31,
      messages,
      temperature: 1.8,
      stop: stop_sequences,
    });
    expect(body).toMatchObject({ message: expect.stringMatching(/temperature.*\n.*stop|stop.*\n.*temperature/) });

    const question = ask(llama2, "Where?", { ...asDeepinfra, parameters: { n: 9, topK: 1000 } });
    expect(await failureOf(stage.service.chatClient("grpc").completeChat({ chat: question }))).toMatchObject({
      code: "InvalidArgument",
      fields: ["chat.parameters.top_k", "chat.parameters.n"],
    });
    expect(stage.asked()).toBe(0);
  });

  behaviour(204, async () => {
    const said = (code: string) => ({ error: { message: "No.", code } });
    // The backend's response, and the resulting HTTP status and gRPC code.
    const table = [
      [replies(400, said("context_length_exceeded")), 400, "InvalidArgument"],
      [replies(402, said("payment_required")), 402, "FailedPrecondition"],
      [replies(403, said("forbidden")), 403, "PermissionDenied"],
      [replies(404, said("model_not_found")), 404, "NotFound"],
      // The caller did not cause a conflict at the provider. With 503, clients retry, as they would after 409.
      [replies(409, said("conflict")), 503, "Unavailable"],
      [replies(410, said("gone")), 410, "NotFound"],
      [replies(429, said("rate_limit_exceeded")), 429, "ResourceExhausted"],
      // The provider rejects Dragoman's API key; the caller's key is valid.
      [replies(401, said("invalid_api_key")), 500, "FailedPrecondition"],
      [replies(200, "no answer"), 500, "Internal"],
      [replies(503, said("busy")), 503, "Unavailable"],
    ] as const;
    const stage = await startStage({ deepinfra: table.flatMap(([script]) => [script, script]) });
    const client = stage.service.chatClient("grpc");
    const body = { model: llama2, messages };
    for (const [, status, code] of table) {
      expect((await stage.post(paths.deepinfra, body)).status).toBe(status);
      expect(await failureOf(client.completeChat({ chat: ask(llama2, "Where?", asDeepinfra) }))).toMatchObject({
        code,
      });
    }
    expect((await stage.post(paths.deepinfra, { ...body, temperature: 3 })).status).toBe(422);
    const hot = ask(llama2, "Where?", { ...asDeepinfra, parameters: { temperature: 3 } });
    expect(await failureOf(client.completeChat({ chat: hot }))).toMatchObject({ code: "InvalidArgument" });

    const keys = [{ id: "k", sha256: createHash("sha256").update("key").digest("hex"), accounts: ["a1"] }];
    const locked = await startStage({ deepinfra: [] }, { authentication: { keys } });
    const own = locked.service.chatClient("grpc");
    for (const [headers, status, code] of [
      [{ "x-api-key": "wrong" }, 401, "Unauthenticated"],
      [{ "x-api-key": "key", "x-selected-account-id": "a2" }, 403, "PermissionDenied"],
    ] as const) {
      expect((await locked.post(paths.deepinfra, body, headers)).status).toBe(status);
      expect(await failureOf(own.completeChat({ chat: ask(llama2, "?", asDeepinfra) }, { headers }))).toMatchObject({
        code,
      });
    }

    const silent = { holdHeaders: new Promise<never>(() => {}) };
    const slow = await startStage({ deepinfra: [silent] }, { limits: { max_call_duration: "50ms" } });
    expect((await slow.post(paths.deepinfra, body)).status).toBe(408);
    expect(
      await failureOf(slow.service.chatClient("grpc").completeChat({ chat: ask(llama2, "?", asDeepinfra) })),
    ).toMatchObject({
      code: "DeadlineExceeded",
    });
  });

  behaviour(205, async () => {
    const stage = await startStage({ cerebras: [] });
    const reply = await stage.post(paths.cerebras, { model: llama31, messages, reasoning_content: "hm" });
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({
      message: expect.stringContaining("reasoning_content"),
      type: "invalid_request_error",
      param: "validation_error",
      code: "wrong_api_format",
    });
    const inside = [{ role: "assistant", content: "hi", reasoning_content: "hm" }, ...messages];
    expect(await stage.post(paths.cerebras, { model: llama31, messages: inside })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("messages.0.reasoning_content"), code: "wrong_api_format" },
    });
    const missing = await stage.post(paths.cerebras, { model: "gpt-4o", messages });
    expect([missing.status, missing.body]).toMatchObject([404, { param: "model", code: "model_not_found" }]);
    expect(missing.body).not.toHaveProperty("error");
  });

  behaviour(206, async () => {
    const keys = [{ id: "k", sha256: createHash("sha256").update("key").digest("hex") }];
    const stage = await startStage(
      { deepinfra: [replies(429, { error: "rate limited" })] },
      { authentication: { keys } },
    );
    const key = { authorization: "Bearer key" };
    expect((await stage.post(paths.deepinfra, { model: llama2 }, key)).body).toEqual({
      detail: [{ loc: ["body", "messages"], msg: "is required", type: "missing" }],
    });
    const rejected = await stage.post(paths.deepinfra, { model: llama2, messages });
    expect([rejected.status, rejected.body]).toMatchObject([
      401,
      { error: { message: expect.any(String), type: "invalid_request_error", param: null, code: "invalid_api_key" } },
    ]);
    expect(await stage.post(paths.deepinfra, { model: llama2, messages }, key)).toMatchObject({
      status: 429,
      body: { error: { type: "rate_limit_error" } },
    });
  });

  behaviour(207, async () => {
    const stage = await startStage({ openai: [], "llm-engine": [], cerebras: [], deepinfra: [] }, { deployments });
    const foo = { foo: 1 };
    const chat = { model: "gpt-4o", messages };
    for (const [path, body, place] of [
      [paths.egpChat, { ...chat, ...foo }, "body.foo"],
      [paths.egpChat, { ...chat, model_parameters: foo }, "body.model_parameters.foo"],
      [paths.egpChat, { ...chat, messages: [{ ...messages[0], ...foo }] }, "body.messages.0.foo"],
      [paths.egpDeployment("d1"), { ...prompt, ...foo }, "body.foo"],
      [paths.egpDeployment("d1"), { ...prompt, chat_history: [{ ...messages[0], ...foo }] }, "body.chat_history.0.foo"],
    ] as const) {
      const reply = await stage.post(path, body);
      expect([reply.status, wrongPlaces(reply)]).toEqual([422, [place]]);
    }
    for (const more of [foo, { response_format: { type: "text", ...foo } }]) {
      expect(await stage.post(paths.cerebras, { model: llama31, messages, ...more })).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("foo"), code: "wrong_api_format" },
      });
    }
    // The Connect JSON of ChatService rejects unknown fields too.
    const own = { chat: { model: "echo/echo", messages: [], foo: 1 } };
    const reply = await stage.post("/dragoman.v1.ChatService/CompleteChat", own);
    expect([reply.status, reply.body]).toMatchObject([400, { code: "invalid_argument" }]);
    expect(stage.asked()).toBe(0);
    // DeepInfra's API allows them, so Dragoman ignores them.
    expect((await stage.post(paths.deepinfra, { model: llama2, messages, ...foo })).status).toBe(200);
    expect(stage.sent("deepinfra")).not.toHaveProperty("foo");
  });

  behaviour(208, async () => {
    const broken: Adapter = {
      name: "echo",
      checkSupport: () => [],
      describe: () => undefined,
      async *stream() {
        yield [];
        throw new TypeError("cannot read sk-secret of undefined");
      },
    };
    const environment = { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" };
    const model = create(ModelSchema, { provider: "echo", providerModel: "echo", profile: Profile.EGP_DEPLOYMENT });
    const deployment = {
      model: { ...model, id: "deployments/d1" },
      account: "",
      parameters: [],
      completionOnly: false,
    };
    const faults: GatewayError[] = [];
    const service = await startService({
      config: { ...loadConfig({ environment }), models: [deployment] },
      adapters: [broken],
      models: [],
      rejections: new Rejections(() => {}),
      observers: [{ settled: (_record, error) => void (error && faults.push(error)) }],
    });
    onTestFinished(() => service.stop());
    for (const [path, body] of [
      [paths.egpDeployment("d1"), prompt],
      [paths.openai, { model: "deployments/d1", messages }],
    ] as const) {
      const response = await fetch(`http://${service.httpAddress}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      expect(response.status).toBe(500);
      const requestId = response.headers.get("x-request-id") ?? "none";
      expect(requestId).toMatch(/^chatcmpl-/);
      expect(text).toContain(requestId);
      expect(text).not.toMatch(/sk-secret|TypeError|\.ts\b|at /);
    }
    const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
    const failure = await failureOf(client.completeChat({ chat: ask("deployments/d1", "Where?") }));
    expect(failure).toMatchObject({ code: "Internal", reason: "INTERNAL", message: "an internal error occurred" });
    expect(failure.error.findDetails(ErrorInfoSchema)[0]?.metadata.request_id).toMatch(/^chatcmpl-/);
    // The operator can see the cause.
    expect(faults.map(({ cause }) => String(cause))).toEqual(
      Array(3).fill("TypeError: cannot read sk-secret of undefined"),
    );
  });
});
