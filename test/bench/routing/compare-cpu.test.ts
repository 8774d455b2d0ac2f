import { expect, it } from "vitest";
import { compareCpu } from "../../../bench/routing/compare-cpu.ts";

it("runs every path as often as the others, in turns that change their order", async () => {
  const order: string[] = [];
  const path = (name: string) => async () => {
    if (order.at(-1) !== name) order.push(name);
  };
  const paths = { direct: path("direct"), routed: path("routed") };
  const measured = await compareCpu(paths, { rounds: 4, callsPerRound: 3, warmUpCalls: 1 });
  expect(order.join(" ")).toBe("direct routed direct routed direct routed direct");
  expect(measured.direct).toHaveLength(4);
  expect(measured.routed).toHaveLength(4);
});
