import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../../src/cli/command-line.ts";
import { runProgram } from "../../support/run-program.ts";
import { startTestService, type TestService } from "../../support/service.ts";
import { testShell } from "../../support/shell.ts";

describe("dragoman models", () => {
  let service: TestService;
  beforeAll(async () => {
    const yaml = `
routes: { chat-fast: { tiers: [{ targets: [{ model: echo/echo }] }] } }
models: { priced: { provider: echo, context_window: 128000 } }
prices: { priced: { input: "2.50", output: "10.00" } }
`;
    service = await startTestService({}, undefined, yaml);
  });
  afterAll(() => service.stop());

  async function models(...parameters: readonly string[]) {
    const shell = testShell({ environment: { DRAGOMAN_ADDRESS: service.grpcAddress } });
    await runCommandLine(["models", ...parameters], shell);
    return { printed: shell.printed, reported: shell.reported };
  }

  it("prints a table with context windows, prices and capabilities", async () => {
    const { status, output } = await runProgram(["models", "--address", service.grpcAddress]);
    const lines = output.split("\n").map((line) => line.split(/ {2,}/));
    expect(status).toBe(0);
    expect(lines[0]).toEqual(["id", "provider", "context", "input", "output", "supports"]);
    expect(lines.find(([id]) => id === "priced")?.slice(1, 5)).toEqual(["echo", "128,000", "$2.50", "$10.00"]);
    expect(lines.find(([id]) => id === "chat-fast")?.[5]).toContain("tools");
  });

  it("filters by texts, provider and capabilities", async () => {
    const ids = async (...parameters: readonly string[]) =>
      (await models("--json", ...parameters)).printed.split("\n").flatMap((line) => (line ? JSON.parse(line).id : []));
    expect(await ids("FAST")).toEqual(["chat-fast"]);
    expect(await ids("echo", "--with", "tools,image")).toContain("echo/echo");
    expect(await ids("--provider", "openai")).toEqual([]);
    expect((await models("nothing-like-it")).reported).toMatch(/^dragoman: none of \d+ models matches/);
    await expect(models("--with", "imag")).rejects.toThrow(/unknown capability "imag"; did you mean image\?/);
  });
});
