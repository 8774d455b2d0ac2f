import { once } from "node:events";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../support/service.ts";
import { decodeDetails } from "./details.ts";
import { bodies, eventsOf, readMessages, textOf } from "./requests.ts";
import { expectPartialRecord, expectRateLimit, expectVectorsAndCount, recordOf } from "./story.ts";
import { type Run, start } from "./tools.ts";

/** Exit code of buf curl: the status code, shifted left by three bits. */
const exitCode = (code: status): number => code << 3;

const protocols = [
  { protocol: "grpc", record: "grpc", schema: [], address: (service: TestService) => service.grpcAddress },
  {
    protocol: "connect",
    record: "connect",
    schema: ["--schema", "proto"],
    address: (service: TestService) => service.httpAddress,
  },
  {
    protocol: "grpcweb",
    record: "grpc-web",
    schema: ["--schema", "proto"],
    address: (service: TestService) => service.httpAddress,
  },
];

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
beforeEach(() => service.forgetRecords());
afterAll(() => service.stop());

describe.each(protocols)("buf curl --protocol $protocol", ({ protocol, record, schema, address }) => {
  function call(method: string, data: string, story: string, ...options: readonly string[]): Run {
    const url = `http://${address(service)}/dragoman.v1.${method.includes("/") ? method : `ChatService/${method}`}`;
    const header = `x-request-id: ${protocol}-${story}`;
    return start("node_modules/.bin/buf", [
      "curl",
      "--protocol",
      protocol,
      ...schema,
      "-H",
      header,
      "-d",
      data,
      ...options,
      url,
    ]);
  }

  it("receives a unary response, and the record has its request id", async () => {
    const { code, stdout } = await call("CompleteChat", bodies.greeting, "unary").ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      completion: { choices: [{ message: { parts: [{ text: "Bonjour tout le monde 🌍" }] } }] },
    });
    expect(await recordOf(service, `${protocol}-unary`)).toMatchObject({ outcome: "ok", protocol: record });
  });

  it("reads a stream with its events in order and its complete text", async () => {
    const { stdout } = await call("StreamChat", bodies.greeting, "stream").ended;
    const messages = readMessages(stdout);
    expect(eventsOf(messages)).toEqual(["started", "delta", "delta", "delta", "delta", "finished", "completed"]);
    expect(textOf(messages)).toBe("Bonjour tout le monde 🌍");
  });

  it("records an interrupted stream as cancelled", async () => {
    const { output, interrupt, ended } = call("StreamChat", bodies.stall, "cancel");
    for (let seen = ""; !seen.includes("far"); ) seen += String(await once(output, "data"));
    interrupt();
    await ended;
    await expectPartialRecord(service, `${protocol}-cancel`, "cancelled");
  });

  it("sets a deadline, and the record has outcome deadline_exceeded", async () => {
    const { code, stdout } = await call("StreamChat", bodies.stall, "deadline", "--timeout", "3s").ended;
    expect(code).toBe(exitCode(status.DEADLINE_EXCEEDED));
    expect(stdout).toContain("far");
    await expectPartialRecord(service, `${protocol}-deadline`, "deadline_exceeded");
  });

  it("embeds texts and token ids, and counts the tokens of a prompt", async () => {
    const [embedded, counted] = await Promise.all([
      call("EmbeddingService/Embed", bodies.embedded, "embed").ended,
      call("TokenService/CountTokens", bodies.counted, "count").ended,
    ]);
    await expectVectorsAndCount(service, embedded.stdout, counted.stdout);
  });

  it("prints the error details of a unary call and of a stream", async () => {
    for (const method of ["CompleteChat", "StreamChat"]) {
      const { code, stderr } = await call(method, bodies.limited, `limited-${method}`).ended;
      expect(code).toBe(exitCode(status.RESOURCE_EXHAUSTED));
      expectRateLimit(detailsIn(stderr), `${protocol}-limited-${method}`);
    }
    const { code, stderr } = await call("CompleteChat", bodies.invalid, "invalid").ended;
    expect(code).toBe(exitCode(status.INVALID_ARGUMENT));
    expect(detailsIn(stderr)["google.rpc.BadRequest"]).toMatchObject({
      fieldViolations: [{ field: "chat.parameters.temperature" }, { field: "chat.parameters.n" }],
    });
  });
});

/** Decodes the error details that buf prints. It prints Connect's JSON with every protocol. */
function detailsIn(text: string): ReturnType<typeof decodeDetails> {
  const { details }: { details: { type: string; value: string }[] } = JSON.parse(text);
  return decodeDetails(details.map(({ type, value }) => ({ typeName: type, bytes: Buffer.from(value, "base64") })));
}
