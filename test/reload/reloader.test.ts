import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startProcess } from "../support/process.ts";
import { startReloadable } from "./harness.ts";

const notReloaded = "configuration not reloaded; the old one stays";
const mistakesOf = (line: Readonly<Record<string, unknown>>) => line.mistakes as readonly string[];

describe("a reload", () => {
  it("reports all mistakes of a file as `check` does, without its secrets, and a missing file on SIGHUP", async () => {
    await using service = await startReloadable("limits: { max_values: 7 }");
    const wrong = "limits: { max_valuse: 1, max_answer_size: none }\nproviders: { openai: { api_key: 'sk secret' } }";
    const line = await service.reject(wrong, "rename");
    expect(line).toMatchObject({ level: "error", trigger: "file" });
    expect(mistakesOf(line).map((mistake) => mistake.split(":")[0])).toEqual([
      "limits.max_answer_size",
      "limits.max_valuse",
      "providers.openai.api_key",
    ]);
    expect(JSON.stringify(line)).not.toContain("secret");

    rmSync(join(service.folder, "dragoman.yaml"));
    service.child.kill("SIGHUP");
    const missing = await service.logLine(({ msg, trigger }) => msg === notReloaded && trigger === "signal");
    expect(mistakesOf(missing)[0]).toMatch(/dragoman\.yaml: cannot be read: it does not exist \(ENOENT\); /);
    expect(await service.reload("limits: { max_values: 8 }", "rename")).toMatchObject({
      trigger: "file",
      generation: 2,
      keys: ["limits.max_values"],
    });
  });

  it("applies the rest of a file that also changes what needs a restart, and names that once", async () => {
    await using service = await startReloadable("{}");
    const fixed = "store: { durability: disk }\nstate: { prefix: other, redis: redis://127.0.0.1:1 }";
    const line = await service.reload(`${fixed}\nlimits: { max_values: 8 }`, "in place");
    expect(line.keys).toEqual(["limits.max_values"]);
    await service.reload(`${fixed}\nlimits: { max_values: 9 }`, "rename");
    const warnings = () => service.log.filter(({ level }) => level === "warn");
    expect(warnings()).toMatchObject([
      { msg: expect.stringMatching(/^needs a restart: state\.redis, state\.prefix, .*store\.durability/) },
    ]);
  });

  it("is rejected if the configuration came from a pipe, which would be empty now", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dragoman-pipe-"));
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [service] = await Promise.all([
      startProcess({ DRAGOMAN_CONFIG: pipe }),
      writeFile(pipe, "limits: { max_values: 7 }"),
    ]);
    await using _ = service;
    service.child.kill("SIGHUP");
    const line = await service.logLine(({ msg }) => msg === notReloaded);
    expect(mistakesOf(line)).toEqual([`${pipe}: can be read only once; start Dragoman with a regular file`]);
    rmSync(folder, { recursive: true });
  });

  it("waits until a TLS file that a wrong configuration names is there", async () => {
    await using service = await startReloadable("{}");
    const tls = "grpc: { tls: { certificate: a.crt, key: a.key } }";
    const first = await service.reject(tls, "rename");
    expect(mistakesOf(first)[0]).toMatch(/^grpc\.tls\.certificate: cannot be read: it does not exist \(ENOENT\)/);
    const second = service.logLine(
      (line) => line.msg === notReloaded && /is not a cert/.test(String(mistakesOf(line))),
    );
    writeFileSync(join(service.folder, "a.crt"), "none");
    expect(await second).toMatchObject({ trigger: "file" });
  });
});
