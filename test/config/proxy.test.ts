import { describe, expect, it } from "vitest";
import { removed } from "../../src/config/described.ts";
import { resolveProxy, proxy as schema } from "../../src/config/proxy.ts";

const chosen = (environment: Readonly<Record<string, string>>, url: string) =>
  resolveProxy({ environment, configured: undefined, on: true }, () => {}).proxyOf(new URL(url))?.place;

const both = { HTTPS_PROXY: "http://s.example:1", HTTP_PROXY: "http://p.example:2" };

describe("the proxy of the environment", () => {
  it.each([
    ["https://api.example/v1", "http://s.example:1"],
    ["http://api.example/v1", "http://p.example:2"],
    ["https://localhost/v1", undefined],
    ["http://vllm.localhost:8000", undefined],
    ["http://127.4.5.6:8000", undefined],
    ["http://[::1]:8000", undefined],
    ["http://[::ffff:127.0.0.1]:8000", undefined],
    ["http://10.0.0.1:8000", "http://p.example:2"],
  ])("for %s is %s", (url, place) => {
    expect(chosen(both, url)).toBe(place);
  });

  it("prefers names in lower case, ignores empty variables, and needs no scheme", () => {
    expect(chosen({ ...both, https_proxy: "lower.example:3" }, "https://api.example")).toBe("http://lower.example:3");
    expect(chosen({ ...both, https_proxy: "" }, "https://api.example")).toBe("http://s.example:1");
    expect(chosen({ HTTP_PROXY: "http://p.example:2" }, "https://api.example")).toBeUndefined();
  });

  it.each([
    ["*", "https://api.example", true],
    ["api.example", "https://api.example", true],
    ["example", "https://api.example", true],
    [".example", "https://api.example", true],
    ["*.example", "https://api.example", true],
    ["*.api.example", "https://api.example", false],
    ["pi.example", "https://api.example", false],
    ["other, API.example.", "https://api.example.", true],
    ["api.example:443", "https://api.example", true],
    ["api.example:8443", "https://api.example", false],
    ["api.example:8443 x", "https://api.example:8443", true],
    ["10.0.0.0/8", "http://10.1.2.3", true],
    ["10.0.0.0/8", "http://11.1.2.3", false],
    ["10.1.2.3", "http://10.1.2.3:8000", true],
    ["fd00::/8", "http://[fd00::1]", true],
    ["fd00::1", "http://[fd00::1]:8000", true],
    ["[fd00::1]:8000", "http://[fd00::1]:8000", true],
    ["10.0.0.0/99,/,:,", "http://10.1.2.3", false],
  ])("is excluded by NO_PROXY=%s for %s: %s", (NO_PROXY, url, isExcluded) => {
    expect(chosen({ ...both, NO_PROXY }, url) === undefined).toBe(isExcluded);
    expect(chosen({ ...both, no_proxy: NO_PROXY }, url) === undefined).toBe(isExcluded);
  });

  it("is reported if it is invalid, without its value", () => {
    const problems: string[] = [];
    const environment = { HTTPS_PROXY: "socks5://me:secret@s.example", HTTP_PROXY: "http://" };
    for (const on of [true, false]) {
      resolveProxy({ environment, configured: undefined, on }, (path, problem) => problems.push(`${path} ${problem}`));
    }
    expect(problems).toEqual(["HTTPS_PROXY", "HTTP_PROXY"].map((name) => `${name} is not the URL of an HTTP proxy`));
  });
});

describe("the proxy of a provider", () => {
  it("takes precedence over the environment, also for loopback addresses", () => {
    const configured = schema.parse("http://me:secret@own.example:4");
    const choice = resolveProxy({ environment: { ...both, NO_PROXY: "*" }, configured, on: true }, () => {});
    expect(choice.proxyOf(new URL("http://127.0.0.1"))?.place).toBe("http://own.example:4");
    expect(choice.proxyOf(new URL("http://127.0.0.1"))?.url.reveal()).toBe("http://me:secret@own.example:4/");
    expect(JSON.stringify([choice, configured])).not.toContain("secret@");
    const none = resolveProxy({ environment: both, configured: "none", on: true }, () => {});
    expect(none.proxyOf(new URL("https://api.example"))).toBeUndefined();
    expect([choice.configured, none.configured]).toMatchObject([{ rest: `http://${removed}@own.example:4` }, "none"]);
  });

  it.each([
    "",
    "socks5://p",
    "ftp://p",
    "http://p/path",
    "http://p?q",
    "http://%zz@p",
    "http://u:%ff@p",
    7,
  ])("rejects %s", (value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });
});
