import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import { QuotaFailureSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { ask, scriptEcho } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

let service: TestService;
afterEach(() => service.stop());

const start = async (accounts: string): Promise<void> => {
  const prices = 'prices: { echo/echo: { input: "1000000", output: "1000000" } }';
  service = await startTestService({}, undefined, `accounts: ${accounts}\n${prices}\n`);
};

/** Calls the echo model. Returns the headers of the response, or the error. */
async function call(more: Parameters<typeof ask>[2] = {}): Promise<Headers | ConnectError> {
  let headers = new Headers();
  try {
    await service.chatClient("grpc").completeChat(
      { chat: ask("echo/echo", "one two three", { accountId: "billing", ...more }) },
      {
        onHeader: (received) => {
          headers = received;
        },
      },
    );
    return headers;
  } catch (error) {
    return ConnectError.from(error);
  }
}

const rateLimits = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => /^(x-ratelimit-|dragoman-budget|grpc-retry)/.test(name)));

describe("the limits of an account", () => {
  it("lets in as many requests as the limit, and tells what is left", async () => {
    await start("{ billing: { limits: { requests_per_minute: 2 } } }");
    expect(rateLimits((await call()) as Headers)).toMatchObject({
      "x-ratelimit-limit-requests": "2",
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-reset-requests": "30s",
    });
    await call();
    const error = (await call()) as ConnectError;
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toMatch(
      /^the account billing may send 2 requests per minute; retry after (29|30)(\.\d)? s$/,
    );
    expect(error.findDetails(QuotaFailureSchema)[0]?.violations).toMatchObject([
      {
        ...{ subject: "account:billing", apiService: "dragoman", quotaMetric: "requests_per_minute" },
        ...{ quotaId: "requests_per_minute", quotaValue: 2n },
      },
    ]);
    const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
    expect(Number(delay?.seconds)).toBeGreaterThanOrEqual(29);
    expect(rateLimits(error.metadata)).toMatchObject({
      "x-ratelimit-remaining-requests": "0",
      "grpc-retry-pushback-ms": expect.stringMatching(/^(29|30)\d{3}$/),
    });
    expect(service.records.at(-1)).toMatchObject({ outcome: "refused", reason: "REQUESTS_LIMITED" });
  });

  it("does not count requests of other accounts", async () => {
    await start("{ billing: { limits: { requests_per_minute: 1 } } }");
    await call();
    expect(await call({ accountId: "other" })).toBeInstanceOf(Headers);
    expect(await call()).toBeInstanceOf(ConnectError);
  });

  it("gives back the tokens that a call held and did not use", async () => {
    await start("{ billing: { limits: { tokens_per_minute: 10000 } } }");
    const first = (await call({ parameters: { maxOutputTokens: 9000 } })) as Headers;
    expect(Number(first.get("x-ratelimit-remaining-tokens"))).toBeLessThan(1000);
    const { usage } = await service.nextRecord();
    const second = (await call({ parameters: { maxOutputTokens: 0 } })) as Headers;
    expect(Number(second.get("x-ratelimit-remaining-tokens"))).toBeGreaterThan(9900 - 2 * (usage?.totalTokens ?? 0));
  });

  it("never refuses the first call of an idle account for an estimate", async () => {
    await start("{ billing: { limits: { tokens_per_minute: 5 } } }");
    expect(await call({ parameters: { maxOutputTokens: 100_000 } })).toBeInstanceOf(Headers);
    expect(await call()).toMatchObject({ code: Code.ResourceExhausted });
  });

  it("lets the next call in when one ends", async () => {
    await start("{ billing: { limits: { concurrent_calls: 1 } } }");
    const abort = new AbortController();
    const chat = scriptEcho({ delay_ms: 60_000 }, { accountId: "billing" });
    const running = service.chatClient("grpc").completeChat({ chat }, { signal: abort.signal });
    await expect.poll(async () => ((await call()) as ConnectError).code).toBe(Code.ResourceExhausted);
    abort.abort();
    await expect(running).rejects.toThrow();
    await expect.poll(async () => (await call()) instanceof Headers).toBe(true);
  });

  it("only counts what a shadow limit would reject", async () => {
    await start("{ billing: { limits: { requests_per_minute: 1, shadow: true } } }");
    await call();
    const headers = (await call()) as Headers;
    expect(rateLimits(headers)).toEqual({});
    expect(service.records.map(({ notes }) => notes)).toEqual([[], ["LIMIT_SHADOW"]]);
  });

  it("rejects calls without a known price under a budget, and says what to configure", async () => {
    service = await startTestService(
      {},
      undefined,
      'accounts: { billing: { budgets: [{ amount_usd: "1", period: day }] } }',
    );
    const error = (await call()) as ConnectError;
    expect(error.rawMessage).toBe(
      "the price of echo/echo is unknown, and the account billing has a budget; configure `prices` for the model, or set `unpriced: allow` for the budget",
    );
    expect(error.metadata.get("grpc-retry-pushback-ms")).toBe("-1");
  });

  it("lets calls without a known price in if the budget allows them", async () => {
    service = await startTestService(
      {},
      undefined,
      'accounts: { billing: { budgets: [{ amount_usd: "1", period: day, unpriced: allow }] } }',
    );
    expect(await call()).toBeInstanceOf(Headers);
  });
});
