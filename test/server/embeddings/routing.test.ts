import { ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { plainRules } from "../../../src/config/route.ts";
import { AttemptOutcome } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { EmbeddingService } from "../../../src/gen/dragoman/v1/embedding_service_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import { embedRequest, failureOf } from "../../support/embedding.ts";
import {
  type RecordedRequest,
  type ReplayUpstream,
  type Script,
  startReplayUpstream,
} from "../../support/replay-upstream.ts";
import { startTestService, type TestService } from "../../support/service.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

type Play = (texts: readonly string[], request: RecordedRequest) => Script;

const json = { "content-type": "application/json" };
const fails =
  (status: number, headers: Record<string, string> = {}): Play =>
  () => ({ status, headers: { ...json, ...headers }, steps: [{ write: '{"error":{"message":"no"}}' }] });
const stalls: Play = () => ({ holdHeaders: new Promise<never>(() => {}) });

/** Vectors that say of which text and of which server they are. */
const answers =
  (server: number): Play =>
  (texts) => {
    const data = texts.map((text, index) => ({ index, embedding: [Number(text) || 0, server] }));
    const usage = { prompt_tokens: texts.length, total_tokens: texts.length };
    return { headers: json, steps: [{ write: JSON.stringify({ data, usage }) }] };
  };

/** Starts servers with OpenAI's API, named a, b and so on, and a service with them. */
async function start(
  yaml: string,
  ...plays: readonly Play[]
): Promise<{ readonly service: TestService; readonly servers: readonly ReplayUpstream[] }> {
  const servers: ReplayUpstream[] = [];
  for (const play of plays) {
    const server = await startReplayUpstream((request) => play(JSON.parse(request.body).input, request));
    opened.push(server);
    servers.push(server);
  }
  const providers = servers.map(
    ({ baseUrl }, index) =>
      `  ${"abc"[index]}: { dialect: openai, base_url: "${baseUrl}/v1", keys: [{ name: k, value: key }] }`,
  );
  const file = `providers:\n${providers.join("\n")}\n${yaml}`;
  const service = await startTestService({}, undefined, file, [], { plainRules });
  opened.push({ [Symbol.asyncDispose]: () => service.stop() });
  return { service, servers };
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));
const embed = ({ service }: { service: TestService }, model: string, texts: string[], options = {}) =>
  service.client(EmbeddingService, "grpc").embed(embedRequest(model, texts), options);

const route = (first: string, second: string) => `routes:
  r:
    tiers: [{ targets: [{ model: ${first} }] }, { targets: [{ model: ${second} }] }]
    attempts: { max: 3, per_target: 1 }
prices: { a/m: { input: "1.00", output: "0" }, b/m: { input: "10.00", output: "0" } }`;

describe("a server that rejects a field of the request for embeddings", () => {
  const rejects = (param: string): Script => ({
    ...{ status: 400, headers: json },
    steps: [{ write: JSON.stringify({ error: { message: `Unknown ${param}`, param, code: "unknown_parameter" } }) }],
  });
  const knows =
    (...known: readonly string[]): Play =>
    (texts, request) => {
      const unknown = Object.keys(JSON.parse(request.body)).find((name) => !known.includes(name));
      return unknown === undefined ? answers(1)(texts, request) : rejects(unknown);
    };

  it("gets one more request without encoding_format, and later ones without it, with a warning each", async () => {
    const setting = await start("", knows("model", "input"));
    const [server] = setting.servers;
    for (const [round, attempts] of [
      [0, [AttemptOutcome.FAILED, AttemptOutcome.ANSWERED]],
      [1, [AttemptOutcome.ANSWERED]],
    ] as const) {
      const response = await embed(setting, "a/m", ["7"]);
      expect(response.embeddings[0]?.values).toEqual([7, 1]);
      expect(response.attempts.map(({ outcome }) => outcome)).toEqual(attempts);
      const learned = response.warnings.filter(({ reason }) => reason === "LEARNED");
      expect(learned.map(({ field }) => field)).toEqual(["provider_options.a.encoding_format"]);
      expect(server?.requests).toHaveLength(2 + round);
    }
  });

  it("gets no request without dimensions, since the vectors would have another length", async () => {
    const setting = await start("", knows("model", "input", "encoding_format"));
    const call = setting.service
      .client(EmbeddingService, "grpc")
      .embed(embedRequest("a/m", ["7"], { dimensions: 2, user: "u" }));
    const error = ConnectError.from(await call.catch((thrown) => thrown));
    const [violation] = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
    expect(violation?.field).toBe("dimensions");
    expect(violation?.description).toMatch(/omit dimensions for vectors of the model's own length/);
    expect(setting.servers[0]?.requests).toHaveLength(1);
  });
});

describe("a route of Embed", () => {
  it("moves to another provider of the same model, with a warning, and pays for what was used", async () => {
    const setting = await start(route("a/m", "b/m"), fails(503), answers(2));
    const response = await embed(setting, "r", ["7"]);
    expect(response.embeddings[0]?.values).toEqual([7, 2]);
    expect(response).toMatchObject({ model: "b/m", provider: "b", usage: { cost: { totalNanos: 10_000n } } });
    expect(response.warnings.map(({ reason }) => reason)).toEqual(["FELL_BACK"]);
    expect(response.attempts.map(({ target, outcome }) => [target, outcome])).toEqual([
      ["a/m", AttemptOutcome.FAILED],
      ["b/m", AttemptOutcome.ANSWERED],
    ]);
    expect(await setting.service.nextRecord()).toMatchObject({ route: "r", model: "b/m", outcome: "ok" });
  });

  it("is rejected if its targets are different models, before anything is sent", async () => {
    const setting = await start(route("a/m", "b/other"), answers(1), answers(2));
    expect(await failureOf(embed(setting, "r", ["7"]))).toEqual([
      "UNSUPPORTED_PARAMETER",
      "the route r has the models a/m and b/other, whose vectors cannot be compared; request one of the models, or a " +
        "route whose targets are one model",
    ]);
    expect(setting.servers.map(({ requests }) => requests.length)).toEqual([0, 0]);
  });

  it("takes names with another organization or tag for the same model", async () => {
    const setting = await start(route("a/org/m", "b/M:latest"), fails(503), answers(2));
    expect((await embed(setting, "r", ["7"])).embeddings[0]?.values).toEqual([7, 2]);
  });

  it("gives the rest of the deadline to the next target when the first one sends nothing", async () => {
    const setting = await start(route("a/m", "b/m"), stalls, answers(2));
    const response = await embed(setting, "r", ["7"], { timeoutMs: 2000 });
    expect(response.embeddings[0]?.values).toEqual([7, 2]);
  });
});

describe("a call of several upstream requests", () => {
  it("retries only the request that failed", async () => {
    let failed = 0;
    const setting = await start("", (texts, request) => {
      if (texts[0] === "651" && failed++ === 0) return fails(500)(texts, request);
      return answers(1)(texts, request);
    });
    const texts = numbers(1400);
    const { embeddings, attempts, usage } = await embed(setting, "a/m", texts);
    expect(embeddings.map(({ values }) => String(values[0]))).toEqual(texts);
    expect(attempts.map(({ outcome }) => outcome).sort()).toEqual(
      [AttemptOutcome.ANSWERED, AttemptOutcome.ANSWERED, AttemptOutcome.ANSWERED, AttemptOutcome.FAILED].sort(),
    );
    expect(setting.servers[0]?.requests).toHaveLength(4);
    expect(usage?.inputTokens).toBe(1400);
  });

  it("fails if one of them fails for good, aborts the others, and records the tokens of those that answered", async () => {
    const setting = await start("", (texts, request) => {
      if (texts[0] === "651") return fails(400)(texts, request);
      return texts[0] === "0" ? stalls(texts, request) : answers(1)(texts, request);
    });
    const call = embed(setting, "a/m", numbers(1400));
    expect((await failureOf(call))[0]).toBe("INVALID_REQUEST");
    const { attempts, outcome } = await setting.service.nextRecord();
    expect(outcome).toBe("failed");
    expect(attempts.map(({ outcome: end }) => end)).toContain(AttemptOutcome.ABANDONED);
    expect(attempts.every(({ outcome: end }) => end !== AttemptOutcome.UNSPECIFIED)).toBe(true);
    await setting.servers[0]?.requests.find(({ body }) => JSON.parse(body).input[0] === "0")?.aborted;
  });

  it("fails if they return vectors of different lengths", async () => {
    const setting = await start("", (texts) => {
      const embedding = texts[0] === "651" ? [1] : [1, 2];
      const data = texts.map((_, index) => ({ index, embedding }));
      return { headers: json, steps: [{ write: JSON.stringify({ data }) }] };
    });
    expect((await failureOf(embed(setting, "a/m", numbers(700))))[0]).toBe("PROVIDER_FAULT");
  });

  it("keeps the order of the inputs for any number of them, whatever fails and whichever target answers", async () => {
    let failing: ReadonlySet<number> = new Set();
    let count = 0;
    const scripted =
      (server: number): Play =>
      (texts, request) =>
        failing.has(count++) ? fails(503)(texts, request) : answers(server)(texts, request);
    const yaml = `routes:
  r: { tiers: [{ targets: [{ model: a/m }, { model: b/m }] }], attempts: { max: 8, per_target: 4 }, retry: { backoff: { initial: 1ms, max: 2ms }, budget: 1 } }
breaker: { consecutive: 1000, min_calls: 1000 }`;
    const setting = await start(yaml, scripted(1), scripted(2));
    const script = fc.record({
      texts: fc.integer({ min: 1, max: 2500 }),
      faults: fc.uniqueArray(fc.nat({ max: 7 }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ texts, faults }) => {
        [count, failing] = [0, new Set(faults)];
        const { embeddings, usage, attempts } = await embed(setting, "r", numbers(texts));
        expect(embeddings.map(({ index, values }) => [index, values[0]])).toEqual(
          numbers(texts).map((_, index) => [index, index]),
        );
        expect(usage?.inputTokens).toBe(texts);
        const answered = attempts.filter(({ outcome }) => outcome === AttemptOutcome.ANSWERED);
        expect(answered).toHaveLength(Math.ceil(texts / 651));
      }),
      { numRuns: 25 },
    );
  });
});

describe("a call that its caller cancels", () => {
  it("aborts its upstream requests at once", async () => {
    const setting = await start("", stalls);
    const caller = new AbortController();
    const call = embed(setting, "a/m", ["1"], { signal: caller.signal });
    const request = await setting.servers[0]?.nextRequest();
    caller.abort();
    await expect(call).rejects.toThrow();
    await request?.aborted;
    expect(await setting.service.nextRecord()).toMatchObject({ outcome: "cancelled", reason: "CANCELLED" });
  });
});

describe("what a response of a server means", () => {
  const one =
    (embedding: unknown, index = 0): Play =>
    () => ({
      headers: json,
      steps: [{ write: JSON.stringify({ data: [{ index, embedding }], usage: { prompt_tokens: 1 } }) }],
    });
  const nan = Buffer.from(new Float32Array([1, Number.NaN]).buffer).toString("base64");
  it.each([
    ["a value that is no number", one(["1", 2]), /a value that is not a number/],
    ["NaN", one(nan), /has a value that is not finite/],
    ["a number beyond 32-bit floats", one([1e300]), /has a value that is not finite/],
    ["half a value", one("AAAA"), /an incomplete value/],
    ["an empty vector", one([]), /is empty/],
    ["a wrong index", one([1], 3), /the index of a vector is out of range/],
    ["null", one(null), /unexpected structure/],
  ])("is PROVIDER_FAULT for %s", async (_, play, message) => {
    const setting = await start("", play);
    const [reason, text] = await failureOf(embed(setting, "a/m", ["1"]));
    expect([reason, text]).toEqual(["PROVIDER_FAULT", expect.stringMatching(message)]);
  });

  it("is PROVIDER_FAULT for two vectors of one input", async () => {
    const data = [0, 0].map((index) => ({ index, embedding: [1] }));
    const setting = await start("", () => ({ headers: json, steps: [{ write: JSON.stringify({ data }) }] }));
    expect((await failureOf(embed(setting, "a/m", ["1", "2"])))[0]).toBe("PROVIDER_FAULT");
  });

  it("is a clear error for a provider without embeddings", async () => {
    const service = await startTestService({ GROQ_API_KEY: "key" });
    opened.push({ [Symbol.asyncDispose]: () => service.stop() });
    const [reason, message] = await failureOf(embed({ service }, "groq/any", ["1"]));
    expect([reason, message]).toEqual([
      "UNSUPPORTED_PARAMETER",
      "the provider groq has no embeddings; request an embedding model of another provider",
    ]);
  });
});

describe("limits", () => {
  const limited = (limits: string, more = "") => `accounts: { team: { limits: ${limits}${more} } }
prices: { a/m: { input: "1000.00", output: "0" } }`;
  const ask = ({ service }: { service: TestService }, text = "1 2 3") =>
    service.client(EmbeddingService, "grpc").embed(embedRequest("a/m", [text], { accountId: "team" }));

  it("hold requests as for chat", async () => {
    const setting = await start(limited("{ requests_per_minute: 1 }"), answers(1));
    await ask(setting);
    expect((await failureOf(ask(setting)))[0]).toBe("REQUESTS_LIMITED");
    expect(setting.servers[0]?.requests).toHaveLength(1);
  });

  it("hold tokens as for chat", async () => {
    const setting = await start(limited("{ tokens_per_minute: 100 }"), answers(1));
    await ask(setting, "word ".repeat(200));
    expect((await failureOf(ask(setting, "word ".repeat(200))))[0]).toBe("TOKENS_LIMITED");
  });

  it("hold budgets as for chat: a token costs 1 mill", async () => {
    const budgets = ', budgets: [{ amount_usd: "0.01", period: day }]';
    const setting = await start(limited("{}", budgets), answers(1));
    expect((await failureOf(ask(setting, "word ".repeat(200))))[0]).toBe("BUDGET_EXHAUSTED");
    expect(setting.servers[0]?.requests).toHaveLength(0);
    await ask(setting, "1");
  });

  it("let inputs in whose bytes do not fit a budget, but whose tokens do", async () => {
    const budgets = ', budgets: [{ amount_usd: "0.02", period: day }]';
    const setting = await start(limited("{}", budgets), answers(1));
    // 25 bytes, which are about 6 tokens.
    await ask(setting, "word ".repeat(5));
    expect(setting.servers[0]?.requests).toHaveLength(1);
  });

  it("hold the models of a key's account", async () => {
    const setting = await start('accounts: { team: { models: ["b/*"] } }', answers(1));
    const error = await ask(setting).catch((thrown) => ConnectError.from(thrown));
    expect(error instanceof ConnectError && error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("MODEL_NOT_ALLOWED");
  });
});
