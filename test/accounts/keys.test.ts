import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Caller, createAuthenticator, lookupAccount, selectAccount } from "../../src/accounts/keys.ts";
import { GatewayError } from "../../src/errors.ts";

const sha256 = (key: string) => createHash("sha256").update(key).digest();
const keys = [
  { id: "first", sha256: sha256("sk-first"), accounts: ["a1", "a2"], defaultAccount: undefined, role: "caller" },
  { id: "second", sha256: sha256("sk-second"), accounts: [], defaultAccount: undefined, role: "viewer" },
] as const;
const authenticate = createAuthenticator({ mode: "keys", keys, requireAccount: false });
const first = authenticate(new Headers({ "x-api-key": "sk-first" }));
const second = authenticate(new Headers({ "x-api-key": "sk-second" }));

const callerOf = (accounts: readonly string[], more: Partial<Caller> = {}): Caller => ({
  keyId: "k",
  accounts,
  defaultAccount: undefined,
  requireAccount: false,
  role: "caller",
  roleAdvice: "",
  ...more,
});

function errorOf(attempt: () => unknown): GatewayError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("authentication", () => {
  it("accepts x-api-key or a bearer token, with names and scheme in any case", () => {
    for (const headers of [
      { "X-API-Key": "sk-first" },
      { authorization: "Bearer sk-first" },
      { Authorization: "bEARER   sk-first " },
      { "x-api-key": "sk-first", authorization: "Bearer sk-first" },
      { "x-api-key": "sk-first", authorization: "Basic dXNlcjpwYXNz" },
      { "x-api-key": "", authorization: "Bearer sk-first" },
    ]) {
      expect(authenticate(new Headers(headers))).toMatchObject({
        keyId: "first",
        accounts: ["a1", "a2"],
        role: "caller",
      });
    }
    expect(second).toMatchObject({ keyId: "second", role: "viewer" });
  });

  it.each([
    {},
    { "x-api-key": " " },
    { authorization: "Basic sk-first" },
    { authorization: "Bearer" },
  ])("names the accepted headers if there is no key (%j)", (headers) => {
    const error = errorOf(() => authenticate(new Headers(headers)));
    expect(error.reason).toBe("CREDENTIALS_MISSING");
    expect(error.message).toMatch(/x-api-key.*authorization: Bearer/);
  });

  it.each([
    { "x-api-key": "sk-wrong" },
    { "x-api-key": "sk-firs" },
    { authorization: "Bearer sk-wrong" },
    { "x-api-key": "sk-first", authorization: "Bearer sk-second" },
  ])("rejects a wrong key or two different keys without showing them (%j)", (headers) => {
    const error = errorOf(() => authenticate(new Headers(headers)));
    expect(error.reason).toBe("CREDENTIALS_INVALID");
    expect(error.status).toBe("UNAUTHENTICATED");
    expect(error.message + JSON.stringify(error.facts)).not.toContain("sk-");
  });

  it.each(["off", "loopback"] as const)("ignores any API key in mode %s", (mode) => {
    const anonymous = createAuthenticator({ mode, keys, requireAccount: false });
    for (const headers of [{}, { "x-api-key": "sk-first" }, { "x-api-key": "sk-wrong" }]) {
      expect(anonymous(new Headers(headers))).toMatchObject({ keyId: "", accounts: [] });
    }
  });

  it("rejects every caller in mode keys if no keys are configured", () => {
    const closed = createAuthenticator({ mode: "keys", keys: [], requireAccount: false });
    expect(errorOf(() => closed(new Headers({ "x-api-key": "k" }))).reason).toBe("CREDENTIALS_INVALID");
  });
});

describe("the account of a call", () => {
  it("uses the account that the header, the body or both name", () => {
    expect(selectAccount(first, "a2", "")).toBe("a2");
    expect(selectAccount(first, null, "a2")).toBe("a2");
    expect(selectAccount(first, "a2", "a2")).toBe("a2");
  });

  it.each([null, ""])("uses the key's default account, its only account or none if the header is %j", (header) => {
    expect(selectAccount(callerOf(["a1", "a2"], { defaultAccount: "a2" }), header, "")).toBe("a2");
    expect(selectAccount(callerOf([], { defaultAccount: "a9" }), header, "")).toBe("a9");
    expect(selectAccount(callerOf(["a1"]), header, "")).toBe("a1");
    expect(selectAccount(second, header, "")).toBe("");
  });

  it("requires an account if the key has several, and lists none of them", () => {
    const error = errorOf(() => selectAccount(first, "", ""));
    expect(error.reason).toBe("INVALID_REQUEST");
    expect(error.facts.fields).toEqual([
      { field: ["account_id"], description: expect.stringContaining("the key has several accounts") },
    ]);
    expect(error.message).not.toMatch(/a1|a2/);
  });

  it("requires an account in each call if require_account is set", () => {
    const anonymous = createAuthenticator({ mode: "off", keys: [], requireAccount: true })(new Headers());
    const keyed = createAuthenticator({ mode: "keys", keys, requireAccount: true });
    for (const caller of [
      anonymous,
      keyed(new Headers({ "x-api-key": "sk-second" })),
      callerOf(["a1"], { requireAccount: true }),
      callerOf(["a1"], { requireAccount: true, defaultAccount: "a1" }),
    ]) {
      const error = errorOf(() => selectAccount(caller, null, ""));
      expect(error.facts.fields?.[0]).toMatchObject({
        field: ["account_id"],
        description: expect.stringContaining("is required by this service"),
      });
      expect(selectAccount(caller, "a1", "")).toBe("a1");
      expect(selectAccount(caller, null, "a1")).toBe("a1");
    }
  });

  it("rejects different accounts in header and body", () => {
    const error = errorOf(() => selectAccount(first, "a1", "a2"));
    expect(error.reason).toBe("INVALID_REQUEST");
    expect(error.facts.fields?.[0]?.field).toEqual(["account_id"]);
  });

  it("rejects an account that the key does not list", () => {
    const error = errorOf(() => selectAccount(first, "a9", ""));
    expect(error.reason).toBe("ACCOUNT_NOT_ALLOWED");
    expect(error.status).toBe("PERMISSION_DENIED");
    expect(error.facts.metadata).toEqual({ account_id: "a9" });
  });

  it("accepts any account from anonymous callers and keys without accounts", () => {
    expect(selectAccount(second, "a9", "")).toBe("a9");
    expect(selectAccount(callerOf([], { keyId: "" }), null, "a9")).toBe("a9");
  });
});

describe("the account of a lookup", () => {
  it("uses the account in the header, the default or the only one, and requires none", () => {
    const several = callerOf(["a1", "a2"], { requireAccount: true });
    expect(lookupAccount(several, "a2")).toBe("a2");
    expect(lookupAccount(several, null)).toBe("");
    expect(lookupAccount({ ...several, defaultAccount: "a1" }, "")).toBe("a1");
    expect(lookupAccount(callerOf(["a1"], { requireAccount: true }), null)).toBe("a1");
    expect(lookupAccount(callerOf([]), null)).toBe("");
    expect(errorOf(() => lookupAccount(several, "a9")).reason).toBe("ACCOUNT_NOT_ALLOWED");
  });
});
