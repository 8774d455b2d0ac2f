import { createHash } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import { AccountService } from "../../src/gen/dragoman/admin/v1/account_service_pb.js";
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
    const accounts = service.client(AccountService, "grpc");
    const left = async () => (await accounts.getAccount({ id: "billing" })).limitsLeft?.concurrentCalls;
    await expect.poll(left).toBe(0n);
    expect(await call()).toMatchObject({ code: Code.ResourceExhausted });
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
    const budget = 'accounts: { billing: { budgets: [{ amount_usd: "1", period: day }] } }';
    service = await startTestService({}, undefined, `${budget}\n${ownServer}`);
    const error = (await call({ model: "vllm/own" })) as ConnectError;
    expect(error.rawMessage).toBe(
      "the price of vllm/own is unknown, and the account billing has a budget; configure `prices` for the model, or set `unpriced: allow` for the budget",
    );
    expect(error.metadata.get("grpc-retry-pushback-ms")).toBe("-1");
  });

  it("lets calls without a known price in if the budget allows them", async () => {
    const budget = 'accounts: { billing: { budgets: [{ amount_usd: "1", period: day, unpriced: allow }] } }';
    service = await startTestService({}, undefined, `${budget}\n${ownServer}`);
    // Nobody listens there, but Dragoman asks.
    expect(await call({ model: "vllm/own" })).toMatchObject({ code: Code.Unavailable });
  });

  it("counts what calls cost, warns when a budget is nearly spent, and rejects what may cost more than is left", async () => {
    await start('{ billing: { budgets: [{ amount_usd: "30", period: month, warn_at: 0.2 }] } }');
    const limited = { parameters: { maxOutputTokens: 3 } };
    const first = (await call(limited)) as Headers;
    const { usage } = await service.nextRecord();
    const cost = Number(usage?.cost?.totalNanos);
    expect(cost).toBe((usage?.totalTokens ?? 0) * 1e9);
    // The header tells what was left when the call was let in: 30 dollars without what the call may cost at most.
    expect(Number(first.get("dragoman-budget-remaining-nanos"))).toBeLessThanOrEqual(30e9 - cost);
    const second = await service
      .chatClient("grpc")
      .completeChat({ chat: ask("echo/echo", "one two three", { accountId: "billing", ...limited }) });
    const near = second.completion?.warnings.find(({ reason }) => reason === "BUDGET_NEAR");
    expect(near?.message).toMatch(
      new RegExp(`^the account billing has used \\$${cost / 1e9}.00 of its budget of \\$30.00 until 20`),
    );
    const error = (await call({ parameters: { maxOutputTokens: 1000 } })) as ConnectError;
    expect(error.rawMessage).toMatch(
      /^the account billing may spend \$30.00 per month; the call may cost \$1\d\d\d.00, and \$\d+.00 are left; request less/,
    );
    expect(error.findDetails(QuotaFailureSchema)[0]?.violations).toMatchObject([
      {
        quotaMetric: "budget_nanos",
        quotaId: "month",
        quotaValue: 30_000_000_000n,
        quotaDimensions: { time_zone: "UTC" },
      },
    ]);
    expect(error.metadata.get("grpc-retry-pushback-ms")).toBe("-1");
  });

  it("tells the HTTP APIs when to retry", async () => {
    await start("{ billing: { limits: { requests_per_minute: 1 } } }");
    const post = () =>
      fetch(`http://${service.httpAddress}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-selected-account-id": "billing" },
        body: JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "hi" }] }),
      });
    expect((await post()).headers.get("x-ratelimit-remaining-requests")).toBe("0");
    const refused = await post();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(55);
    expect(refused.headers.get("x-ratelimit-reset-requests")).toMatch(/^(59s|1m0s)$/);
    expect(await refused.json()).toMatchObject({
      error: { message: expect.stringContaining("1 request per minute") },
    });
  });

  it("is what GetAccount returns, with what is left", async () => {
    const limits = "limits: { requests_per_minute: 5, tokens_per_minute: 1000, concurrent_calls: 3 }";
    await start(`{ billing: { ${limits}, budgets: [{ amount_usd: "100", period: week }] } }`);
    await call({ parameters: { maxOutputTokens: 3 } });
    const { usage } = await service.nextRecord();
    const { limitsLeft, budgetsLeft } = await service.client(AccountService, "grpc").getAccount({ id: "billing" });
    expect(limitsLeft).toMatchObject({ requests: 4n, concurrentCalls: 3n });
    expect(Number(limitsLeft?.tokens)).toBeGreaterThanOrEqual(1000 - (usage?.totalTokens ?? 0));
    expect(budgetsLeft).toMatchObject([
      { remainingNanos: 100_000_000_000n - (usage?.cost?.totalNanos ?? 0n), heldNanos: 0n },
    ]);
  });

  it("applies to the API key too", async () => {
    service = await startTestService({}, undefined, keyFile);
    const send = () =>
      service
        .chatClient("grpc")
        .completeChat({ chat: ask("echo/echo", "hi") }, { headers: { "x-api-key": "secret" } })
        .then(
          () => "ok",
          (error: unknown) => ConnectError.from(error).rawMessage,
        );
    expect(await send()).toBe("ok");
    expect(await send()).toMatch(/^the API key team may send 1 request per minute/);
  });
});

const ownServer = "providers: { vllm: { base_url: http://127.0.0.1:9/v1 } }";

const keyFile = `authentication:
  mode: keys
  keys: [{ id: team, sha256: ${createHash("sha256").update("secret").digest("hex")}, limits: { requests_per_minute: 1 } }]
`;
