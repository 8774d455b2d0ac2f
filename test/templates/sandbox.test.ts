import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { TemplateSandbox } from "../../src/templates/sandbox.ts";

const claimant = { holder: "account:a", signal: new AbortController().signal };
const open: TemplateSandbox[] = [];
afterEach(() => {
  for (const sandbox of open.splice(0)) sandbox.close();
});

function start(maxProcesses = 3, maxPerAccount = 2): TemplateSandbox {
  const sandbox = new TemplateSandbox({ maxProcesses, maxPerAccount });
  open.push(sandbox);
  return sandbox;
}

const job = (source: string, variables: object = {}) => ({ source, variables: { ...variables } });
const good = job("{{ x }}", { x: "good" });
const endless = job("{% for i in range(100000) %}{% for j in range(100000) %}{{ i }}{% endfor %}{% endfor %}");
const rejection = (why: string) => ({
  reason: "INVALID_REQUEST",
  facts: { fields: [{ field: ["chat_template"], description: expect.stringContaining(why) }] },
});

/** Names, sources and variables of templates in which a single step exhausts the memory or the time. */
const hostile: readonly (readonly [string, string, object])[] = [
  [
    "a list in which each item is a long list",
    "{% set ns = namespace(l=[0]) %}{% for i in range(16) %}{% set ns.l = ns.l + ns.l %}{% endfor %}{% set ns.k = [] %}{% for i in range(5000) %}{% set ns.k = ns.k + [ns.l + [i]] %}{% endfor %}",
    {},
  ],
  [
    "printing a nested list that doubles at each level",
    "{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
    {},
  ],
  ["a string with each letter replaced by the whole string", "{{ x.replace('a', x) }}", { x: "a".repeat(20_000) }],
  ["a string split at each character", "{{ x.split(',') | length }}", { x: ",".repeat(4_000_000) }],
  ["lines indented by 500 million spaces", "{{ x | indent(width=500000000) | upper }}", { x: "a\nb\nc" }],
];

describe("the sandbox for templates", () => {
  it("renders templates one after another and several at once", async () => {
    const sandbox = start();
    expect(await sandbox.render(good, claimant)).toBe("good");
    const prompts = Array.from({ length: 9 }, (_, x) => sandbox.render(job("{{ x }}", { x }), claimant));
    expect(await Promise.all(prompts)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  it("passes special characters through unchanged", async () => {
    const x = "\u0000 \u2028 \uD800 😀 \uFDD0 é";
    expect(await start().render(job("{{ x }}", { x }), claimant)).toBe(x);
  });

  it("rejects a wrong template with INVALID_REQUEST on chat_template", async () => {
    await expect(start().render(job("{{ foo }}"), claimant)).rejects.toMatchObject(rejection("foo"));
  });

  it("renders other templates while it stops an endless one", async () => {
    const sandbox = start();
    await Promise.all([sandbox.render(good, claimant), sandbox.render(good, claimant)]);
    const order: string[] = [];
    const bad = sandbox.render(endless, claimant).catch((error: unknown) => {
      order.push("endless");
      return error;
    });
    for (const name of ["one", "two", "three"]) {
      await sandbox.render(good, claimant);
      order.push(name);
    }
    expect(await bad).toMatchObject(rejection("longer than 500 ms"));
    expect(order).toEqual(["one", "two", "three", "endless"]);
  });

  it("renders another account's template beside endless ones of one account", async () => {
    const sandbox = start();
    const holders = ["b", "c", "d"].map((name) => ({ ...claimant, holder: `account:${name}` }));
    // Starts the processes.
    await Promise.all(holders.map((holder) => sandbox.render(good, holder)));
    const order: string[] = [];
    const flood = Array.from({ length: 6 }, () => sandbox.render(endless, claimant).catch(() => order.push("endless")));
    for (const name of ["one", "two", "three"]) {
      await sandbox.render(good, { ...claimant, holder: "account:b" });
      order.push(name);
    }
    expect(order).toEqual(["one", "two", "three"]);
    await Promise.all(flood);
  });

  it("ends only idle processes when one of its users closes it", async () => {
    const sandbox = start();
    await Promise.all([sandbox.render(good, claimant), sandbox.render(good, claimant)]);
    const running = sandbox.render(endless, claimant);
    sandbox.close();
    await expect(running).rejects.toMatchObject(rejection("longer than 500 ms"));
    expect(await sandbox.render(good, claimant)).toBe("good");
  });

  it.each(hostile)("survives %s", async (_, source, variables) => {
    const sandbox = start();
    await expect(sandbox.render(job(source, variables), claimant)).rejects.toMatchObject({ reason: "INVALID_REQUEST" });
    expect(await sandbox.render(good, claimant)).toBe("good");
  });

  it("stops at once with the signal's reason, then renders the next template", async () => {
    const sandbox = start();
    const controller = new AbortController();
    const reason = new GatewayError("CANCELLED", "the caller went away");
    const all = Array.from({ length: 4 }, () => sandbox.render(endless, { ...claimant, signal: controller.signal }));
    controller.abort(reason);
    for (const end of await Promise.allSettled(all)) expect(end).toEqual({ status: "rejected", reason });
    expect(await sandbox.render(good, claimant)).toBe("good");
  });

  it("throws QUEUE_FULL if too many templates wait", async () => {
    const sandbox = start();
    const controller = new AbortController();
    const waiting = Array.from({ length: 34 }, () =>
      sandbox.render(endless, { ...claimant, signal: controller.signal }),
    );
    const ends = Promise.allSettled(waiting);
    await expect(sandbox.render(good, claimant)).rejects.toMatchObject({ reason: "QUEUE_FULL" });
    controller.abort(new GatewayError("CANCELLED", "enough"));
    await ends;
  });

  it("does not keep the service running", async () => {
    const module = JSON.stringify(new URL("../../src/templates/sandbox.ts", import.meta.url).href);
    const program = `
      const { TemplateSandbox } = await import(${module});
      console.log(await new TemplateSandbox({ maxProcesses: 2, maxPerAccount: 2 }).render({ source: "{{ 1 + 1 }}", variables: {} }, { holder: "", signal: new AbortController().signal }));`;
    const ended = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(ended).toEqual({ stdout: "2\n", stderr: "" });
  });
});
