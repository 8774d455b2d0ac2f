import { describe, expect, it } from "vitest";
import { attacks } from "./attacks/index.ts";
import { bounds } from "./bounds.ts";
import { fire, runAttack, startStage } from "./driver.ts";
import { jsonRequest } from "./shoot.ts";

describe("hostile input", () => {
  it.each(attacks.map((attack) => [attack.name, attack] as const))("breaks no law: %s", async (_name, attack) => {
    const { findings } = await runAttack(attack, { seed: 1, bounds, more: (batches) => batches < 1 });
    expect(findings).toEqual([]);
  });
});

/** A module that plants a fault in the service: `fault` runs at the start of each call to the method `openai`. */
const plant = (fault: string): string => {
  const activeCalls = new URL("../../src/calls/active-calls.ts", import.meta.url).href;
  const code = `import { ActiveCalls } from ${JSON.stringify(activeCalls)};
    const { begin } = ActiveCalls.prototype;
    ActiveCalls.prototype.begin = function (source, method) {
      const call = begin.call(this, source, method);
      if (source.requestHeader.get("x-plant") !== null) { ${fault} }
      return call;
    };`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
};

describe("the laws find a planted fault", () => {
  const body = JSON.stringify({ model: "echo/echo", messages: [{ role: "user", content: "hi" }] });
  const shot = jsonRequest("/v1/chat/completions", body);
  const planted = { ...shot, headers: { ...shot.headers, "x-plant": "1" } };

  it.each([
    ["the process ends", 'setImmediate(() => { throw new Error("planted"); });', /^the process ended/],
    [
      "a stall",
      "const end = process.threadCpuUsage().user + 600_000; while (process.threadCpuUsage().user < end);",
      /^a turn of the event loop took/,
    ],
    ["a TypeError", "source.requestHeader.get = undefined;", /INTERNAL/],
    [
      "a record of no call",
      `process.stdout.write('{"msg":"call","id":"x"}' + String.fromCharCode(10));`,
      /^\d+ records of \d+ calls/,
    ],
    ["memory above the bound", `globalThis.kept = Buffer.alloc(${bounds.rssMiB} * 2 ** 20, 1);`, /^memory rose to/],
    ["a warning on standard error", 'process.emitWarning("planted");', /^stderr: .*planted/],
  ])("%s", async (_name, fault, problem) => {
    await using stage = await startStage(bounds, { plant: plant(fault) });
    expect(await fire(stage, [shot])).toEqual([]);
    expect(await fire(stage, [planted])).toContainEqual(expect.stringMatching(problem));
  });
});
