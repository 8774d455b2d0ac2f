import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/config/secret.ts";
import { GatewayError } from "../../src/errors.ts";
import { createLog } from "../../src/telemetry/log.ts";

function record(level: Parameters<typeof createLog>[0] = "debug") {
  const lines: string[] = [];
  const log = createLog(level, { write: (line) => void lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? "") };
}

describe("the log", () => {
  it("writes one JSON line with time, level name, fields and message", () => {
    const { log, lines, last } = record();
    log.warn({ provider: "openai", attempt: 2 }, "retrying");
    expect(lines[0]?.endsWith("\n")).toBe(true);
    expect(last()).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      provider: "openai",
      attempt: 2,
      msg: "retrying",
    });
  });

  it("drops lines below its level, and all lines if silent", () => {
    const warn = record("warn");
    warn.log.info("no");
    warn.log.error("yes");
    expect(warn.lines).toHaveLength(1);
    const silent = record("silent");
    silent.log.error("no");
    expect(silent.lines).toEqual([]);
  });

  it("hides secrets, headers and prompts at any depth", () => {
    const { log, lines } = record();
    const facts = {
      key: new Secret("sk-secret"),
      headers: { authorization: "sk-secret" },
      request: { messages: ["sk-secret"] },
      call: { deep: [{ prompt: "sk-secret", apiKey: "sk-secret", key: new Secret("sk-secret") }] },
    };
    log.info(facts, "call");
    expect(lines).toHaveLength(1);
    expect(lines.join("")).not.toContain("sk-secret");
  });

  it("hides secrets in class instances and in objects without a prototype", () => {
    const { log, lines } = record();
    class Request {
      readonly headers = Object.assign(Object.create(null), { authorization: "Bearer sk-1" });
      readonly prompt = "my secret";
    }
    log.info({ request: new Request(), nested: [new Request()] }, "sent");
    expect(lines.join("")).not.toMatch(/sk-1|my secret/);
  });

  it("logs circular arrays", () => {
    const { log, lines } = record();
    const circle: unknown[] = [];
    circle.push(circle);
    log.info({ circle }, "around");
    expect(lines).toHaveLength(1);
  });

  it("logs an error's type, message, stack and causes, but not its facts", () => {
    const { log, lines, last } = record();
    const cause = new Error("connection rejected", { cause: new SyntaxError('Unexpected token in "sk-secret"') });
    const facts = { failedGeneration: "sk-secret", cause };
    const err = new GatewayError("JSON_GENERATION_FAILED", "no JSON came", facts);
    for (const line of [{ err }, { nested: { any: err } }]) log.error(line, "failed");
    expect(last().nested.any).toEqual(JSON.parse(lines[0] ?? "").err);
    expect(last().nested.any).toMatchObject({
      type: "GatewayError",
      reason: "JSON_GENERATION_FAILED",
      message: "no JSON came",
      stack: expect.stringMatching(/^ {4}at /),
      cause: { type: "Error", message: "connection rejected", cause: { type: "SyntaxError", message: "[hidden]" } },
    });
    expect(lines.join("")).not.toContain("sk-secret");
  });

  it("logs circular fields and circular causes", () => {
    const { log, lines } = record();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const error = new Error("round");
    error.cause = error;
    log.info({ circle, err: error }, "round");
    expect(lines).toHaveLength(1);
  });

  it("writes to standard output and flushes when the process exits", () => {
    const program = `
      import { createLog, openLogOutput } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/telemetry/log.ts"))};
      const output = openLogOutput(1_000_000, console.error);
      process.on("exit", () => output.flushSync());
      const log = createLog("info", output);
      for (let index = 0; index < 1000; index++) log.info({ index }, "line");
      process.exit(3);
    `;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(status).toBe(3);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).index),
    ).toEqual([...Array(1000).keys()]);
  });
});
