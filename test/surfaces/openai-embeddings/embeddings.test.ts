import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { EmbeddingService } from "../../../src/gen/dragoman/v1/embedding_service_pb.js";
import { embedRequest } from "../../support/embedding.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

async function post(body: unknown, to: Pick<TestService, "httpAddress"> = service) {
  const response = await fetch(`http://${to.httpAddress}/v1/embeddings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, json: (await response.json()) as never };
}

const model = "echo/embed";

describe("POST /v1/embeddings", () => {
  it.each([
    ["a string", "one two three", 1],
    ["a list of strings", ["one two", "three"], 2],
    ["a list of tokens", [1, 2, 3], 1],
    ["a list of lists of tokens", [[1, 2], [3]], 2],
  ])("takes %s", async (_, input, count) => {
    const { status, json, headers } = await post({ model, input });
    expect(status).toBe(200);
    const { data, ...rest } = json as { data: { embedding: number[] }[] };
    expect(rest).toEqual({ object: "list", model, usage: { prompt_tokens: 3, total_tokens: 3 } });
    expect(data.map(({ embedding, ...item }) => ({ ...item, length: embedding.length }))).toEqual(
      Array.from({ length: count }, (_, index) => ({ object: "embedding", index, length: 256 })),
    );
    expect(headers.get("x-dragoman-target")).toBe("echo/embed");
    expect(headers.get("x-request-id")).toMatch(/^embd-/);
  });

  it("returns the same vectors as Embed, as numbers and as base64", async () => {
    const request = embedRequest(model, ["a b c", "d"], { dimensions: 24 });
    const { embeddings } = await service.client(EmbeddingService, "grpc").embed(request);
    const input = ["a b c", "d"];
    const floats = await post({ model, input, dimensions: 24, encoding_format: "float" });
    const packed = await post({ model, input, dimensions: 24, encoding_format: "base64" });
    for (const [index, { values }] of embeddings.entries()) {
      const number = (floats.json as { data: { embedding: number[] }[] }).data[index]?.embedding ?? [];
      expect(number.map(Math.fround)).toEqual(values);
      const text = (packed.json as { data: { embedding: string }[] }).data[index]?.embedding ?? "";
      const bytes = Uint8Array.from(Buffer.from(text, "base64"));
      expect([...new Float32Array(bytes.buffer)]).toEqual(values);
    }
  });

  it("writes each 32-bit float so that it is read as the same", async () => {
    const upstream = await startReplayUpstream((request) => {
      const { input } = JSON.parse(request.body) as { input: string[] };
      const embedding = Buffer.from(new Float32Array(JSON.parse(input[0] ?? "[]")).buffer).toString("base64");
      const json = JSON.stringify({ data: [{ index: 0, embedding }], usage: { prompt_tokens: 1, total_tokens: 1 } });
      return { headers: { "content-type": "application/json" }, steps: [{ write: json }] };
    });
    onTestFinished(() => upstream[Symbol.asyncDispose]());
    const routed = await startTestService({ OPENAI_API_KEY: "key", OPENAI_BASE_URL: upstream.baseUrl });
    onTestFinished(() => routed.stop());
    const vector = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(vector, async (floats) => {
        const input = JSON.stringify([...floats]);
        const { json } = await post({ model: "text-embedding-3-small", input }, routed);
        const [first] = (json as { data: { embedding: number[] }[] }).data;
        // -0 is written as 0.
        expect(first?.embedding.map((value) => Math.fround(value) + 0)).toEqual([...floats].map((value) => value + 0));
      }),
      { numRuns: 50 },
    );
  });

  it("makes one record, with the name of the API", async () => {
    service.forgetRecords();
    await post({ model, input: "x", user: "u" });
    expect(await service.nextRecord()).toMatchObject({
      ...{ method: "openai-embeddings", operation: "embeddings", mayCost: true, outcome: "ok", user: "u" },
      usage: { inputTokens: 1 },
    });
  });

  it("maps input_type to the task, and reports what a provider drops in a header", async () => {
    const bodies: unknown[] = [];
    const upstream = await startReplayUpstream((request) => {
      bodies.push(JSON.parse(request.body));
      const json = JSON.stringify({ embeddings: [{ values: [1, 2] }] });
      return { headers: { "content-type": "application/json" }, steps: [{ write: json }] };
    });
    onTestFinished(() => upstream[Symbol.asyncDispose]());
    const routed = await startTestService({ GEMINI_API_KEY: "key", GEMINI_BASE_URL: upstream.baseUrl });
    onTestFinished(() => routed.stop());
    const asked = { model: "gemini-embedding-001", input: "x", input_type: "query", user: "me" };
    const { status, headers } = await post(asked, routed);
    expect(bodies).toMatchObject([{ requests: [{ taskType: "RETRIEVAL_QUERY" }] }]);
    expect([status, JSON.parse(headers.get("x-dragoman-warnings") ?? "[]")]).toMatchObject([
      200,
      [{ reason: "UNSUPPORTED_PARAMETER", field: "user" }],
    ]);
  });

  it.each([
    ["no input", { model }, "input: is required", "input", "missing_required_parameter"],
    ["an object", { model, input: {} }, "input: must be a string, a list of strings", "input", "invalid_value"],
    ["a mixed list", { model, input: ["a", 1] }, "input: must be a string, a list", "input", "invalid_value"],
    ["an empty list", { model, input: [] }, "input: must not be empty", "input", "invalid_value"],
    ["a negative token", { model, input: [1, -1] }, "input.1: must be at least 0", "input.1", "invalid_value"],
    ["one in a list", { model, input: [[1], [1, -1]] }, "input.1.1: must be at least 0", "input.1.1", "invalid_value"],
    [
      "a fraction",
      { model, input: "x", dimensions: 1.5 },
      "dimensions: must be an integer",
      "dimensions",
      "invalid_type",
    ],
    [
      "0 dimensions",
      { model, input: "x", dimensions: 0 },
      "dimensions: must be at least 1",
      "dimensions",
      "invalid_value",
    ],
    [
      "messages",
      { model, input: "x", messages: [] },
      "messages: is not a property of this API; write input",
      "messages",
      "unknown_parameter",
    ],
    [
      "a misspelt field",
      { model, input: "x", dimension: 3 },
      "did you mean dimensions?",
      "dimension",
      "unknown_parameter",
    ],
    [
      "an unknown encoding",
      { model, input: "x", encoding_format: "int8" },
      'must be "float" or "base64"',
      "encoding_format",
      "invalid_value",
    ],
    [
      "an option that echo does not have",
      { model, input: "x", other: 1 },
      "other: is not a field of the script",
      "other",
      "invalid_value",
    ],
  ])("rejects %s", async (_, body, message, param, code) => {
    const { status, json } = await post(body);
    expect(json).toEqual({
      error: { message: expect.stringContaining(message), type: "invalid_request_error", param, code },
    });
    expect(status).toBe(400);
  });

  it("names the model for errors about it", async () => {
    const unknown = await post({ model: "nothing", input: "x" });
    expect(unknown.status).toBe(404);
    expect(unknown.json).toMatchObject({ error: { code: "model_not_found", param: "model" } });
    const chat = await post({ model: "echo/echo", input: "x" });
    expect(chat.status).toBe(400);
    expect(chat.json).toMatchObject({ error: { code: "unsupported_parameter", param: "model" } });
  });

  it("passes an unknown field on as an option of the model's provider", async () => {
    const { status, json } = await post({ model, input: "x", fail: { reason: "PROVIDER_RATE_LIMITED" } });
    expect([status, json]).toMatchObject([429, { error: { code: "rate_limit_exceeded" } }]);
  });

  it("answers other methods with 405", async () => {
    const response = await fetch(`http://${service.httpAddress}/v1/embeddings`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });
});
