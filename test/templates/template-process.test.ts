import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { idleMs, TemplateProcess } from "../../src/templates/template-process.ts";

const root = resolve(import.meta.dirname, "../..");

/** Installs as pnpm does: each package is a link to a copy in a store. */
function linkPackage(copy: string): void {
  const packages = join(copy, "node_modules");
  const store = join(packages, ".pnpm/jinja/node_modules/@huggingface/jinja");
  cpSync(join(root, "node_modules/@huggingface/jinja"), store, { recursive: true });
  mkdirSync(join(packages, "@huggingface"));
  symlinkSync(store, join(packages, "@huggingface/jinja"));
  symlinkSync(join(root, "node_modules/@bufbuild"), join(packages, "@bufbuild"));
}

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
  it("reuses its process, also after mistakes and endless loops", async () => {
    // The process stops an endless loop itself. Fake timers keep a busy machine from killing it before.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const process = start();
    expect(process.pid).toBeUndefined();
    expect(await process.run(good, signal)).toEqual({ prompt: "2" });
    const { pid } = process;
    for (const job of [good, { source: "{{ foo }}", variables: {} }, endless, good]) await process.run(job, signal);
    expect(process.pid).toBe(pid);
  });

  it("replaces its process after a cancelled run or a crash", async () => {
    const template = start();
    const controller = new AbortController();
    const running = template.run(endless, controller.signal);
    const reason = new GatewayError("CANCELLED", "the caller went away");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(template.pid).toBeUndefined();

    expect(await template.run(good, signal)).toEqual({ prompt: "2" });
  });

  it.each([
    ["was killed while it was idle", "SIGKILL"],
    ["ran out of memory because of an earlier template", "SIGABRT"],
  ])("renders in a new process if the old one %s", async (_, death) => {
    const template = start();
    expect(await template.run(good, signal)).toEqual({ prompt: "2" });
    const { pid = 0 } = template;
    process.kill(pid, death);
    expect(await template.run(good, signal)).toEqual({ prompt: "2" });
    expect(template.pid).not.toBe(pid);
  });

  it.each([
    ["node_modules is a link", (copy: string) => symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))],
    ["the package is a link", linkPackage],
  ])("renders if %s", async (_, install) => {
    const copy = mkdtempSync(join(tmpdir(), "dragoman-linked-"));
    try {
      cpSync(join(root, "src"), join(copy, "src"), { recursive: true });
      cpSync(join(root, "package.json"), join(copy, "package.json"));
      install(copy);
      const { TemplateProcess: Linked } = await import(join(copy, "src/templates/template-process.ts"));
      const linked: TemplateProcess = new Linked();
      open.push(linked);
      expect(await linked.run(good, signal)).toEqual({ prompt: "2" });
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it("does not blame the template if its process is killed during the run", async () => {
    const template = start();
    await template.run(good, signal);
    const running = template.run(endless, signal);
    const first = template.pid ?? 0;
    process.kill(first, "SIGKILL");
    // The template runs again, in another process, until its own time limit.
    expect(await running).toEqual({ problem: expect.stringContaining("longer than") });
    expect(template.pid).not.toBe(first);
  });

  it("throws INTERNAL if a process that has just started is killed during the run", async () => {
    const template = start();
    const running = template.run(endless, signal);
    process.kill(template.pid ?? 0, "SIGKILL");
    await expect(running).rejects.toMatchObject({ reason: "INTERNAL" });
  });

  it("kills its process when it has been idle for idleMs", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const process = start();
    await process.run(good, signal);
    vi.advanceTimersByTime(idleMs - 1);
    expect(process.pid).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(process.pid).toBeUndefined();
  });
});
