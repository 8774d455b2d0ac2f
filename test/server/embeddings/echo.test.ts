import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { EmbeddingService } from "../../../src/gen/dragoman/v1/embedding_service_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { cosine, embedRequest, failureOf } from "../../support/embedding.ts";
import { ask } from "../../support/requests.ts";
import { protocols, startTestService, type TestService } from "../../support/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

const client = (protocol: (typeof protocols)[number] = "grpc") => service.client(EmbeddingService, protocol);

describe.each(protocols)("Embed over %s", (protocol) => {
  it("returns a vector for each input, in order, with usage and record", async () => {
    service.forgetRecords();
    const inputs = ["the cat sat", "the cat sat down", "quite other words", [5, 6, 7]];
    const response = await client(protocol).embed(
      embedRequest("echo/embed", inputs, { labels: { team: "a" }, user: "u" }),
    );
    expect(response.embeddings.map(({ index, values }) => [index, values.length])).toEqual([
      [0, 256],
      [1, 256],
      [2, 256],
      [3, 256],
    ]);
    const [first, second, third] = response.embeddings.map(({ values }) => values);
    expect(cosine(first, second)).toBeGreaterThan(cosine(first, third));
    expect(response.usage).toMatchObject({ inputTokens: 13, outputTokens: 0, totalTokens: 13 });
    expect(response.usage?.cost?.totalNanos).toBe(0n);
    expect(response).toMatchObject({ model: "echo/embed", provider: "echo", warnings: [] });
    expect(response.id).toMatch(/^embd-[0-9a-f]{32}$/);
    expect(response.attempts).toMatchObject([{ target: "echo/embed", outcome: AttemptOutcome.ANSWERED }]);
    const record = await service.nextRecord();
    expect(record).toMatchObject({
      ...{ id: response.id, method: "Embed", operation: "embeddings", mayCost: true, outcome: "ok" },
      ...{ model: "echo/embed", provider: "echo", labels: { team: "a" }, user: "u" },
      usage: { inputTokens: 13, quality: UsageQuality.EXACT },
    });
    expect(service.records.filter(({ method }) => method === "Embed").at(-1)).toBe(record);
  });
});

describe("the embeddings of echo", () => {
  it("are the same for the same text, and have the requested length", async () => {
    const one = await client().embed(embedRequest("echo/embed", ["a b", "c"], { dimensions: 8 }));
    const other = await client("connect-json").embed(embedRequest("echo/embed", ["c", "a b"], { dimensions: 8 }));
    expect(one.embeddings[0]?.values).toHaveLength(8);
    expect(one.embeddings[0]?.values).toEqual(other.embeddings[1]?.values);
    expect(one.embeddings[1]?.values).toEqual(other.embeddings[0]?.values);
  });

  it("come from several upstream requests if there are many inputs, and keep their order", async () => {
    const inputs = Array.from({ length: 200 }, (_, index) => `text ${index}`);
    const all = await client().embed(embedRequest("echo/embed", inputs));
    const alone = await client().embed(embedRequest("echo/embed", [inputs[150] ?? ""]));
    expect(all.attempts).toHaveLength(4);
    expect(all.embeddings.map(({ index }) => index)).toEqual(inputs.map((_, index) => index));
    expect(all.embeddings[150]?.values).toEqual(alone.embeddings[0]?.values);
    expect(all.usage?.inputTokens).toBe(400);
  });

  it.each(["echo/any", "echo/embed"])("are those of %s", async (model) => {
    expect((await client().embed(embedRequest(model, ["x"]))).embeddings).toHaveLength(1);
  });

  it("report no usage if the script says so, so that it is estimated", async () => {
    const { usage } = await client().embed(
      embedRequest("echo/embed", ["one two three"], { providerOptions: { echo: { usage: "none" } } }),
    );
    expect(usage).toMatchObject({ quality: UsageQuality.ESTIMATED });
    expect(usage?.inputTokens).toBeGreaterThan(0);
  });
});

describe("a request that cannot be served", () => {
  it.each([
    ["no model", embedRequest("", ["x"]), /^invalid request: model: must not be empty/],
    ["no inputs", embedRequest("echo/embed", []), /^invalid request: inputs: must not be empty/],
    ["an input without a kind", { model: "echo/embed", inputs: [{}] }, /inputs\[0\].*set one of text, token_ids/],
    ["no tokens", embedRequest("echo/embed", [[]]), /inputs\[0\]\.token_ids\.ids: must not be empty/],
    ["dimensions of 0", embedRequest("echo/embed", ["x"], { dimensions: 0 }), /dimensions: must be at least 1/],
    ["too many inputs", embedRequest("echo/embed", Array(4097).fill("x")), /inputs: must have at most 4096/],
    [
      "an unknown field of the script",
      embedRequest("echo/embed", ["x"], { providerOptions: { echo: { text: "no" } } }),
      /provider_options\.echo\.text: is not a field of the script/,
    ],
  ])("is INVALID_REQUEST with %s", async (_, request, message) => {
    const [reason, text] = await failureOf(client().embed(request));
    expect(reason).toBe("INVALID_REQUEST");
    expect(text).toMatch(message);
  });

  it("is UNSUPPORTED_PARAMETER for a chat model, and for a chat request to an embedding model", async () => {
    expect(await failureOf(client().embed(embedRequest("echo/echo", ["x"])))).toEqual([
      "UNSUPPORTED_PARAMETER",
      "the model echo/echo returns chat responses, and no embeddings; request an embedding model",
    ]);
    const chat = service.chatClient("grpc").completeChat({ chat: ask("echo/embed", "x") });
    expect(await failureOf(chat)).toEqual([
      "UNSUPPORTED_PARAMETER",
      "the model echo/embed returns embeddings, and no chat responses; call Embed or POST /v1/embeddings",
    ]);
  });

  it("is ANSWER_TOO_LARGE before anything is sent, if the vectors would exceed the bound", async () => {
    service.forgetRecords();
    const request = embedRequest("echo/embed", ["x"], { dimensions: 2 ** 31 - 1 });
    expect((await failureOf(client().embed(request)))[0]).toBe("ANSWER_TOO_LARGE");
    expect(await service.nextRecord()).toMatchObject({ outcome: "refused", attempts: [] });
  });

  it("is MODEL_NOT_FOUND for an unknown model, and PROVIDER_NOT_CONFIGURED for a provider that is off", async () => {
    expect((await failureOf(client().embed(embedRequest("nothing", ["x"]))))[0]).toBe("MODEL_NOT_FOUND");
    const off = embedRequest("openai/text-embedding-3-small", ["x"]);
    expect((await failureOf(client().embed(off)))[0]).toBe("PROVIDER_NOT_CONFIGURED");
  });
});

describe("a call of Embed", () => {
  it("fails with the provider's error, and records its attempt", async () => {
    service.forgetRecords();
    const providerOptions = { echo: { fail: { reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 5 } } };
    const call = client().embed(embedRequest("echo/embed", ["x"], { providerOptions }));
    expect((await failureOf(call))[0]).toBe("PROVIDER_RATE_LIMITED");
    const record = await service.nextRecord();
    expect(record).toMatchObject({ outcome: "failed", reason: "PROVIDER_RATE_LIMITED", usage: undefined });
    expect(record.attempts).toMatchObject([{ outcome: AttemptOutcome.FAILED }]);
  });

  it("ends at its deadline, and aborts all its upstream requests", async () => {
    service.forgetRecords();
    const inputs = Array.from({ length: 200 }, (_, index) => `text ${index}`);
    const request = embedRequest("echo/embed", inputs, { providerOptions: { echo: { stall: {} } } });
    await expect(client().embed(request, { timeoutMs: 100 })).rejects.toThrow();
    const record = await service.nextRecord();
    expect(record.outcome).toBe("deadline_exceeded");
    expect(record.attempts.every(({ outcome }) => outcome === AttemptOutcome.ABANDONED)).toBe(true);
    expect(record.usage).toMatchObject({ quality: UsageQuality.PARTIAL });
  });
});
