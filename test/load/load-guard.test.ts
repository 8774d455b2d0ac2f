import { expect, it } from "vitest";
import { LoadGuard } from "../../src/load/load-guard.ts";
import { Rejections } from "../../src/load/rejections.ts";

it("rejects calls beyond a bound, and beyond some bounds only those that may ask a provider", () => {
  const counted: string[] = [];
  const rejections = new Rejections(({ bound }) => void counted.push(bound));
  const exceeded = new Set<string>();
  const bound = (name: string) => ({ name, problem: `${name} is full`, isExceeded: () => exceeded.has(name) });
  const guard = new LoadGuard([{ ...bound("outbox"), isForCost: true }, bound("heap")], rejections);
  expect([guard.check(true), guard.check(false)]).toEqual([undefined, undefined]);
  exceeded.add("outbox");
  expect(guard.check(true)).toMatchObject({ reason: "OVERLOADED", facts: { metadata: { bound: "outbox" } } });
  expect(guard.check(false)).toBeUndefined();
  exceeded.add("heap");
  expect(guard.check(false)).toMatchObject({ reason: "OVERLOADED", facts: { metadata: { bound: "heap" } } });
  expect(counted).toEqual(["outbox", "heap"]);
});
