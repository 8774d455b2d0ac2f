import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { TokenService } from "../../src/gen/dragoman/v1/token_service_pb.js";
import { embedRequest } from "../support/embedding.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { tellStories } from "./grpc-js-client.ts";
import { expectPartialRecord, expectRateLimit, recordOf, type Story } from "./story.ts";
import { installed, isMissing, run } from "./tools.ts";

const python = installed("python/bin/python");
const go = installed("bin/client");

/** What each client embeds. */
const vectorRequest = embedRequest("echo/embed", ["one two", "three"], { dimensions: 4 });

/** Runs a client that prints one line of JSON per scenario. */
async function readStories(command: string, args: readonly string[], environment = {}): Promise<readonly Story[]> {
  const { code, stdout, stderr } = await run(command, args, environment);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line): Story => JSON.parse(line));
}

const clients = [
  { name: "grpc-js", isTemplate: false, missing: false, tell: tellStories },
  {
    name: "python",
    isTemplate: true,
    missing: isMissing("the Python client", python),
    tell: (address: string) =>
      readStories(python, ["test/interop/python/client.py", address], { PYTHONPATH: installed("python-gen") }),
  },
  {
    name: "go",
    isTemplate: true,
    missing: isMissing("the Go client", go),
    tell: (address: string) => readStories(go, [address]),
  },
];

for (const { name, isTemplate, missing, tell } of clients) {
  describe.skipIf(missing)(`the ${name} client`, () => {
    let service: TestService;
    let stories: ReadonlyMap<string, Story>;
    beforeAll(async () => {
      service = await startTestService({ OPENAI_API_KEY: "unused" });
      stories = new Map((await tell(service.grpcAddress)).map((story) => [story.story, story]));
    });
    afterAll(() => service.stop());

    // client-templates.test.ts tests these with the programs of clients/.
    if (!isTemplate) {
      it("receives a unary response, and the record has its request id", async () => {
        expect(stories.get("unary")).toMatchObject({ text: "hello from grpc-js", output_tokens: 3 });
        expect(await recordOf(service, "grpc-js-unary")).toMatchObject({ outcome: "ok", protocol: "grpc" });
      });

      it("reads a stream with its events in order and its complete text", () => {
        expect(stories.get("stream")).toMatchObject({
          events: ["started", "delta", "delta", "delta", "delta", "finished", "completed"],
          text: "Bonjour tout le monde 🌍",
        });
      });

      it("cancels a stream, and the record has outcome cancelled", async () => {
        expect(stories.get("cancel")).toMatchObject({
          events: ["started", "delta"],
          text: "so ",
          code: status.CANCELLED,
        });
        await expectPartialRecord(service, "grpc-js-cancel", "cancelled");
      });

      it("decodes the invalid fields of a request", () => {
        const invalid = stories.get("invalid");
        expect(invalid?.code).toBe(status.INVALID_ARGUMENT);
        expect(invalid?.details?.["google.rpc.BadRequest"]).toMatchObject({
          fieldViolations: [{ field: "chat.parameters.temperature" }, { field: "chat.parameters.n" }],
        });
      });
    }

    it("sets a deadline, and the record has outcome deadline_exceeded", async () => {
      expect(stories.get("deadline")).toMatchObject({
        events: ["started", "delta", "delta"],
        text: "so far",
        code: status.DEADLINE_EXCEEDED,
      });
      await expectPartialRecord(service, `${name}-deadline`, "deadline_exceeded");
    });

    it("decodes the details of a rate limit error before and after output", () => {
      const limited = stories.get("limited");
      expect(limited?.code).toBe(status.RESOURCE_EXHAUSTED);
      expectRateLimit(limited?.details, `${name}-limited`);
      const interrupted = stories.get("interrupted");
      expect(interrupted).toMatchObject({ events: ["started", "delta", "delta"], code: status.RESOURCE_EXHAUSTED });
      expectRateLimit(interrupted?.details, `${name}-interrupted`, true);
    });

    it("reads a non-ASCII error message", () => {
      const { code, message, details } = stories.get("unknown") ?? {};
      expect(code).toBe(status.NOT_FOUND);
      expect(message).toContain("there is no model modèle-日本-😀;");
      expect(details?.["google.rpc.ErrorInfo"]).toMatchObject({ metadata: { model: "modèle-日本-😀" } });
    });

    it("sends a request compressed with gzip", () => {
      expect(stories.get("compressed")).toMatchObject({ length: 110_000, output_tokens: 20_000 });
    });

    it("embeds texts, and the record has the request id", async () => {
      const { embeddings } = await service.client(EmbeddingService, "connect").embed(vectorRequest);
      const { vectors, input_tokens } = stories.get("embed") ?? {};
      expect(vectors?.map((vector) => vector.map(Math.fround))).toEqual(embeddings.map(({ values }) => values));
      expect(input_tokens).toBe(3);
      expect(await recordOf(service, `${name}-embed`)).toMatchObject({ method: "Embed", outcome: "ok" });
    });

    it("counts the tokens of a prompt", async () => {
      const counted = { chat: ask("openai/gpt-4o", "one two three") };
      const { inputTokens } = await service.client(TokenService, "connect").countTokens(counted);
      expect(inputTokens).toBeGreaterThan(3);
      expect(stories.get("count")).toMatchObject({ input_tokens: inputTokens });
    });

    it("rejects a response above 4 MiB unless its limit is raised", () => {
      expect(stories.get("too_large")).toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
        message: expect.stringContaining("larger than max"),
      });
      expect(stories.get("large")).toMatchObject({ length: 5 * 2 ** 20 });
    });
  });
}
