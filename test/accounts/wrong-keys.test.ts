import { describe, expect, it } from "vitest";
import { WrongKeys } from "../../src/accounts/wrong-keys.ts";

/** Counts wrong keys of an address at one time and returns the last delay. */
function send(wrongKeys: WrongKeys, address: string, times: number, nowMs = 0): number {
  let delayMs = 0;
  for (let time = 0; time < times; time++) delayMs = wrongKeys.count(address, nowMs);
  return delayMs;
}

describe("the delay of a wrong key", () => {
  it("is 0 for 20 wrong keys, then doubles from 100 ms to 5 s", () => {
    const wrongKeys = new WrongKeys();
    expect(send(wrongKeys, "192.0.2.1", 20)).toBe(0);
    const delays = Array.from({ length: 9 }, () => wrongKeys.count("192.0.2.1", 0));
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it("is counted by address, and by the first 64 bits of an IPv6 address", () => {
    const wrongKeys = new WrongKeys();
    expect(send(wrongKeys, "192.0.2.1", 30)).toBe(5_000);
    expect(send(wrongKeys, "192.0.2.2", 1)).toBe(0);
    expect(send(wrongKeys, "2001:db8::1", 30)).toBe(5_000);
    expect(send(wrongKeys, "2001:db8:0:0:ffff::2", 1)).toBe(5_000);
    expect(send(wrongKeys, "2001:db8:0:1::1", 1)).toBe(0);
  });

  it("shrinks with time, however many wrong keys came before", () => {
    const wrongKeys = new WrongKeys();
    expect(send(wrongKeys, "192.0.2.1", 100_000)).toBe(5_000);
    expect(send(wrongKeys, "192.0.2.1", 1, 5 * 60_000)).toBe(0);
  });

  it("forgets the oldest of more than 10,000 addresses", () => {
    const wrongKeys = new WrongKeys();
    send(wrongKeys, "192.0.2.1", 30);
    for (let index = 0; index < 10_000; index++) wrongKeys.count(`10.0.${index >> 8}.${index & 255}`, 0);
    expect(send(wrongKeys, "192.0.2.1", 1)).toBe(0);
  });
});
