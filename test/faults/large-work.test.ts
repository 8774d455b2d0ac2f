import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { type ServiceProcess, startProcess } from "../support/process.ts";
import { ask } from "../support/requests.ts";
import { functionTool } from "../support/tools.ts";

/** Whole response of the provider, by model. */
const answers = new Map<string, string>();

let upstream: Server;
let service: ServiceProcess;

beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk);
    const { model }: { model: string } = JSON.parse(Buffer.concat(body).toString());
    response.writeHead(200, { "content-type": "application/json" }).end(answers.get(model));
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as AddressInfo;
  service = await startProcess({ VLLM_BASE_URL: `http://127.0.0.1:${port}/v1` });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
});

const client = () => createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));

function complete(model: string, answer: string) {
  answers.set(model, answer);
  const parameters = { maxOutputTokens: 10, logprobs: true, topLogprobs: 20 };
  return client().completeChat({ chat: ask(`vllm/${model}`, "hi", { parameters }) });
}

async function failureOf(call: Promise<unknown>): Promise<{ reason: string | undefined; message: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: ConnectError) => thrown,
  );
  return { reason: error?.findDetails(ErrorInfoSchema)[0]?.reason, message: error?.rawMessage ?? "" };
}

describe("a response with log probabilities", () => {
  it("may have 8,500 tokens with 20 alternatives each", { timeout: 60_000 }, async () => {
    const token = { token: " caravan", logprob: -0.12345678, bytes: [32, 99, 97, 114, 97, 118, 97, 110] };
    const entry = { ...token, top_logprobs: Array.from({ length: 20 }, () => token) };
    const logprobs = { content: Array.from({ length: 8_500 }, () => entry) };
    const choice = { index: 0, message: { content: "far" }, finish_reason: "stop", logprobs };
    const { completion } = await complete("honest", JSON.stringify({ id: "1", choices: [choice] }));
    const tokens = completion?.choices[0]?.logprobs?.tokens ?? [];
    expect(tokens).toHaveLength(8_500);
    expect(tokens.at(-1)?.topLogprobs).toHaveLength(20);
    expect(tokens.at(-1)?.topLogprobs.at(-1)).toMatchObject({ token: " caravan", logprob: -0.12345678 });
  });

  it.each([
    ["a million field names", `{"logprobs":{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":1`).join()}}}`],
    ["two million objects", `{"logprobs":[${"{},".repeat(2_000_000)}{}]}`],
    ["two million texts", `{"logprobs":[${'"a",'.repeat(2_000_000)}"a"]}`],
  ])("is rejected before parsing if it has %s", async (what, answer) => {
    const failure = await failureOf(complete(what.replaceAll(" ", "-"), answer));
    expect(failure).toEqual({
      reason: "PROVIDER_FAULT",
      message: expect.stringContaining("its JSON has too many values"),
    });
  });

  it.each([
    ["not an object", "1"],
    ["without a token", '{"logprob":-1}'],
    ["with a text as its bytes", '{"token":"a","logprob":-1,"bytes":"a"}'],
  ])("is returned without log probabilities if one of them is %s", async (what, invalid) => {
    const list = `[{"token":"a","logprob":-1},${invalid}]`;
    const choice = `{"message":{"content":"far"},"finish_reason":"stop","logprobs":{"content":${list}}}`;
    const { completion } = await complete(what.replaceAll(" ", "-"), `{"choices":[${choice}]}`);
    expect(completion?.choices[0]?.message?.parts[0]?.kind).toEqual({ case: "text", value: "far" });
    expect(completion?.choices[0]?.logprobs).toBeUndefined();
  });
});

it("fails a call whose model returns JSON with two million objects", async () => {
  const content = `{"a":[${"{},".repeat(2_000_000)}{}]}`;
  answers.set("json", JSON.stringify({ choices: [{ message: { content }, finish_reason: "stop" }] }));
  const outputFormat = { format: { case: "jsonObject" as const, value: {} } };
  const failure = await failureOf(client().completeChat({ chat: ask("vllm/json", "JSON, please", { outputFormat }) }));
  expect(failure).toEqual({
    reason: "JSON_GENERATION_FAILED",
    message: expect.stringContaining("the model's JSON has more than 128 levels, 250000 values"),
  });
});

describe("JSON in the fields of a request", () => {
  const many = `{"a":[${"1,".repeat(150_000)}1]}`;
  const tools = ["f", "g"].map((name) => functionTool({ name, parametersJsonSchema: many }));

  it("may have 150,000 values in one field", async () => {
    const call = client().planChat({ chat: ask("echo/echo", "hi", { tools: tools.slice(0, 1) }) });
    expect((await call).model).toBe("echo/echo");
  });

  it("must not have more in all fields together: tools", async () => {
    const failure = await failureOf(client().planChat({ chat: ask("echo/echo", "hi", { tools }) }));
    expect(failure).toEqual({
      reason: "INVALID_REQUEST",
      message: expect.stringMatching(
        /tools\[1\]\.function\.parameters_json_schema: must not have more than 250000 values/,
      ),
    });
  });

  it("must not have more in all fields together: tool calls", async () => {
    const parts = ["a", "b"].map((id) => ({
      kind: { case: "toolCall" as const, value: { id, name: "f", argumentsJson: many } },
    }));
    const messages = [{ role: Role.ASSISTANT, parts }];
    const failure = await failureOf(client().planChat({ chat: { model: "echo/echo", messages } }));
    expect(failure.message).toMatch(/parts\[1\]\.tool_call\.arguments_json: must not have more than 250000 values/);
  });

  it("must not have more in all fields together: an HTTP API", async () => {
    const body = {
      model: "echo/echo",
      messages: [{ role: "user", content: "hi" }],
      tools: ["f", "g"].map((name) => ({
        type: "function",
        function: { name, parameters: { enum: Array.from({ length: 130_000 }, () => 1) } },
      })),
    };
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(413);
  });
});

it("names the first hundred of 60,000 media that the model does not support", async () => {
  const media = { source: { case: "data" as const, value: Uint8Array.of(1) }, mediaType: "x/y" };
  const parts = Array.from({ length: 60_000 }, () => ({ kind: { case: "media" as const, value: media } }));
  const chat = { model: "vllm/any", messages: [{ role: Role.USER, parts }] };
  const failure = await failureOf(client().planChat({ chat }));
  expect(failure.reason).toBe("UNSUPPORTED_PARAMETER");
});

it("leaves out 80,000 citations of an assistant message with one warning", async () => {
  const citations = Array.from({ length: 80_000 }, () => ({ start: 0, end: 1 }));
  const text = (value: string) => ({ case: "text" as const, value });
  const messages = [
    { role: Role.ASSISTANT, parts: [{ kind: text("far"), citations }] },
    { role: Role.USER, parts: [{ kind: text("hi") }] },
  ];
  const { warnings } = await client().planChat({ chat: { model: "vllm/any", messages } });
  expect(warnings.filter(({ reason }) => reason === "LEFT_OUT")).toMatchObject([
    { field: "messages[0].parts[0].citations" },
  ]);
});

describe("120,000 parts without a kind", () => {
  const parts = Array.from({ length: 120_000 }, () => ({}));
  const question = { role: Role.USER, parts: [{ kind: { case: "text" as const, value: "hi" } }] };

  it("are rejected in a user message, with a hundred paths", async () => {
    const messages = [question, { role: Role.USER, parts }];
    const failure = await failureOf(client().planChat({ chat: { model: "vllm/any", messages } }));
    expect(failure.reason).toBe("INVALID_REQUEST");
    expect(failure.message).toMatch(/messages\[1\]\.parts\[0\]\.kind: is missing or unknown/);
  });

  it("are left out of an assistant message, with 101 warnings", async () => {
    const messages = [question, { role: Role.ASSISTANT, parts }];
    const { warnings, providerRequestJson } = await client().planChat({ chat: { model: "vllm/any", messages } });
    expect(warnings.filter(({ reason }) => reason === "LEFT_OUT")).toHaveLength(101);
    expect(JSON.parse(providerRequestJson)).toMatchObject({ messages: [{ role: "user", content: "hi" }] });
  });
});
