import { afterEach, describe, expect, it, vi } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { idleMs, TemplateProcess } from "../../src/templates/template-process.ts";

const { signal } = new AbortController();
const open: TemplateProcess[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const process of open.splice(0)) process.close();
});

function start(): TemplateProcess {
  const process = new TemplateProcess();
  open.push(process);
  return process;
}

const good = { source: "{{ 1 + 1 }}", variables: {} };
const endless = {
  source: "{% for i in range(100000) %}{% for j in range(100000) %}{{ i }}{% endfor %}{% endfor %}",
  variables: {},
};

describe("the process that renders templates", () => {
  it("starts with the first template and stays, after mistakes and endless loops too", async () => {
    // The process ends an endless loop by its own clock. A busy machine may keep it from that for longer than it is given.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const process = start();
    expect(process.pid).toBeUndefined();
    expect(await process.run(good, signal)).toEqual({ prompt: "2" });
    const { pid } = process;
    for (const job of [good, { source: "{{ foo }}", variables: {} }, endless, good]) await process.run(job, signal);
    expect(process.pid).toBe(pid);
  });

  it("is replaced when it had to be ended, and when it died by itself", async () => {
    const template = start();
    const controller = new AbortController();
    const running = template.run(endless, controller.signal);
    const reason = new GatewayError("CANCELLED", "the caller went away");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(template.pid).toBeUndefined();

    expect(await template.run(good, signal)).toEqual({ prompt: "2" });
    const { pid = 0 } = template;
    process.kill(pid, "SIGKILL");
    // Whether its end is known by now or not: nothing but its own template is lost.
    expect(await template.run(good, signal)).toEqual(
      expect.toBeOneOf([{ prompt: "2" }, { problem: expect.any(String) }]),
    );
    expect(await template.run(good, signal)).toEqual({ prompt: "2" });
    expect(template.pid).not.toBe(pid);
  });

  it("goes when nobody has needed it for a while", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const process = start();
    await process.run(good, signal);
    vi.advanceTimersByTime(idleMs - 1);
    expect(process.pid).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(process.pid).toBeUndefined();
  });
});
