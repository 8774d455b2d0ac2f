import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { credentials, makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { describe, expect, onTestFinished } from "vitest";
import { JsonGenerationFailureSchema, ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { BadRequestSchema, QuotaFailureSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { ServerReflection, ServerReflectionRequestSchema } from "../../src/gen/grpc/reflection/v1/reflection_pb.js";
import { ask, scriptEcho } from "../support/requests.ts";
import { protocols } from "../support/service.ts";
import { behaviour } from "./behaviour.ts";
import { asEgpChat, failureOf, paths, says, startStage } from "./support.ts";
import { whole } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const method = (name: string) => `/dragoman.v1.ChatService/${name}`;
const question = { chat: { model: "echo/echo", messages: [{ role: "ROLE_USER", parts: [{ text: "Where?" }] }] } };

describe("P. gRPC / Connect delivery", () => {
  behaviour(214, async () => {
    const { service } = await startStage();
    const script = { text: "Grüße, 世界", reasoning: "hm", tool_calls: [{ id: "c1", name: "f", arguments: { a: 1 } }] };
    const more = { parameters: { temperature: 0.5, n: 2 } };
    const replies = await Promise.all(
      protocols.map(async (protocol) => {
        const { completion } = await service.chatClient(protocol).completeChat({ chat: scriptEcho(script, more) });
        const { id, createTime, timeInfo, attempts, ...said } = completion ?? expect.fail("there is no answer");
        expect(id).toMatch(/^chatcmpl-/);
        return said;
      }),
    );
    expect(replies).toHaveLength(4);
    expect(replies).toEqual(replies.map(() => replies[0]));
    expect(replies[0]?.choices).toHaveLength(2);
    expect(service.records.map(({ protocol }) => protocol).toSorted()).toEqual([
      "connect",
      "connect",
      "grpc",
      "grpc-web",
    ]);
  });

  behaviour(215, async () => {
    const answered = [whole({ content: "Oslo" })];
    const stage = await startStage({ openai: answered, deepinfra: answered });
    const client = stage.service.chatClient("grpc");
    const sentBy = async (model: string, provider: "openai" | "deepinfra", more: Parameters<typeof ask>[2]) => {
      await client.completeChat({ chat: ask(model, "Where?", more) });
      return stage.sent(provider);
    };
    const zero = { parameters: { temperature: 0 } };
    expect(await sentBy("gpt-4o", "openai", { ...asEgpChat, ...zero })).toMatchObject({ temperature: 0 });
    expect(await sentBy("gpt-4o", "openai", asEgpChat)).toMatchObject({ temperature: 0.2 });
    expect(await sentBy("gpt-4o", "openai", zero)).toMatchObject({ temperature: 0 });
    expect(await sentBy("gpt-4o", "openai", {})).not.toHaveProperty("temperature");
    const roles = ({ messages }: Record<string, unknown>) =>
      (messages as readonly { role: string }[]).map(({ role }) => role);
    expect(roles(await sentBy("gpt-4o", "openai", { ...asEgpChat, instructions: "" }))).toEqual(["user"]);
    expect(roles(await sentBy("gpt-4o", "openai", asEgpChat))).toEqual(["system", "user"]);

    const chat = async (more: object) => {
      const reply = await stage.post(paths.egpChat, { model: "gpt-4o", messages: says("Where?"), ...more });
      expect(reply.status).toBe(200);
      return stage.sent("openai");
    };
    expect(await chat({ model_parameters: { temperature: 0 } })).toMatchObject({ temperature: 0 });
    for (const absent of [{}, { model_parameters: {} }, { model_parameters: { temperature: null } }]) {
      expect(await chat(absent)).toMatchObject({ temperature: 0.2 });
    }
    expect(roles(await chat({ instructions: null }))).toEqual(["user"]);
    expect(roles(await chat({}))).toEqual(["system", "user"]);

    const limited = (more: object) =>
      stage.post(paths.deepinfra, { model: "Qwen/Qwen3-235B-A22B-Instruct-2507", messages: says("Where?"), ...more });
    // Null has a documented default, which also applies if the field is absent; 0 is a value of its own.
    expect((await limited({ max_tokens: null })).status).toBe(200);
    expect(stage.sent("deepinfra")).toMatchObject({ max_tokens: 16_384 });
    expect((await limited({ max_tokens: 7 })).status).toBe(200);
    expect(stage.sent("deepinfra")).toMatchObject({ max_tokens: 7 });
    expect((await limited({ max_tokens: 0 })).status).toBe(200);
    expect(stage.sent("deepinfra")).toMatchObject({ max_tokens: 0 });
  });

  behaviour(216, async () => {
    const stage = await startStage({ deepinfra: [whole({ content: "Oslo" })] });
    for (const seed of ["18446744073709551615", "-9223372036854775808", "9007199254740993"]) {
      // The contract has a signed and an unsigned field. Their JSON values are strings.
      const seeds = BigInt(seed) > 2n ** 63n - 1n ? { unsignedSeed: seed } : { seed };
      const chat = { ...question.chat, model: llama2, parameters: seeds };
      const { status, body } = await stage.post(method("CompleteChat"), { chat });
      expect([status, body]).toMatchObject([200, { completion: { effectiveParameters: seeds } }]);
      const raw = stage.backend("deepinfra").requests.at(-1)?.body;
      expect(raw).toMatch(new RegExp(`"seed":${seed}[,}]`));
      // In DeepInfra's JSON, the seed is a number.
      const text = JSON.stringify({ model: llama2, messages: says("Where?"), seed: 0 }).replace(
        '"seed":0',
        `"seed":${seed}`,
      );
      const url = `http://${stage.service.httpAddress}${paths.deepinfra}`;
      const headers = { "content-type": "application/json" };
      expect((await fetch(url, { method: "POST", headers, body: text })).status).toBe(200);
      expect(stage.backend("deepinfra").requests.at(-1)?.body).toMatch(new RegExp(`"seed":${seed}[,}]`));
    }
    const chat = { ...question.chat, model: llama2, parameters: { seed: "18446744073709551616" } };
    const { status, body } = await stage.post(method("CompleteChat"), { chat });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(/parameters\.seed\b/i)]);
  });

  behaviour(217, async () => {
    const stage = await startStage();
    // gRPC has one method for each, so there is no stream flag that could conflict.
    for (const body of [
      { ...question, stream: true },
      { chat: { ...question.chat, stream: true } },
      { ...question, options: { keepProviderDeltas: true } },
    ]) {
      const reply = await stage.post(method("CompleteChat"), body);
      expect([reply.status, reply.body]).toMatchObject([400, { code: "invalid_argument" }]);
    }
    const whole = await stage.post(method("CompleteChat"), question);
    expect([whole.status, whole.body]).toMatchObject([
      200,
      { completion: { choices: [{ finishReason: "FINISH_REASON_STOP" }] } },
    ]);
    const { service } = stage;
    const post = (name: string, type: string) =>
      fetch(`http://${service.httpAddress}${method(name)}`, {
        method: "POST",
        headers: { "content-type": type },
        body: JSON.stringify(question),
      });
    expect((await post("CompleteChat", "application/connect+json")).status).toBe(415);
    expect((await post("StreamChat", "application/json")).status).toBe(415);
    // The HTTP APIs have one path, so the stream flag decides.
    const body = { model: "echo/echo", messages: says("Where?") };
    for (const [stream, type] of [
      [true, "text/event-stream; charset=utf-8"],
      [false, "application/json"],
    ] as const) {
      const response = await stage.send(paths.openai, { ...body, stream });
      expect(response.headers.get("content-type")).toBe(type);
      await response.text();
    }
  });

  behaviour(218, async () => {
    const { service } = await startStage({}, { limits: { max_calls_per_model: 1 } });
    const json = { outputFormat: { format: { case: "jsonObject", value: {} } } } as const;
    const limited = { fail: { after: 0, reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 1500, http_status: 429 } };
    for (const protocol of protocols) {
      const client = service.chatClient(protocol);
      const detailsOf = async (chat: ReturnType<typeof ask>) => (await failureOf(client.completeChat({ chat }))).error;

      const wrong = await detailsOf(ask("echo/echo", "?", { parameters: { temperature: 3, n: 0 } }));
      const fields = wrong.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field);
      expect(fields).toEqual(["chat.parameters.temperature", "chat.parameters.n"]);

      const failed = await detailsOf(scriptEcho({ text: "{a" }, json));
      expect(failed.findDetails(JsonGenerationFailureSchema)).toMatchObject([{ failedGeneration: "{a" }]);

      const later = await detailsOf(scriptEcho(limited));
      const [retry] = later.findDetails(RetryInfoSchema);
      expect(retry?.retryDelay && durationMs(retry.retryDelay)).toBe(1500);
      expect(later.findDetails(ProviderErrorSchema)).toMatchObject([{ provider: "echo", httpStatus: 429 }]);

      const first = new AbortController();
      const begun = client.streamChat(
        { chat: scriptEcho({ text: "a b", stall: { after: 1 } }, { accountId: "a1" }) },
        first,
      );
      const read = async () => {
        for await (const _ of begun) {
          const full = await detailsOf(ask("echo/echo", "?", { accountId: "a1" }));
          const violations = [
            { subject: "account:a1/model:echo/echo", description: expect.stringMatching(/at most 1/) },
          ];
          expect(full.findDetails(QuotaFailureSchema)).toMatchObject([{ violations }]);
          first.abort();
        }
      };
      expect(await failureOf(read())).toMatchObject({ code: "Canceled" });
      service.forgetRecords();
    }
  });

  behaviour(219, async () => {
    const key = { id: "k", sha256: createHash("sha256").update("key").digest("hex"), accounts: ["a1", "a2"] };
    const { service } = await startStage({}, { authentication: { keys: [key] } });
    /** Posts over HTTP/1.1, which keeps the case of header names. */
    const post = async (path: string, headers: Record<string, string>, body: object) => {
      const all = { "Content-Type": "application/json", ...headers };
      const request = httpRequest(`http://${service.httpAddress}${path}`, { method: "POST", headers: all });
      request.end(JSON.stringify(body));
      const [response]: IncomingMessage[] = await once(request, "response");
      response?.resume();
      return response?.statusCode;
    };
    const body = { model: "echo/echo", messages: says("Where?") };
    for (const [name, value] of [
      ["X-API-Key", "key"],
      ["x-api-key", "key"],
      ["X-Api-KEY", "key"],
      ["AUTHORIZATION", "Bearer key"],
      ["authorization", "bearer key"],
    ] as const) {
      for (const selected of ["X-Selected-Account-ID", "x-selected-account-id"]) {
        service.forgetRecords();
        const headers = { [name]: value, [selected]: "a2" };
        expect(await post(paths.openai, headers, body)).toBe(200);
        expect(await service.nextRecord()).toMatchObject({ keyId: "k", accountId: "a2" });
        expect(await post(method("CompleteChat"), headers, question)).toBe(200);
        expect(await service.nextRecord()).toMatchObject({ keyId: "k", accountId: "a2" });
        for (const protocol of protocols) {
          await service.chatClient(protocol).completeChat({ chat: ask("echo/echo", "?") }, { headers });
          expect(await service.nextRecord()).toMatchObject({ keyId: "k", accountId: "a2" });
        }
      }
    }
    expect(await post(paths.openai, { "X-API-Key": "KEY", "X-Selected-Account-ID": "a2" }, body)).toBe(401);
  });

  behaviour(220, async () => {
    const { service } = await startStage();
    const HealthClient = makeClientConstructor(healthService, "Health");
    const client = new HealthClient(service.grpcAddress, credentials.createInsecure());
    onTestFinished(() => client.close());
    const health = (name: string) =>
      new Promise((resolve, reject) => {
        client.check?.({ service: name }, (error: ServiceError | null, answer: unknown) =>
          error ? reject(error) : resolve(answer),
        );
      });
    expect(await health("")).toMatchObject({ status: "SERVING" });
    expect(await health("dragoman.v1.ChatService")).toMatchObject({ status: "SERVING" });
    await expect(health("no.such.Service")).rejects.toMatchObject({ code: 5 });
    expect((await fetch(`http://${service.httpAddress}/healthz`)).status).toBe(200);

    const transport = createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` });
    async function* list() {
      yield create(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } });
    }
    const names: string[] = [];
    for await (const { messageResponse } of createClient(ServerReflection, transport).serverReflectionInfo(list())) {
      if (messageResponse.case === "listServicesResponse") {
        names.push(...messageResponse.value.service.map(({ name }) => name));
      }
    }
    expect(names).toEqual(expect.arrayContaining(["dragoman.v1.ChatService", "dragoman.v1.ModelService"]));
  });
});
