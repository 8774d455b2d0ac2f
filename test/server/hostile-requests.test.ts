import { connect } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mostViolations } from "../../src/errors.ts";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";
import { callRaw, frame } from "./raw-calls.ts";

const models = `
models:
  llama3.1-8b: { provider: echo, provider_model: echo }
  emulated: { provider: echo, provider_model: echo, capabilities: { json_schema: false, json_object: true } }
`;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, undefined, models);
});
afterAll(() => service.stop());

const complete = "/dragoman.v1.ChatService/CompleteChat";
const nested = (levels: number) => `{"properties":${'{"a":'.repeat(levels)}{}${"}".repeat(levels)}}`;
const schemaOf = (schemaJson: string) => ({
  outputFormat: { format: { case: "jsonSchema", value: { name: "x", schemaJson, strict: true } } } as const,
});

async function failureOf(chat: ReturnType<typeof ask>): Promise<ConnectError> {
  service.forgetRecords();
  const faults = service.faults.length;
  const error = await service
    .chatClient("grpc")
    .completeChat({ chat })
    .then(
      () => undefined,
      (thrown: unknown) => ConnectError.from(thrown),
    );
  if (error === undefined) throw new Error("the call did not fail");
  expect(service.faults).toHaveLength(faults);
  expect(await service.nextRecord()).toMatchObject({ outcome: "refused" });
  return error;
}

/** Makes Dragoman check strict schemas as Cerebras does. */
const strict = { profile: Profile.CEREBRAS };

describe("deeply nested JSON in a text field", () => {
  it.each([
    [
      "a strict schema with the profile cerebras",
      ask("llama3.1-8b", "hi", { ...strict, ...schemaOf(nested(100_000)) }),
      "schema_json",
    ],
    ["a schema that Dragoman validates", ask("emulated", "hi", schemaOf(nested(100_000))), "schema_json"],
    [
      "a tool",
      ask("echo/echo", "hi", { tools: [functionTool({ name: "f", parametersJsonSchema: nested(100_000) })] }),
      "parameters_json_schema",
    ],
  ])("rejects deeply nested JSON and names its field: %s", async (_name, chat, field) => {
    const error = await failureOf(chat);
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(new RegExp(`${field}: must not nest more than 128 levels deep`));
  });
});

it("validates a strict schema of 100,000 properties in linear time", async () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `k${index}`);
  const properties = Object.fromEntries(names.map((name) => [name, {}]));
  const schema = { type: "object", additionalProperties: false, required: names, properties };
  // The schema is valid, so the call fails for another reason: echo's response or the length of the prompt.
  const error = await failureOf(ask("llama3.1-8b", "hi", { ...strict, ...schemaOf(JSON.stringify(schema)) }));
  expect(error.rawMessage).not.toMatch("strict mode");
});

it("rejects a request with 200,000 empty messages", async () => {
  const inner = Buffer.from(`\x0a\x09echo/echo${"\x12\x00".repeat(200_000)}`, "latin1");
  const body = frame(Buffer.concat([Buffer.from([0x0a]), varint(inner.length), inner]));
  const { code, message } = await callRaw("grpc", service, { path: complete, body });
  expect(code).toBe(Code.InvalidArgument);
  expect(message).toMatch(/messages: must have at most 10000 item/);
});

it("reports at most 100 violations for 60,000 invalid parts", async () => {
  const parts = Array.from({ length: 60_000 }, (_, index) => {
    const value = { toolCallId: `c${index}` };
    return { kind: { case: "toolResult", value } as const };
  });
  const error = await failureOf(ask("echo/echo", "hi", { messages: [{ role: Role.TOOL, parts }] }));
  expect(error.code).toBe(Code.InvalidArgument);
  const [badRequest] = error.findDetails(BadRequestSchema);
  expect(badRequest?.fieldViolations.length).toBeLessThanOrEqual(mostViolations);
});

it.each(["CompleteChat", "StreamChat"])("rejects JSON with millions of values: %s", async (method) => {
  service.forgetRecords();
  const text = `{"chat":{"messages":[${"{},".repeat(1_000_000)}{}]}}`;
  const streamed = method === "StreamChat";
  const response = await fetch(`http://${service.httpAddress}/dragoman.v1.ChatService/${method}`, {
    method: "POST",
    headers: { "content-type": streamed ? "application/connect+json" : "application/json" },
    body: streamed ? new Uint8Array(frame(Buffer.from(text))) : text,
  });
  expect(await response.text()).toMatch("more than 250000 JSON values");
  expect(await service.nextRecord()).toMatchObject({ reason: "REQUEST_TOO_LARGE" });
});

it("records a request that shutdown interrupts before the service stops", async () => {
  const ending = await startTestService({}, (config) => ({ ...config, shutdown: { delayMs: 0, graceMs: 0 } }));
  const [host, port] = ending.httpAddress.split(":");
  const socket = connect(Number(port), host).on("error", () => {});
  const head =
    "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
  await new Promise((resolve) => socket.write(`${head}{`, resolve));
  // Once the service responds on a second connection, it has accepted the first.
  await fetch(`http://${ending.httpAddress}/healthz`);
  await ending.stop();
  expect(ending.records).toMatchObject([{ outcome: "refused", reason: "SHUTTING_DOWN" }]);
});

it("separates the prompt cache keys of accounts, whatever their names and keys are", async () => {
  await using upstream = await startReplayUpstream({ status: 500, steps: [{ write: "{}" }] });
  const cached = await startTestService({ OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: upstream.baseUrl });
  const keyOf = async (accountId: string, promptCacheKey: string): Promise<unknown> => {
    const chat = ask("openai/gpt-4o", "hi", { accountId, promptCacheKey });
    const { providerRequestJson } = await cached.chatClient("grpc").planChat({ chat });
    return JSON.parse(providerRequestJson).prompt_cache_key;
  };
  const pairs = [
    ["a", "b/c"],
    ["a/b", "c"],
    ["a%2Fb", "c"],
    ["", "a/b/c"],
    ["", "c"],
    ["a", "c"],
  ] as const;
  const keys = await Promise.all(pairs.map(([account, key]) => keyOf(account, key)));
  expect(new Set(keys).size).toBe(pairs.length);
  expect(keys[4]).toBe("c");
  expect(keys[5]).toBe("a/c");
  await cached.stop();
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
