import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { CostSchema, CostSource, UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import { addUsage } from "../../src/tokens/add-usage.ts";

const usage = (init: MessageInitShape<typeof UsageSchema>) =>
  create(UsageSchema, { quality: UsageQuality.EXACT, ...init });
const cost = (totalNanos: bigint) => create(CostSchema, { totalNanos, source: CostSource.PROVIDER });

it("adds totals, parts and tools, but no costs", () => {
  const one = usage({
    ...{ inputTokens: 3, outputTokens: 2, totalTokens: 5, cachedInputTokens: 1, audioInputTokens: 4 },
    ...{ serverToolRequests: { search: 1 }, cost: cost(7n) },
  });
  expect(addUsage(one, one)).toEqual(
    usage({
      ...{ inputTokens: 6, outputTokens: 4, totalTokens: 10, cachedInputTokens: 2, audioInputTokens: 8 },
      ...{ serverToolRequests: { search: 2 } },
    }),
  );
});

it("keeps a count that only one usage has", () => {
  const told = usage({ reasoningTokens: 2 });
  for (const sum of [addUsage(told, usage({})), addUsage(usage({}), told)]) {
    expect(sum.reasoningTokens).toBe(2);
    expect(sum.cachedInputTokens).toBeUndefined();
  }
});

it("has the worse quality of the two, and is an estimate if a count is limited to 2^31-1", () => {
  const greatest = 2 ** 31 - 1;
  const large = usage({ inputTokens: greatest, totalTokens: greatest });
  expect(addUsage(large, usage({ inputTokens: 1, totalTokens: 1 }))).toMatchObject({
    inputTokens: greatest,
    totalTokens: greatest,
    quality: UsageQuality.ESTIMATED,
  });
  const partial = usage({ quality: UsageQuality.PARTIAL });
  expect(addUsage(large, partial).quality).toBe(UsageQuality.PARTIAL);
  expect(addUsage(partial, large).quality).toBe(UsageQuality.PARTIAL);
});
