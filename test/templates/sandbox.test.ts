import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { TemplateSandbox } from "../../src/templates/sandbox.ts";

const { signal } = new AbortController();
const open: TemplateSandbox[] = [];
afterEach(() => {
  for (const sandbox of open.splice(0)) sandbox.close();
});

function start(): TemplateSandbox {
  const sandbox = new TemplateSandbox();
  open.push(sandbox);
  return sandbox;
}

const job = (source: string, variables: object = {}) => ({ source, variables: { ...variables } });
const good = job("{{ x }}", { x: "good" });
const endless = job("{% for i in range(100000) %}{% for j in range(100000) %}{{ i }}{% endfor %}{% endfor %}");
const refusal = (why: string) => ({
  reason: "INVALID_REQUEST",
  facts: { fields: [{ field: ["chat_template"], description: expect.stringContaining(why) }] },
});

/** Templates of which one step would take all the memory or all the time. */
const hostile: readonly (readonly [string, string, object])[] = [
  [
    "a list in which each item is a long list",
    "{% set ns = namespace(l=[0]) %}{% for i in range(16) %}{% set ns.l = ns.l + ns.l %}{% endfor %}{% set ns.k = [] %}{% for i in range(5000) %}{% set ns.k = ns.k + [ns.l + [i]] %}{% endfor %}",
    {},
  ],
  [
    "a tree that doubles with every branch, printed",
    "{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
    {},
  ],
  ["a text with each of its letters replaced by the text", "{{ x.replace('a', x) }}", { x: "a".repeat(20_000) }],
  ["a text cut at each letter", "{{ x.split(',') | length }}", { x: ",".repeat(4_000_000) }],
  ["lines that are indented by half the memory", "{{ x | indent(width=500000000) | upper }}", { x: "a\nb\nc" }],
];

describe("the sandbox for templates", () => {
  it("renders one template after another in the same process, and several at the same time", async () => {
    const sandbox = start();
    expect(await sandbox.render(good, signal)).toBe("good");
    const prompts = Array.from({ length: 9 }, (_, x) => sandbox.render(job("{{ x }}", { x }), signal));
    expect(await Promise.all(prompts)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  it("passes on every character as it is", async () => {
    const x = "\u0000 \u2028 \uD800 😀 \uFDD0 é";
    expect(await start().render(job("{{ x }}", { x }), signal)).toBe(x);
  });

  it("blames the template for what is wrong with it", async () => {
    await expect(start().render(job("{{ foo }}"), signal)).rejects.toMatchObject(refusal("foo"));
  });

  it("stops a template that never ends, while others are rendered", async () => {
    const sandbox = start();
    await Promise.all([sandbox.render(good, signal), sandbox.render(good, signal)]);
    const order: string[] = [];
    const bad = sandbox.render(endless, signal).catch((error: unknown) => {
      order.push("endless");
      return error;
    });
    for (const name of ["one", "two", "three"]) {
      await sandbox.render(good, signal);
      order.push(name);
    }
    expect(await bad).toMatchObject(refusal("longer than 500 ms"));
    expect(order).toEqual(["one", "two", "three", "endless"]);
  });

  it.each(hostile)("survives %s", async (_, source, variables) => {
    const sandbox = start();
    await expect(sandbox.render(job(source, variables), signal)).rejects.toMatchObject({ reason: "INVALID_REQUEST" });
    expect(await sandbox.render(good, signal)).toBe("good");
  });

  it("stops at once when it is cancelled, with the signal's reason, and is free for the next", async () => {
    const sandbox = start();
    const controller = new AbortController();
    const reason = new GatewayError("CANCELLED", "the caller went away");
    const all = Array.from({ length: 4 }, () => sandbox.render(endless, controller.signal));
    controller.abort(reason);
    for (const end of await Promise.allSettled(all)) expect(end).toEqual({ status: "rejected", reason });
    expect(await sandbox.render(good, signal)).toBe("good");
  });

  it("turns away what is more than may wait", async () => {
    const sandbox = start();
    const controller = new AbortController();
    const waiting = Array.from({ length: 34 }, () => sandbox.render(endless, controller.signal));
    const ends = Promise.allSettled(waiting);
    await expect(sandbox.render(good, signal)).rejects.toMatchObject({ reason: "QUEUE_FULL" });
    controller.abort(new GatewayError("CANCELLED", "enough"));
    await ends;
  });

  it("does not keep the service alive", async () => {
    const module = JSON.stringify(new URL("../../src/templates/sandbox.ts", import.meta.url).href);
    const program = `
      const { TemplateSandbox } = await import(${module});
      console.log(await new TemplateSandbox().render({ source: "{{ 1 + 1 }}", variables: {} }, new AbortController().signal));`;
    const ended = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(ended).toEqual({ stdout: "2\n", stderr: "" });
  });
});
