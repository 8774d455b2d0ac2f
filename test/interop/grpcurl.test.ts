import { once } from "node:events";
import type { JsonObject } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callRecord, LedgerInMemory } from "../support/ledger-in-memory.ts";
import { RoutingViewInMemory } from "../support/routing-view.ts";
import { startTestService, type TestService } from "../support/service.ts";
import type { Details } from "./details.ts";
import { bodies, eventsOf, readMessages, textOf } from "./requests.ts";
import { expectPartialRecord, expectRateLimit, expectVectorsAndCount } from "./story.ts";
import { type Ended, installed, isMissing, type Run, start } from "./tools.ts";

const grpcurl = installed("bin/grpcurl");

/** Exit code of grpcurl: 64 plus the status code. */
const exitCode = (code: status): number => 64 + code;

describe.skipIf(isMissing("grpcurl", grpcurl))("grpcurl with server reflection", () => {
  let service: TestService;
  const ledger = new LedgerInMemory();
  beforeAll(async () => {
    service = await startTestService({}, undefined, undefined, [], {
      routing: new RoutingViewInMemory([], { fast: ["echo/echo"] }),
      ledger,
    });
  });
  afterAll(() => service.stop());

  const ask = (...args: readonly string[]): Promise<Ended> => start(grpcurl, ["-plaintext", ...args]).ended;

  function call(method: string, data: string, requestId: string, ...options: readonly string[]): Run {
    const flags = ["-plaintext", "-format-error", "-H", `x-request-id: ${requestId}`, "-d", data, ...options];
    return start(grpcurl, [...flags, service.grpcAddress, `dragoman.v1.ChatService/${method}`]);
  }

  it("lists the services", async () => {
    const { stdout } = await ask(service.grpcAddress, "list");
    expect(stdout.trimEnd().split("\n")).toEqual([
      "dragoman.admin.v1.AccountService",
      "dragoman.admin.v1.KeyService",
      "dragoman.admin.v1.RoutingService",
      "dragoman.admin.v1.UsageService",
      "dragoman.v1.ChatService",
      "dragoman.v1.EmbeddingService",
      "dragoman.v1.ModelService",
      "dragoman.v1.TokenService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
  });

  it("describes a service and a message with their comments, rules and optional fields", async () => {
    const { stdout: chat } = await ask(service.grpcAddress, "describe", "dragoman.v1.ChatService");
    expect(chat).toContain("// Stream law: `started` is sent once, first;");
    expect(chat).toContain("returns ( stream .dragoman.v1.StreamChatResponse );");
    const { stdout: parameters } = await ask(service.grpcAddress, "describe", "dragoman.v1.GenerationParameters");
    expect(parameters).toContain("// Randomness, 0 to 2;");
    expect(parameters).toMatch(/optional double temperature = 1 \[\s*\(\.buf\.validate\.field\)/);
  });

  it("lists the targets of a route", async () => {
    const { stdout } = await ask(
      "-d",
      '{"route": "fast"}',
      service.grpcAddress,
      "dragoman.admin.v1.RoutingService/ListTargets",
    );
    expect(JSON.parse(stdout)).toEqual({ targets: [{ name: "echo/echo", state: "TARGET_STATE_CLOSED" }] });
  });

  it("queries usage", async () => {
    ledger.records.push(callRecord("2026-11-02T10:00:00Z", "chatcmpl-1", { account: "billing" }));
    const { stdout } = await ask(
      "-d",
      '{"start_time": "2026-11-01T00:00:00Z", "group_by": ["USAGE_GROUP_ACCOUNT"]}',
      service.grpcAddress,
      "dragoman.admin.v1.UsageService/QueryUsage",
    );
    const sums = { calls: "1", inputTokens: "10", outputTokens: "5", costNanos: "1000" };
    expect(JSON.parse(stdout)).toEqual({
      rows: [{ startTime: "2026-11-01T00:00:00Z", groups: ["billing"], ...sums }],
    });
  });

  it("checks health", async () => {
    const { stdout } = await ask(service.grpcAddress, "grpc.health.v1.Health/Check");
    expect(JSON.parse(stdout)).toEqual({ status: "SERVING" });
  });

  it("receives a unary response", async () => {
    const { code, stdout } = await call("CompleteChat", bodies.greeting, "grpcurl-unary").ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      completion: { choices: [{ message: { parts: [{ text: "Bonjour tout le monde 🌍" }] } }] },
    });
  });

  it("reads a stream with its events in order and its complete text", async () => {
    const { stdout } = await call("StreamChat", bodies.greeting, "grpcurl-stream").ended;
    const messages = readMessages(stdout);
    expect(eventsOf(messages)).toEqual(["started", "delta", "delta", "delta", "delta", "finished", "completed"]);
    expect(textOf(messages)).toBe("Bonjour tout le monde 🌍");
  });

  it("records an interrupted stream as cancelled", async () => {
    const { output, interrupt, ended } = call("StreamChat", bodies.stall, "grpcurl-cancel");
    for (let seen = ""; !seen.includes("far"); ) seen += String(await once(output, "data"));
    interrupt();
    await ended;
    await expectPartialRecord(service, "grpcurl-cancel", "cancelled");
  });

  it("sets a deadline, and the record has outcome deadline_exceeded", async () => {
    const { code, stdout } = await call("StreamChat", bodies.stall, "grpcurl-deadline", "-max-time", "2").ended;
    expect(code).toBe(exitCode(status.DEADLINE_EXCEEDED));
    expect(stdout).toContain("far");
    await expectPartialRecord(service, "grpcurl-deadline", "deadline_exceeded");
  });

  it("embeds texts and token ids, and counts the tokens of a prompt", async () => {
    const [embedded, counted] = await Promise.all([
      ask("-d", bodies.embedded, service.grpcAddress, "dragoman.v1.EmbeddingService/Embed"),
      ask("-d", bodies.counted, service.grpcAddress, "dragoman.v1.TokenService/CountTokens"),
    ]);
    await expectVectorsAndCount(service, embedded.stdout, counted.stdout);
  });

  it("prints decoded error details", async () => {
    const limited = await call("CompleteChat", bodies.limited, "grpcurl-limited").ended;
    expect(limited.code).toBe(exitCode(status.RESOURCE_EXHAUSTED));
    expectRateLimit(detailsIn(limited.stderr), "grpcurl-limited");
    const invalid = await call("CompleteChat", bodies.invalid, "grpcurl-invalid").ended;
    expect(invalid.code).toBe(exitCode(status.INVALID_ARGUMENT));
    expect(detailsIn(invalid.stderr)).toMatchObject({
      "google.rpc.BadRequest": {
        fieldViolations: [{ field: "chat.parameters.temperature" }, { field: "chat.parameters.n" }],
      },
    });
  });
});

/** Returns the details of a google.rpc.Status in JSON, by type name. */
function detailsIn(text: string): Details {
  const { details }: { details: (JsonObject & { "@type": string })[] } = JSON.parse(text);
  return Object.fromEntries(
    details.map(({ "@type": url, ...detail }) => [url.replace("type.googleapis.com/", ""), detail]),
  );
}
