import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, isLoopback, parseAddress } from "../../src/config/address.ts";

describe("addresses", () => {
  it("parses formatted addresses: names, IPv4 and IPv6", () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant("localhost"));
    fc.assert(
      fc.property(hosts, fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        expect(parseAddress(formatAddress({ host, port }))).toEqual({ host, port });
      }),
    );
  });

  it.each([
    "",
    "8080",
    ":8080",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "::1:8080",
    "[127.0.0.1]:80",
    "127.1:80",
  ])("rejects the address %j", (text) => expect(parseAddress(text)).toBeUndefined());

  it.each([
    "256.0.0.1:80",
    "-host:80",
    "host-:80",
    "a..b:80",
    "http://host:80",
    "host:80/",
    "[::1:80",
    8080,
    null,
  ])("rejects the address %j", (text) => expect(parseAddress(text)).toBeUndefined());

  it("parses any value without throwing", () => {
    fc.assert(fc.property(fc.anything(), (value) => void parseAddress(value)));
  });
});

describe("loopback", () => {
  it("treats all of 127.0.0.0/8 as loopback", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(byte, byte, byte, (b, c, d) => {
        expect(isLoopback(`127.${b}.${c}.${d}`)).toBe(true);
      }),
    );
  });

  it.each(["::1", "0:0:0:0:0:0:0:1", "localhost", "LOCALHOST"])("treats %s as loopback", (host) =>
    expect(isLoopback(host)).toBe(true));

  it.each([
    "0.0.0.0",
    "::",
    "128.0.0.1",
    "10.0.0.1",
    "fe80::1",
    "localhost.example.com",
    "myhost",
  ])("does not treat %s as loopback", (host) => expect(isLoopback(host)).toBe(false));
});
