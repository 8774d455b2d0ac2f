import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { CompleteChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import {
  CallInfoSchema,
  JsonGenerationFailureSchema,
  ToolCallFailureSchema,
} from "../../src/gen/dragoman/v1/error_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";
import { installed, isMissing, run } from "./tools.ts";

/** Error of a client, with its texts and bytes in base64. */
interface ClientError {
  readonly code: number;
  readonly message: string;
  readonly details: string;
}

const python = installed("python/bin/python");
const java = installed("java/LargestErrors.class");

const clients = [
  {
    name: "grpc-python",
    missing: isMissing("the Python client", python),
    command: [python, "test/interop/python/largest_errors.py"],
  },
  {
    name: "grpc-java",
    missing: isMissing("the Java client", java),
    command: ["java", "-cp", `${installed("java")}:${installed("java/lib/*")}`, "LargestErrors"],
  },
] as const;

/** The longest message and the largest details: characters of 3 bytes take 9 in `grpc-message`. */
const wide = "話";
const jsonObject = { outputFormat: { format: { case: "jsonObject", value: {} } } } as const;

/** Requests whose errors are as large as errors can be. */
const chats: Readonly<Record<string, ChatRequest>> = {
  violations: ask("echo/echo", "", {
    tools: Array.from({ length: 200 }, (_, index) => functionTool({ name: wide.repeat(30) + index })),
    labels: Object.fromEntries(Array.from({ length: 99 }, (_, index) => [wide.repeat(70) + index, ""])),
  }),
  generation: scriptEcho({ text: `{${wide.repeat(20_000)}` }, jsonObject),
  "tool call": ask("groq/openai/gpt-oss-120b", "hi"),
};

/** An error of Groq with rate limits as long as Dragoman accepts them. */
const rejected = {
  status: 400,
  headers: {
    "content-type": "application/json",
    "x-request-id": "r".repeat(128),
    ...Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`x-ratelimit-${index}`, "9".repeat(120)])),
  },
  steps: [
    {
      write: JSON.stringify({
        error: { message: wide.repeat(2000), code: "tool_use_failed", failed_generation: wide.repeat(5000) },
      }),
    },
  ],
};

for (const { name, missing, command } of clients) {
  describe.skipIf(missing)(`the default client of ${name}`, () => {
    let upstream: ReplayUpstream;
    let service: TestService;
    const errors = new Map<string, ClientError>();
    beforeAll(async () => {
      upstream = await startReplayUpstream(rejected);
      service = await startTestService({ GROQ_API_KEY: "k", GROQ_BASE_URL: upstream.baseUrl });
      const input = Object.values(chats).map((chat) =>
        Buffer.from(toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat }))).toString(
          "base64",
        ),
      );
      const [program, ...args] = command;
      const { code, stdout, stderr } = await run(
        program,
        [...args, service.grpcAddress],
        {},
        { input: `${input.join("\n")}\n` },
      );
      if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}`);
      const lines = stdout.trimEnd().split("\n");
      for (const [index, title] of Object.keys(chats).entries()) errors.set(title, JSON.parse(lines[index] ?? ""));
    });
    afterAll(async () => {
      await service.stop();
      await upstream[Symbol.asyncDispose]();
    });

    /** Returns the code and the status of an error as the client received it. */
    function received(title: string) {
      const { code, message = "", details = "" } = errors.get(title) ?? expect.fail("the call must fail");
      const status = fromBinary(StatusSchema, Buffer.from(details, "base64"));
      expect(status.message).toBe(Buffer.from(message, "base64").toString());
      const find = <Desc extends DescMessage>(desc: Desc) =>
        status.details.map((packed) => anyUnpack(packed, desc)).find(Boolean);
      return { code, status, find };
    }

    it("receives the largest error of a request with wrong fields", () => {
      const { code, status, find } = received("violations");
      expect(code).toBe(Code.InvalidArgument);
      expect(find(ErrorInfoSchema)).toMatchObject({ reason: "INVALID_REQUEST" });
      expect(find(BadRequestSchema)).toMatchObject({ fieldViolations: expect.any(Array) });
      expect(find(CallInfoSchema)).toMatchObject({ callId: expect.stringContaining("chatcmpl-") });
      expect(status.message).toMatch(/more invalid fields are not listed$/);
    });

    it("receives the largest error with the model's invalid JSON", () => {
      const { code, find } = received("generation");
      expect(code).toBe(Code.InvalidArgument);
      expect(find(JsonGenerationFailureSchema)).toMatchObject({ truncated: true });
      expect(find(CallInfoSchema)).toMatchObject({ attempts: [{ target: "echo/echo" }] });
    });

    it("receives the largest error of a provider with many rate limits", () => {
      const { code, find } = received("tool call");
      expect(code).toBe(Code.Aborted);
      expect(find(ToolCallFailureSchema)).toMatchObject({ message: wide.repeat(170), truncated: true });
      expect(find(CallInfoSchema)).toMatchObject({ attempts: [{ providerRequestId: "r".repeat(128) }] });
    });
  });
}
