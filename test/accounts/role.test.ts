import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAuthenticator } from "../../src/accounts/keys.ts";
import { type Role, requireRole } from "../../src/accounts/role.ts";
import { GatewayError } from "../../src/errors.ts";

const roles: readonly Role[] = ["caller", "viewer", "admin"];

const keys = roles.map((role) => ({
  id: role,
  sha256: hash("sha256", `sk-${role}`, "buffer"),
  accounts: [],
  defaultAccount: undefined,
  role,
}));

const authenticators = {
  keys: createAuthenticator({ mode: "keys", keys, requireAccount: false }),
  loopback: createAuthenticator({ mode: "loopback", keys, requireAccount: false }),
  off: createAuthenticator({ mode: "off", keys, requireAccount: false }),
};

/** Headers that a proxy adds, in any case, with any value, beside the header of a key. */
const proxied = fc
  .tuple(
    fc.constantFrom("forwarded", "Forwarded", "x-forwarded-for", "X-Forwarded-For", "via", "Via", "X-Real-IP"),
    fc.constantFrom("", "1.1 proxy", "for=192.0.2.1", "127.0.0.1"),
    fc.constantFrom(...roles),
  )
  .map(([name, value, role]) => new Headers({ "x-api-key": `sk-${role}`, [name]: value }));

describe("the role of a caller", () => {
  it("is that of its API key, also behind a proxy", () => {
    fc.assert(
      fc.property(proxied, (headers) => {
        const caller = authenticators.keys(headers);
        expect(caller.role).toBe(caller.keyId);
      }),
    );
  });

  it("is admin in mode loopback, unless a proxy forwarded the request", () => {
    expect(authenticators.loopback(new Headers()).role).toBe("admin");
    expect(authenticators.loopback(new Headers({ "x-api-key": "sk-caller" })).role).toBe("admin");
    fc.assert(
      fc.property(proxied, (headers) => {
        expect(authenticators.loopback(headers).role).toBe("caller");
      }),
    );
  });

  it("is caller in mode off, whatever the headers", () => {
    expect(authenticators.off(new Headers()).role).toBe("caller");
    fc.assert(
      fc.property(proxied, (headers) => {
        expect(authenticators.off(headers).role).toBe("caller");
      }),
    );
  });

  it("allows what lower roles allow, and nothing else", () => {
    for (const [held, role] of roles.entries()) {
      for (const [needed, required] of roles.entries()) {
        const check = () => requireRole({ role, roleAdvice: "ask" }, required, "ListTargets");
        if (held >= needed) expect(check).not.toThrow();
        else expect(check).toThrow(GatewayError);
      }
    }
  });

  it.each([
    ["keys", { "x-api-key": "sk-caller" }, /^ListTargets requires the role viewer or admin.*authentication\.keys$/],
    ["loopback", { via: "1.1 proxy" }, /the header via; call Dragoman directly/],
    ["off", {}, /without authentication nobody has another one; configure authentication\.keys/],
  ] as const)("says in mode %s how to get the required role", (mode, headers, text) => {
    const caller = authenticators[mode](new Headers(headers));
    const check = () => requireRole(caller, "viewer", "ListTargets");
    expect(check).toThrow(
      expect.objectContaining({ reason: "ROLE_NOT_ALLOWED", message: expect.stringMatching(text) }),
    );
  });
});
