import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createClient } from "@redis/client";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Claim } from "../../src/accounts/limits/limit-store.ts";
import { decodeDecision, decodeDone, encodeBegin, encodeMessage, toWire, type Work } from "../../src/state/message.ts";
import { LimitModel } from "../accounts/limits/model.ts";
import { claimsOf, script, usedOf } from "../accounts/limits/scripts.ts";
import { noRedis, startRedis, type TestRedis } from "../support/redis.ts";

const runs = Number(process.env.LIMITS_REDIS_RUNS ?? 300);
const nothing: Work = { settlements: [], charges: [], renewals: [], reservations: [], counts: false };
/** No lease ends while a script runs. */
const leaseMs = 1e12;

/** The code of the limits with a clock that the test sets. */
const source = readFileSync(resolve(import.meta.dirname, "../../src/state/limits.lua"), "utf8").replace(
  "redis.call('TIME')",
  "{ args[2], args[3] }",
);

describe.skipIf(noRedis)("limits.lua", () => {
  let redis: TestRedis;
  let client: ReturnType<typeof createClient>;
  let hash: string;
  let scripts = 0;

  beforeAll(async () => {
    redis = await startRedis();
    client = createClient({ url: redis.url, RESP: 2 });
    await client.connect();
    hash = await client.scriptLoad(`${source}\nreturn run(KEYS, ARGV)`);
  });
  afterAll(async () => {
    client.destroy();
    await redis[Symbol.asyncDispose]();
  });

  it(
    "decides as the exact model, whatever the calls do",
    async () => {
      await fc.assert(
        fc.asyncProperty(script, async ({ limits, steps }) => {
          const key = `{test-${scripts++}}`;
          const model = new LimitModel();
          const claimsById = new Map<string, readonly Claim[]>();
          const replies: Promise<unknown>[] = [];
          const expected: unknown[] = [];
          const send = (text: string): Promise<string> => {
            const [seconds, us] = [model.nowUs / 1_000_000n, model.nowUs % 1_000_000n];
            return client.sendCommand(["EVALSHA", hash, "1", key, text, String(seconds), String(us)]);
          };
          let number = 1;
          const run = (work: Partial<Work>): Promise<string> =>
            send(encodeMessage("a", { epoch: 1, number: ++number }, leaseMs, { ...nothing, ...work }));
          void send(encodeBegin("a", 1, leaseMs));
          for (const [index, step] of steps.entries()) {
            const id = String(index);
            if (step.kind === "wait") model.nowUs += BigInt(step.us);
            if (step.kind === "reserve") {
              const claims = claimsOf(limits, step.picks);
              claimsById.set(id, claims);
              const decided = model.reserve(id, claims);
              expected.push({ ...decided, remaining: claims.map((claim) => model.leftOf(claim)) });
              const wire = claims.map((claim) => toWire(claim));
              replies.push(
                run({ reservations: [[id, wire]] }).then((reply) => {
                  const { refusedBy, shadowed, left } = decodeDecision(decodeDone(reply).lines[0] ?? "");
                  return { refusedBy, shadowed, remaining: left.map(({ remaining }) => BigInt(remaining)) };
                }),
              );
            }
            if (step.kind === "settle") {
              const { callIds } = model;
              const settled = callIds[step.ref % Math.max(1, callIds.length)] ?? "unknown";
              const claims = claimsById.get(settled) ?? [];
              const used = usedOf(claims, step.used);
              const taken = [...claims.keys()].filter((place) => model.holds(settled, place));
              model.settle(settled, used);
              const wire = taken.flatMap((place) => claims[place] ?? []).map((claim) => toWire(claim));
              void run({ settlements: [[settled, taken.map((place) => used[place] ?? 0), wire]] });
            }
          }
          expect(await Promise.all(replies)).toEqual(expected);
        }),
        { numRuns: runs },
      );
    },
    20_000 + runs * 20,
  );

  it("leaves nothing of accounts that are idle", async () => {
    const key = "{idle}";
    const used = await client.keys("{idle}*");
    expect(used).toEqual([]);
    const claim: Claim = { holder: "account:a", kind: "requests", limit: 10, hold: 1, shadow: false };
    const period = { name: "0:day", endMs: Date.now() + 1000 };
    const claims = [claim, { ...claim, kind: "calls" as const }, { ...claim, kind: "budget" as const, period }];
    const now = ["0", "0"];
    const run = (text: string) => client.sendCommand(["EVALSHA", hash, "1", key, text, ...now]);
    await run(encodeBegin("a", 1, 60_000));
    const wire = claims.map((one) => toWire(one));
    await run(encodeMessage("a", { epoch: 1, number: 2 }, 60_000, { ...nothing, reservations: [["1", wire]] }));
    const names = await client.keys("{idle}*");
    expect(names.length).toBeGreaterThan(5);
    const dayMs = 24 * 60 * 60 * 1000;
    for (const name of names) {
      const ms = await client.pTTL(name);
      expect(ms, name).toBeGreaterThan(0);
      expect(ms, name).toBeLessThanOrEqual(dayMs + 1000);
    }
  });
});
