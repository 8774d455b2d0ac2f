import type { DescService } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, ConnectError } from "@connectrpc/connect";
import { sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AccountStore } from "../../src/accounts/account-store.ts";
import { createKey } from "../../src/accounts/manage-keys.ts";
import { createAccountStore } from "../../src/accounts/sql/database-store.ts";
import { StoreMirror } from "../../src/accounts/store-mirror.ts";
import { StoreLossPolicy } from "../../src/gen/dragoman/admin/v1/account_pb.js";
import { AccountService } from "../../src/gen/dragoman/admin/v1/account_service_pb.js";
import { ConfigSource, KeyRole } from "../../src/gen/dragoman/admin/v1/key_pb.js";
import { KeyService } from "../../src/gen/dragoman/admin/v1/key_service_pb.js";
import { BudgetPeriod } from "../../src/gen/dragoman/admin/v1/limits_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { AccountStoreInMemory } from "../support/account-store.ts";
import { connectDatabase, testFolder } from "../support/databases.ts";
import { ask } from "../support/requests.ts";
import { type Protocol, protocols, startTestService, type TestService } from "../support/service.ts";

const sha256 = "0123456789abcdef".repeat(4);
const yaml = `
authentication:
  mode: keys
  keys: [{ id: aa-file, sha256: ${sha256}, accounts: [billing], expires: 2040-01-01 }]
accounts: { research: { models: ["echo/*"], budgets: [{ amount_usd: "0.5", period: week }] } }
`;

/** A service that follows a store, and an admin's clients for it. */
async function start(store: AccountStore | undefined, protocol: Protocol = "connect", file = yaml) {
  const mirror =
    store && new StoreMirror({ store, configured: { keys: new Set(["aa-file"]), accounts: new Set(["research"]) } });
  const service = await startTestService({}, undefined, file, [], mirror ? { mirror } : {});
  onTestFinished(() => service.stop());
  mirror?.start();
  onTestFinished(() => mirror?.close());
  return { service, protocol };
}

const settings = { displayName: "", accounts: [], defaultAccount: undefined, role: "admin" as const };

/** Starts a service over a database with the key of an admin, and returns clients that send it. */
async function startWithAdmin(protocol: Protocol = "connect", store: AccountStore = databaseStore()) {
  const { text } = await createKey(store, settings);
  const { service } = await start(store, protocol);
  return { store, service, text, ...clientsOf(service, protocol, text) };
}

function databaseStore(): AccountStore {
  return createAccountStore(connectDatabase({ kind: "sqlite", path: `${testFolder()}/a.db` }));
}

function clientsOf(service: TestService, protocol: Protocol, key: string) {
  const headers = { "x-api-key": key };
  const withKey = <Desc extends DescService>(client: Client<Desc>): Client<Desc> => {
    const methods = client as Readonly<Record<string, (request: object, options: object) => Promise<unknown>>>;
    const get = (_: object, name: string) => (request: object) => methods[name]?.(request, { headers });
    return new Proxy(client, { get }) as Client<Desc>;
  };
  return {
    keys: withKey(service.client(KeyService, protocol)),
    accounts: withKey(service.client(AccountService, protocol)),
  };
}

async function failureOf(result: Promise<unknown>) {
  try {
    await result;
    return { reason: "", message: "", fields: [] };
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return {
      reason: error.findDetails(ErrorInfoSchema)[0]?.reason ?? "",
      message: error.rawMessage,
      fields: error
        .findDetails(BadRequestSchema)
        .flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field)),
    };
  }
}

/** Calls a model with a key. Returns the reason of the failure; empty if there is none. */
async function callWith(service: TestService, key: string, model = "echo/echo", accountId = "") {
  const chat = ask(model, "hi", accountId === "" ? {} : { accountId });
  const result = service.chatClient("grpc").completeChat({ chat }, { headers: { authorization: `Bearer ${key}` } });
  return (await failureOf(result)).reason;
}

describe.each(protocols)("KeyService over %s", (protocol) => {
  it("creates, lists, rotates and revokes a key, whose secrets work at once and no longer than they should", async () => {
    const { keys, service } = await startWithAdmin(protocol);
    const expireTime = timestampFromMs(Date.now() + 3_600_000);
    const { key, secret } = await keys.createKey({
      key: {
        displayName: "Team A",
        accounts: ["billing"],
        role: KeyRole.VIEWER,
        models: ["echo/*"],
        expireTime,
        limits: { requestsPerMinute: 60n },
        budgets: [{ amountNanos: 5n, period: BudgetPeriod.DAY }],
      },
    });
    expect(key).toMatchObject({
      ...{ displayName: "Team A", accounts: ["billing"], role: KeyRole.VIEWER, models: ["echo/*"], expireTime },
      limits: { requestsPerMinute: 60n, shadow: false },
      budgets: [{ amountNanos: 5n, period: BudgetPeriod.DAY, timeZone: "UTC", warnAt: 0.8 }],
      source: ConfigSource.STORE,
    });
    expect(secret).toMatch(new RegExp(`^sk-drgm-${key?.id}-[0-9a-f]{64}$`));
    expect(await callWith(service, secret)).toBe("");
    const record = service.records.at(-1);
    expect(record).toMatchObject({ keyId: key?.id ?? "", accountId: "billing" });

    const { keys: listed } = await keys.listKeys({ account: "billing" });
    expect(listed.map(({ id }) => id).sort()).toEqual(["aa-file", key?.id ?? ""].sort());

    const rotated = await keys.rotateKey({ id: key?.id ?? "", oldSecretTtl: { seconds: 60n, nanos: 0 } });
    expect(Number(rotated.key?.oldSecretExpireTime?.seconds) * 1000).toBeGreaterThan(Date.now() + 50_000);
    expect([await callWith(service, secret), await callWith(service, rotated.secret)]).toEqual(["", ""]);
    const again = await keys.rotateKey({ id: key?.id ?? "", oldSecretTtl: { seconds: 0n, nanos: 0 } });
    expect(again.key?.oldSecretExpireTime).toBeUndefined();
    expect(await callWith(service, rotated.secret)).toBe("CREDENTIALS_INVALID");
    expect(await callWith(service, again.secret)).toBe("");

    const revoked = await keys.revokeKey({ id: key?.id ?? "" });
    expect(revoked.key?.revokeTime).toBeDefined();
    expect(await callWith(service, again.secret)).toBe("CREDENTIALS_INVALID");
    expect((await failureOf(keys.rotateKey({ id: key?.id ?? "" }))).reason).toBe("RESOURCE_NOT_FOUND");
  });
});

describe("KeyService", () => {
  it("lists the keys of the file and of the database in pages, without secrets", async () => {
    const { keys, store } = await startWithAdmin();
    for (let count = 0; count < 6; count++) await createKey(store, settings);
    const seen: { id: string; source: ConfigSource }[] = [];
    let pageToken = "";
    do {
      const page = await keys.listKeys({ pageSize: 3, pageToken });
      seen.push(...page.keys);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(8);
    expect(seen.filter(({ source }) => source === ConfigSource.FILE).map(({ id }) => id)).toEqual(["aa-file"]);
    expect(seen.find(({ id }) => id === "aa-file")).toMatchObject({
      accounts: ["billing"],
      models: ["*"],
      expireTime: timestampFromMs(Date.parse("2040-01-01T00:00:00Z")),
    });
  });

  it("reports what the annotations cannot express", async () => {
    const { keys, accounts } = await startWithAdmin();
    const budget = { amountNanos: 10n ** 17n, period: BudgetPeriod.DAY, timeZone: "Mars" };
    const key = { accounts: ["a", "b\n"], defaultAccount: "c\0", expireTime: timestampFromMs(1), budgets: [budget] };
    expect(await failureOf(keys.createKey({ key }))).toMatchObject({
      reason: "INVALID_REQUEST",
      fields: [
        ...["key.default_account", "key.expire_time", "key.default_account", "key.accounts[1]"],
        ...["key.budgets[0].amount_nanos", "key.budgets[0].time_zone"],
      ],
    });
    expect(await failureOf(keys.createKey({}))).toMatchObject({ reason: "INVALID_REQUEST", fields: ["key"] });
    const account = { id: "\u0000", displayName: "a\u0000", models: ["*", "\u001b[2J"] };
    expect(await failureOf(accounts.createAccount({ account }))).toMatchObject({
      fields: ["account.id", "account.display_name", "account.models[1]"],
    });
  });

  it.each([
    2n ** 60n,
    -(2n ** 63n),
    253_402_300_800n,
    -62_135_596_801n,
  ])("accepts no time of %d seconds", async (seconds) => {
    // Only the binary format can send such times. Lists with them could not be written as JSON.
    const { keys, accounts } = await startWithAdmin("grpc");
    const expireTime = { seconds, nanos: 0 };
    expect(await failureOf(keys.createKey({ key: { expireTime } }))).toMatchObject({ fields: ["key.expire_time"] });
    const account = { id: "a", expireTime };
    for (const change of [accounts.createAccount, accounts.updateAccount]) {
      expect(await failureOf(change({ account }))).toMatchObject({
        ...{ reason: "INVALID_REQUEST", fields: ["account.expire_time"] },
        message: expect.stringMatching(/must be a time from the year 1 to the year 9999$/),
      });
    }
  });

  it("keeps the last time of the year 9999 and the first of the year 1", async () => {
    const { accounts, service, text } = await startWithAdmin("grpc");
    const last = { seconds: 253_402_300_799n, nanos: 999_999_999 };
    await accounts.createAccount({ account: { id: "last", expireTime: last } });
    await accounts.createAccount({ account: { id: "first", expireTime: { seconds: -62_135_596_800n, nanos: 0 } } });
    const listed = await clientsOf(service, "connect-json", text).accounts.listAccounts({});
    expect(listed.accounts.map(({ id, expireTime }) => [id, expireTime?.seconds])).toEqual([
      ["first", -62_135_596_800n],
      ["last", last.seconds],
      ["research", undefined],
    ]);
  });

  it("changes no key of the file, and says where it is", async () => {
    const { keys } = await startWithAdmin();
    for (const change of [keys.rotateKey, keys.revokeKey]) {
      expect(await failureOf(change({ id: "aa-file" }))).toEqual({
        ...{ reason: "RESOURCE_NOT_FOUND", fields: [] },
        message: "key aa-file: the configuration has it; change it there",
      });
      expect((await failureOf(change({ id: "unknown" }))).reason).toBe("RESOURCE_NOT_FOUND");
    }
  });
});

describe("AccountService", () => {
  const full = {
    id: "billing",
    displayName: "Billing",
    models: ["echo/*"],
    limits: { tokensPerMinute: 1000n, shadow: true },
    budgets: [{ amountNanos: 100_000_000_000n, period: BudgetPeriod.MONTH, timeZone: "Europe/Berlin", warnAt: 0 }],
    onStoreLoss: StoreLossPolicy.DENY,
  };

  it.each(protocols)("creates, replaces, returns and lists accounts over %s", async (protocol) => {
    const { accounts } = await startWithAdmin(protocol);
    const { account } = await accounts.createAccount({ account: full });
    expect(account).toMatchObject({ ...full, source: ConfigSource.STORE });
    expect((await failureOf(accounts.createAccount({ account: full }))).reason).toBe("RESOURCE_ALREADY_EXISTS");
    expect((await accounts.getAccount({ id: "billing" })).account).toEqual(account);
    const { account: updated } = await accounts.updateAccount({ account: { id: "billing", displayName: "New" } });
    expect(updated).toMatchObject({ id: "billing", displayName: "New", models: [], budgets: [] });
    expect(updated?.limits).toBeUndefined();
    expect(updated?.createTime).toEqual(account?.createTime);
    const listed = await accounts.listAccounts({});
    expect(listed.accounts.map(({ id, source }) => [id, source])).toEqual([
      ["billing", ConfigSource.STORE],
      ["research", ConfigSource.FILE],
    ]);
  });

  it("changes no account of the file, and names what does not exist", async () => {
    const { accounts } = await startWithAdmin();
    expect((await failureOf(accounts.createAccount({ account: { id: "research" } }))).reason).toBe(
      "RESOURCE_ALREADY_EXISTS",
    );
    expect((await failureOf(accounts.updateAccount({ account: { id: "research" } }))).message).toBe(
      "account research: the configuration has it; change it there",
    );
    expect((await failureOf(accounts.updateAccount({ account: { id: "none" } }))).reason).toBe("RESOURCE_NOT_FOUND");
    expect((await failureOf(accounts.getAccount({ id: "none" }))).reason).toBe("RESOURCE_NOT_FOUND");
    expect((await accounts.getAccount({ id: "research" })).account).toMatchObject({
      budgets: [{ amountNanos: 500_000_000n, period: BudgetPeriod.WEEK }],
    });
  });
});

describe("without a database that responds", () => {
  it("changes nothing and shows what the file has, if none is configured", async () => {
    const { service } = await start(undefined, "connect", yaml.replace("mode: keys", "mode: loopback"));
    const { keys, accounts } = clientsOf(service, "connect", "");
    const changes = [
      keys.createKey({ key: {} }),
      keys.rotateKey({ id: "a" }),
      keys.revokeKey({ id: "a" }),
      accounts.createAccount({ account: { id: "a" } }),
      accounts.updateAccount({ account: { id: "a" } }),
    ];
    for (const change of changes) expect((await failureOf(change)).reason).toBe("STORE_NOT_CONFIGURED");
    expect((await keys.listKeys({})).keys).toHaveLength(1);
    expect((await accounts.listAccounts({})).accounts).toHaveLength(1);
    expect((await accounts.getAccount({ id: "research" })).account?.id).toBe("research");
  });

  it("fails with STORE_UNAVAILABLE, while known keys go on", async () => {
    const store = new AccountStoreInMemory();
    const { keys, accounts, service, text } = await startWithAdmin("grpc", store);
    await keys.listKeys({});
    store.away = true;
    const id = "0".repeat(32);
    const attempts = [
      ...[keys.createKey({ key: {} }), keys.rotateKey({ id }), keys.revokeKey({ id }), keys.listKeys({})],
      ...[accounts.createAccount({ account: { id: "a" } }), accounts.updateAccount({ account: { id: "a" } })],
      ...[accounts.getAccount({ id: "a" }), accounts.listAccounts({})],
    ];
    for (const attempt of attempts) expect((await failureOf(attempt)).reason).toBe("STORE_UNAVAILABLE");
    expect(await callWith(service, text)).toBe("");
    expect(
      await callWith(
        service,
        text.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      ),
    ).toBe("STORE_UNAVAILABLE");
  });
});

describe("two replicas with one database", () => {
  it("accept a key of the other at once, and soon reject one that the other revoked", async () => {
    const store = databaseStore();
    const first = await startWithAdmin("connect", store);
    const { service: second } = await start(store);
    const { key, secret } = await first.keys.createKey({ key: {} });
    expect(await callWith(second, secret)).toBe("");
    await first.keys.revokeKey({ id: key?.id ?? "" });
    expect(await callWith(first.service, secret)).toBe("CREDENTIALS_INVALID");
    // The second one reads what changed every second.
    while ((await callWith(second, secret)) === "");
  });
});

describe("models and expiry", () => {
  it("allow what the key and the account allow, by the names in the request", async () => {
    const { keys, accounts, service } = await startWithAdmin();
    await accounts.createAccount({ account: { id: "narrow", models: ["*/echo"] } });
    const { secret } = await keys.createKey({ key: { models: ["echo/*"] } });
    expect(await callWith(service, secret, "echo/echo", "narrow")).toBe("");
    expect(await callWith(service, secret, "openai/gpt-4o")).toBe("MODEL_NOT_ALLOWED");
    expect(await callWith(service, secret, "echo/other", "narrow")).toBe("MODEL_NOT_ALLOWED");
    expect(service.records.at(-1)).toMatchObject({ reason: "MODEL_NOT_ALLOWED", outcome: "refused" });
    const headers = { "x-api-key": secret };
    const chat = ask("echo/echo", "hi", { fallbackModels: ["echo/echo", "openai/gpt-4o"] });
    const fallback = await failureOf(service.chatClient("connect").completeChat({ chat }, { headers }));
    expect(fallback).toMatchObject({ reason: "MODEL_NOT_ALLOWED", fields: ["chat.fallback_models[1]"] });
    const plan = await failureOf(service.chatClient("connect").planChat({ chat }, { headers }));
    expect(plan.reason).toBe("MODEL_NOT_ALLOWED");

    const { models } = await service.modelClient("connect").listModels({ pageSize: 1000 }, { headers });
    expect(models.map(({ provider }) => provider)).toEqual(models.map(() => "echo"));
    expect(models.length).toBeGreaterThan(0);
    const get = (id: string) => failureOf(service.modelClient("connect").getModel({ id }, { headers }));
    expect((await get("openai/gpt-4o")).reason).toBe("MODEL_NOT_ALLOWED");
    expect((await get("echo/echo")).reason).toBe("");

    const list = await fetch(`http://${service.httpAddress}/v1/models`, { headers });
    const { data } = (await list.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(models.map(({ id }) => id));
    const one = await fetch(`http://${service.httpAddress}/v1/models/openai/gpt-4o`, { headers });
    expect(one.status).toBe(403);
  });

  it("reject calls of an account whose settings nobody can read, until an admin replaces them", async () => {
    const database = connectDatabase({ kind: "sqlite", path: `${testFolder()}/a.db` });
    const store = createAccountStore(database);
    await store.createAccount({ id: "newer", displayName: "", onStoreLoss: "local", createdMs: 0 });
    await sql`update account set settings = '{"budgets": [{"amount_usd": "1.00", "period": "year"}]}'`.execute(
      await database.open(),
    );
    const { service, text, accounts } = await startWithAdmin("grpc", store);
    expect(await callWith(service, text, "echo/echo", "newer")).toBe("ACCOUNT_NOT_ALLOWED");
    expect(await callWith(service, text, "echo/echo", "other")).toBe("");
    await accounts.updateAccount({ account: { id: "newer" } });
    expect(await callWith(service, text, "echo/echo", "newer")).toBe("");
  });

  it("end an account at its time", async () => {
    const { keys, accounts, service } = await startWithAdmin();
    await accounts.createAccount({ account: { id: "ended", expireTime: timestampFromMs(Date.now() - 1000) } });
    const { secret } = await keys.createKey({ key: {} });
    expect(await callWith(service, secret, "echo/echo", "ended")).toBe("ACCOUNT_NOT_ALLOWED");
    expect(await callWith(service, secret, "echo/echo", "other")).toBe("");
  });
});
