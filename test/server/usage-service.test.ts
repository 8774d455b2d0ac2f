import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { ApiKey, Role } from "../../src/config/config.ts";
import { GatewayError } from "../../src/errors.ts";
import { CallOutcome } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import {
  type ListCallsRequestSchema,
  type QueryUsageRequestSchema,
  UsageGroup,
  UsageInterval,
  type UsageRow,
  UsageService,
} from "../../src/gen/dragoman/admin/v1/usage_service_pb.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { createDatabaseSink } from "../../src/ledger/sql/database-sink.ts";
import { createUsageReader } from "../../src/ledger/sql/reader.ts";
import type { UsageReader } from "../../src/ledger/usage-reader.ts";
import { connectDatabase, testFolder } from "../support/databases.ts";
import { callRecord, LedgerInMemory } from "../support/ledger-in-memory.ts";
import {
  type ConfigChange,
  type Protocol,
  protocols,
  requireKey,
  startTestService,
  type TestService,
} from "../support/service.ts";

let service: TestService | undefined;
afterEach(() => service?.stop());

async function start(ledger?: UsageReader, change?: ConfigChange): Promise<TestService> {
  service = await startTestService({}, change, undefined, [], ledger && { ledger });
  return service;
}

/** Changes the key `right`, which has the id `team-a`. */
const withKey =
  (changes: Partial<ApiKey>): ConfigChange =>
  (config) => {
    const { authentication, ...rest } = requireKey(config);
    return {
      ...rest,
      authentication: { ...authentication, keys: authentication.keys.map((key) => ({ ...key, ...changes })) },
    };
  };

const mode =
  (name: "loopback" | "off"): ConfigChange =>
  (config) => ({ ...config, authentication: { ...config.authentication, mode: name } });

const headers = { "x-api-key": "right" };
const at = (time: string) => timestampFromDate(new Date(time));
const { ACCOUNT, KEY, LABEL, MODEL, OUTCOME } = UsageGroup;
const day = { startTime: at("2026-11-29T00:00:00Z"), endTime: at("2026-11-30T00:00:00Z") };

const client = (protocol: Protocol = "connect") => {
  if (service === undefined) throw new Error("no service has started");
  return service.client(UsageService, protocol);
};
const failure = async (call: Promise<unknown>): Promise<ConnectError> =>
  ConnectError.from(
    await call.then(
      () => "it succeeded",
      (thrown: unknown) => thrown,
    ),
  );
const infoOf = (error: ConnectError) => error.findDetails(ErrorInfoSchema)[0];

/** Calls of three accounts with two keys. */
function someLedger(): LedgerInMemory {
  const ledger = new LedgerInMemory();
  const of = (account: string, keyId: string, model = "openai/gpt-5.5") => ({
    account,
    keyId,
    model,
    provider: "openai",
  });
  ledger.records.push(
    callRecord("2026-11-29T10:00:00Z", "chatcmpl-1", of("billing", "team-a")),
    callRecord("2026-11-29T10:30:00Z", "chatcmpl-2", of("billing", "team-b", "openai/gpt-5.5-mini")),
    callRecord("2026-11-29T11:00:00Z", "chatcmpl-3", { ...of("search", "team-a"), labels: { feature: "find" } }),
    callRecord("2026-11-29T12:00:00Z", "chatcmpl-4", {
      ...of("", "team-a"),
      outcome: CallOutcome.FAILED,
      reason: "PROVIDER_UNAVAILABLE",
    }),
    callRecord("2026-11-29T13:00:00Z", "chatcmpl-5", of("legal", "team-b")),
  );
  return ledger;
}

const groupsOf = (rows: readonly UsageRow[]) => rows.map(({ groups, calls }) => [...groups, Number(calls)]);

describe.each(protocols)("UsageService over %s", (protocol) => {
  it("returns sums by groups and steps of time", async () => {
    await start(someLedger());
    const { rows, nextPageToken } = await client(protocol).queryUsage({
      ...day,
      groupBy: [ACCOUNT, MODEL],
      interval: UsageInterval.DAY,
      account: "billing",
    });
    expect(nextPageToken).toBe("");
    const sums = {
      ...{ calls: 1n, failedCalls: 0n, inputTokens: 10n, outputTokens: 5n },
      ...{ cachedInputTokens: 0n, costNanos: 1_000n, unpricedCalls: 0n },
    };
    expect(rows).toMatchObject([
      { startTime: day.startTime, groups: ["billing", "openai/gpt-5.5"], ...sums },
      { startTime: day.startTime, groups: ["billing", "openai/gpt-5.5-mini"], ...sums },
    ]);
  });

  it("lists calls, the newest first, and returns one whole", async () => {
    const ledger = new LedgerInMemory();
    const call = callRecord("2026-11-29T10:00:00.123Z", "chatcmpl-1", {
      ...{ account: "a", keyId: "k", user: "u", labels: { b: "2" }, route: "fast", model: "m/n", provider: "m" },
      ...{ method: "StreamChat", outcome: CallOutcome.FAILED, reason: "PROVIDER_TIMEOUT", peer: "192.0.2.1" },
      attempts: [{ target: "m/n", usage: { inputTokens: 3 } }],
      ...{ firstOutputDuration: durationFromMs(12), duration: durationFromMs(345), notes: ["PRICE_UNKNOWN"] },
    });
    ledger.records.push(call, callRecord("2026-11-29T10:00:01Z", "chatcmpl-2"));
    await start(ledger);
    const { calls } = await client(protocol).listCalls({});
    expect(calls.map(({ id }) => id)).toEqual(["chatcmpl-2", "chatcmpl-1"]);
    expect(calls[1]).toEqual(call);
    expect((await client(protocol).getCall({ id: "chatcmpl-1" })).call).toEqual(call);
  });

  it("fails with STORE_NOT_CONFIGURED without a ledger", async () => {
    await start();
    const calls = [
      client(protocol).queryUsage(day),
      client(protocol).listCalls({}),
      client(protocol).getCall({ id: "a" }),
    ];
    for (const error of await Promise.all(calls.map(failure))) {
      expect(error).toMatchObject({
        code: Code.FailedPrecondition,
        rawMessage: expect.stringContaining("store.database"),
      });
      expect(infoOf(error)?.reason).toBe("STORE_NOT_CONFIGURED");
    }
  });

  it("tells when to retry if the database does not respond", async () => {
    const away = () =>
      Promise.reject(new GatewayError("STORE_UNAVAILABLE", "the database did not respond", { retryAfterMs: 1_000 }));
    await start({ queryUsage: away, listCalls: away, getCall: away });
    const error = await failure(client(protocol).listCalls({}));
    expect(error.code).toBe(Code.Unavailable);
    expect(infoOf(error)?.reason).toBe("STORE_UNAVAILABLE");
    expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toMatchObject({ seconds: 1n });
  });
});

describe("the calls that a caller sees", () => {
  const seen = async (): Promise<readonly string[]> => {
    const { calls } = await client().listCalls({}, { headers });
    const { rows } = await client().queryUsage(day, { headers });
    expect(Number(rows[0]?.calls ?? 0)).toBe(calls.length);
    return calls.map(({ id }) => id.slice("chatcmpl-".length)).sort();
  };

  it.each([
    [["billing"], ["1", "2"]],
    [
      ["billing", "search"],
      ["1", "2", "3"],
    ],
    [["unused"], []],
    [[], ["1", "3", "4"]],
  ])("are those of the accounts of its key, %j, or those with its key", async (accounts, expected) => {
    await start(someLedger(), withKey({ accounts }));
    expect(await seen()).toEqual(expected);
  });

  it.each<Role>(["viewer", "admin"])("are all for the role %s, whatever the accounts of its key", async (role) => {
    await start(someLedger(), withKey({ role, accounts: ["billing"] }));
    expect(await seen()).toEqual(["1", "2", "3", "4", "5"]);
    expect((await client().getCall({ id: "chatcmpl-5" }, { headers })).call?.account).toBe("legal");
    expect((await client().listCalls({ account: "legal" }, { headers })).calls).toHaveLength(1);
  });

  it("are all for direct callers in mode loopback", async () => {
    await start(someLedger(), mode("loopback"));
    expect(await seen()).toEqual(["1", "2", "3", "4", "5"]);
  });

  it.each<[string, ConfigChange, Record<string, string>]>([
    ["in mode off", mode("off"), {}],
    ["behind a proxy in mode loopback", mode("loopback"), { via: "1.1 proxy" }],
  ])("are none without a key %s, since calls without a key can be anybody's", async (_, change, sent) => {
    const ledger = someLedger();
    await start(ledger, change);
    const options = { headers: sent };
    const calls = [
      client().queryUsage(day, options),
      client().listCalls({}, options),
      client().getCall({ id: "a" }, options),
    ];
    for (const error of await Promise.all(calls.map(failure))) {
      expect(error.code).toBe(Code.PermissionDenied);
      expect(infoOf(error)).toMatchObject({ reason: "ROLE_NOT_ALLOWED", metadata: { required_role: "viewer" } });
    }
    expect(ledger.queries).toEqual([]);
  });

  it("are not those of a foreign account", async () => {
    const ledger = someLedger();
    await start(ledger, withKey({ accounts: ["billing"] }));
    const account = "legal";
    const calls = [client().queryUsage({ ...day, account }, { headers }), client().listCalls({ account }, { headers })];
    for (const error of await Promise.all(calls.map(failure))) {
      expect(error.code).toBe(Code.PermissionDenied);
      expect(infoOf(error)).toMatchObject({ reason: "ACCOUNT_NOT_ALLOWED", metadata: { account_id: "legal" } });
    }
    expect(ledger.queries).toEqual([]);
  });

  it("are not told apart from those that do not exist", async () => {
    await start(someLedger(), withKey({ accounts: ["billing"] }));
    expect((await client().getCall({ id: "chatcmpl-2" }, { headers })).call?.keyId).toBe("team-b");
    const [foreign, missing] = await Promise.all(
      ["chatcmpl-5", "chatcmpl-9"].map((id) => failure(client().getCall({ id }, { headers }))),
    );
    expect(foreign?.code).toBe(Code.NotFound);
    expect(foreign && infoOf(foreign)).toMatchObject({
      reason: "RESOURCE_NOT_FOUND",
      metadata: { call_id: "chatcmpl-5" },
    });
    expect(foreign?.rawMessage.replace("-5", "-9")).toBe(missing?.rawMessage);
  });

  it("can be narrowed by other keys and models within the accounts", async () => {
    await start(someLedger(), withKey({ accounts: ["billing", "search"] }));
    const listed = async (request: MessageInitShape<typeof ListCallsRequestSchema>) =>
      (await client().listCalls(request, { headers })).calls.map(({ id }) => id);
    expect(await listed({ keyId: "team-b" })).toEqual(["chatcmpl-2"]);
    expect(await listed({ account: "search" })).toEqual(["chatcmpl-3"]);
    expect(await listed({ model: "openai/gpt-5.5" })).toEqual(["chatcmpl-3", "chatcmpl-1"]);
    expect(await listed({ requestId: "chatcmpl-1" })).toEqual(["chatcmpl-1"]);
    expect(await listed({ outcome: CallOutcome.LOST })).toEqual([]);
  });
});

describe.each(["grpc", "connect"] as const)("the calls in SQLite that a caller sees over %s", (protocol) => {
  it.each<[Role, readonly string[], readonly string[]]>([
    ["caller", ["billing"], ["1", "2"]],
    ["caller", ["billing", "search"], ["1", "2", "3"]],
    ["caller", [], ["1", "3", "4"]],
    ["viewer", ["billing"], ["1", "2", "3", "4", "5"]],
    ["admin", [], ["1", "2", "3", "4", "5"]],
  ])("with the role %s and the accounts %j are %j", async (role, accounts, expected) => {
    const database = connectDatabase({ kind: "sqlite", path: join(testFolder(), "ledger.db") });
    await createDatabaseSink(database).store(someLedger().records);
    await start(createUsageReader(database), withKey({ role, accounts }));
    const { calls } = await client(protocol).listCalls({}, { headers });
    expect(calls.map(({ id }) => id.slice("chatcmpl-".length)).sort()).toEqual(expected);
    const { rows } = await client(protocol).queryUsage({ ...day, groupBy: [OUTCOME] }, { headers });
    expect(rows.reduce((sum, row) => sum + Number(row.calls), 0)).toBe(expected.length);
    const foreign = client(protocol).getCall({ id: "chatcmpl-5" }, { headers });
    if (expected.includes("5")) expect((await foreign).call?.account).toBe("legal");
    else expect((await failure(foreign)).code).toBe(Code.NotFound);
  });
});

describe("the time range of QueryUsage", () => {
  it("begins and ends with whole hours, and by default with the current one", async () => {
    const ledger = new LedgerInMemory();
    await start(ledger);
    const startTime = at("2026-11-29T10:59:59.999Z");
    await client().queryUsage({ startTime, endTime: at("2026-11-29T11:00:00.001Z") });
    await client().queryUsage({ startTime, endTime: at("2026-11-29T11:00:00Z") });
    const before = Date.now();
    await client().queryUsage({ startTime: timestampFromDate(new Date(before - 10_000)) });
    const ranges = ledger.queries.map(({ query }) => query as { startMs: number; endMs: number });
    const ten = Date.parse("2026-11-29T10:00:00Z");
    expect(ranges[0]).toMatchObject({ startMs: ten, endMs: ten + 2 * 3_600_000 });
    expect(ranges[1]).toMatchObject({ startMs: ten, endMs: ten + 3_600_000 });
    expect(ranges[2]?.endMs).toBeGreaterThan(before - 1);
    expect((ranges[2]?.endMs ?? 1) % 3_600_000).toBe(0);
  });

  it("can be from the year 1 to the year 9999", async () => {
    const database = connectDatabase({ kind: "sqlite", path: join(testFolder(), "ledger.db") });
    await createDatabaseSink(database).store(someLedger().records);
    await start(createUsageReader(database));
    const all = {
      startTime: at("0001-01-01T00:00:00Z"),
      endTime: { ...at("9999-12-31T23:59:59Z"), nanos: 999_999_999 },
    };
    const { rows } = await client("grpc").queryUsage({ ...all, groupBy: [OUTCOME] });
    expect(rows.reduce((sum, row) => sum + Number(row.calls), 0)).toBe(5);
    expect((await client("grpc").listCalls(all)).calls).toHaveLength(5);
  });
});

describe("invalid requests of UsageService", () => {
  const startTime = at("2026-11-01T00:00:00Z");
  const endTime = at("2026-11-02T00:00:00Z");

  it.each<[RegExp, MessageInitShape<typeof QueryUsageRequestSchema>]>([
    [/^invalid request: start_time: value is required$/, {}],
    [/end_time: must be later than start_time$/, { startTime: endTime, endTime: startTime }],
    [/start_time: must not be later than now$/, { startTime: at("9999-01-01T00:00:00Z") }],
    [
      /start_time: must be a time from the year 1 to the year 9999$/,
      { startTime: { ...startTime, seconds: 2n ** 62n } },
    ],
    [/end_time: must be a time from the year 1 to the year 9999$/, { startTime, endTime: { ...endTime, nanos: 1e9 } }],
    [/group_by\[0\]: is required; set one of USAGE_GROUP_ACCOUNT,/, { startTime, groupBy: [UsageGroup.UNSPECIFIED] }],
    [/group_by\[0\]: is not a UsageGroup; set one of/, { startTime, groupBy: [99 as UsageGroup] }],
    [/group_by: /, { startTime, groupBy: [ACCOUNT, ACCOUNT] }],
    [/label_key: is required with USAGE_GROUP_LABEL; set it$/, { startTime, groupBy: [LABEL] }],
    [/label_key: is only for USAGE_GROUP_LABEL; omit it, or add the group$/, { startTime, labelKey: "a" }],
    [/interval: is not a UsageInterval/, { startTime, interval: 9 as UsageInterval }],
    [
      /interval: must not be USAGE_INTERVAL_HOUR for more than 400 days; set USAGE_INTERVAL_DAY$/,
      { startTime: at("2025-01-01T00:00:00Z"), endTime, interval: UsageInterval.HOUR },
    ],
    [/page_size: /, { startTime, pageSize: -1 }],
    [/page_token: must be empty or a next_page_token from QueryUsage$/, { startTime, pageToken: "x" }],
    [/account: /, { startTime, account: "x".repeat(257) }],
  ])("of QueryUsage name the field: %s", async (message, request) => {
    await start(new LedgerInMemory());
    const error = await failure(client("grpc").queryUsage(request));
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringMatching(message) });
  });

  it.each<[RegExp, MessageInitShape<typeof ListCallsRequestSchema>]>([
    [/end_time: must be later than start_time$/, { startTime: endTime, endTime: startTime }],
    [/outcome: is not a CallOutcome/, { outcome: 77 as CallOutcome }],
    [/page_token: must be empty or a next_page_token from ListCalls$/, { pageToken: "bm9uc2Vuc2U" }],
    [/page_token: is of another request/, { pageToken: Buffer.from("1:nonsense").toString("base64url") }],
  ])("of ListCalls name the field: %s", async (message, request) => {
    await start(new LedgerInMemory());
    const error = await failure(client("grpc").listCalls(request));
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: expect.stringMatching(message) });
  });

  it("include all violations that the annotations cannot express", async () => {
    await start(new LedgerInMemory());
    const error = await failure(client("grpc").queryUsage({ startTime: endTime, endTime: startTime, labelKey: "a" }));
    expect(error.rawMessage).toMatch(/label_key: .*; end_time: /);
  });
});

describe("the pages of UsageService", () => {
  const names = fc.constantFrom("", "a", "b", "z", "é", "\u{1f600}", "\uff5e");
  const anyCalls = fc.array(
    fc.record({ account: names, model: names, minute: fc.integer({ min: 0, max: 24 * 60 - 1 }) }),
    { maxLength: 30 },
  );

  it("have every sum and every call once, in order, for any size", async () => {
    const ledger = new LedgerInMemory();
    await start(ledger);
    await fc.assert(
      fc.asyncProperty(anyCalls, fc.integer({ min: 1, max: 7 }), async (calls, pageSize) => {
        const start = Date.parse("2026-11-29T00:00:00Z");
        ledger.records.length = 0;
        for (const [index, { account, model, minute }] of calls.entries()) {
          const time = new Date(start + minute * 60_000).toISOString();
          ledger.records.push(callRecord(time, `chatcmpl-${index}`, { account, model }));
        }
        const request = { ...day, groupBy: [MODEL, ACCOUNT], interval: UsageInterval.HOUR };
        const whole = await client().queryUsage({ ...request, pageSize: 1000 });
        const rows: UsageRow[] = [];
        for (let pageToken: string | undefined; pageToken !== ""; ) {
          const page = await client().queryUsage({ ...request, pageSize, pageToken: pageToken ?? "" });
          rows.push(...page.rows);
          expect(page.rows.length).toBeLessThanOrEqual(pageSize);
          pageToken = page.nextPageToken;
        }
        expect(rows).toEqual(whole.rows);
        const ids: string[] = [];
        for (let pageToken: string | undefined; pageToken !== ""; ) {
          const page = await client().listCalls({ pageSize, pageToken: pageToken ?? "" });
          ids.push(...page.calls.map(({ id }) => id));
          pageToken = page.nextPageToken;
        }
        expect(ids).toEqual((await client().listCalls({ pageSize: 1000 })).calls.map(({ id }) => id));
        expect(ids).toHaveLength(calls.length);
      }),
      { numRuns: 30 },
    );
  });

  it("follow groups with the longest texts, whose characters take the most bytes in a page token", async () => {
    const ledger = new LedgerInMemory();
    await start(ledger);
    // Names are cut after 512 bytes, and values of labels after 256 characters. JSON has six bytes for each of these.
    const name = "\u0001".repeat(512);
    const names = { account: name, keyId: name, model: name, provider: name, route: name };
    for (const end of ["a", "b"]) {
      const labels = { team: `${"\u0001".repeat(255)}${end}` };
      ledger.records.push(callRecord("2026-11-29T10:00:00Z", `chatcmpl-${end}`, { ...names, labels }));
    }
    const { ACCOUNT, KEY, MODEL, PROVIDER, ROUTE, OUTCOME, LABEL } = UsageGroup;
    const groupBy = [ACCOUNT, KEY, MODEL, PROVIDER, ROUTE, OUTCOME, LABEL];
    const request = { ...day, groupBy, labelKey: "team", pageSize: 1 };
    const first = await client().queryUsage(request);
    const second = await client().queryUsage({ ...request, pageToken: first.nextPageToken });
    expect([...first.rows, ...second.rows].map(({ groups }) => groups.at(-1)?.at(-1))).toEqual(["a", "b"]);
    expect(second.nextPageToken).toBe("");
  });

  it("skip and repeat no call if new ones arrive between them", async () => {
    const ledger = someLedger();
    await start(ledger);
    const first = await client().listCalls({ pageSize: 2 });
    ledger.records.push(callRecord("2026-11-29T14:00:00Z", "chatcmpl-6"));
    const second = await client().listCalls({ pageSize: 10, pageToken: first.nextPageToken });
    const ids = [...first.calls, ...second.calls].map(({ id }) => id.slice("chatcmpl-".length));
    expect(ids).toEqual(["5", "4", "3", "2", "1"]);
  });

  it("end all at the hour at which the first one ended, if the request has no end", async () => {
    const ledger = someLedger();
    await start(ledger);
    const request = { startTime: day.startTime, groupBy: [KEY], pageSize: 1 };
    const { nextPageToken } = await client().queryUsage(request);
    await client().queryUsage({ ...request, pageToken: nextPageToken });
    const [first, second] = ledger.queries.map(({ query }) => query as { endMs: number });
    expect(second?.endMs).toBe(first?.endMs);
  });

  it("reject the token of another request", async () => {
    await start(someLedger());
    const { nextPageToken } = await client().queryUsage({ ...day, groupBy: [OUTCOME], pageSize: 1 });
    expect(nextPageToken).not.toBe("");
    const other = { ...day, groupBy: [MODEL], pageSize: 1, pageToken: nextPageToken };
    expect((await failure(client().queryUsage(other))).rawMessage).toMatch(
      /page_token: is of another request; repeat the QueryUsage request that returned it, with this page_token$/,
    );
    const same = await client().queryUsage({ ...day, groupBy: [OUTCOME], pageSize: 9, pageToken: nextPageToken });
    expect(groupsOf(same.rows)).toEqual([["ok", 4]]);
  });
});

describe("a call of UsageService", () => {
  it("is recorded, and ends at its deadline although the database is slow", async () => {
    const never = () => new Promise<never>(() => {});
    const { nextRecord } = await start({ queryUsage: never, listCalls: never, getCall: never }, withKey({}));
    const error = await failure(client("grpc").listCalls({}, { headers, timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    expect(await nextRecord()).toMatchObject({ method: "ListCalls", outcome: "deadline_exceeded", keyId: "team-a" });
  });

  it("shows the time at which each call began", async () => {
    await start(someLedger());
    const { call } = await client().getCall({ id: "chatcmpl-2" });
    expect(call?.startTime && timestampDate(call.startTime).toISOString()).toBe("2026-11-29T10:30:00.000Z");
  });
});
