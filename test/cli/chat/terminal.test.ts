import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestService, type TestService } from "../../support/service.ts";
import { hasNoTerminal, openTerminal } from "../../support/terminal.ts";

const scripted = (script: unknown): string => JSON.stringify({ echo: script });
const endless = scripted({ text: "one two ", repeat: 100_000, delay_ms: 5 });
const esc = "\u001b";
const ctrlC = "\u0003";
const ctrlD = "\u0004";

describe.skipIf(hasNoTerminal)("dragoman chat in a terminal", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService();
  });
  afterAll(() => service.stop());

  const open = (parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    openTerminal(["chat", "--model", "echo/echo", ...parameters], {
      DRAGOMAN_ADDRESS: service.grpcAddress,
      ...environment,
    });

  it("dims reasoning and the last line, each on lines of its own", async () => {
    const { status, screen } = await open([scripted({ text: "It rains.", reasoning: "look outside" })]).ended;
    expect(status).toBe(0);
    expect(screen.split("\r\n")).toEqual([
      `${esc}[2mreasoning: look ${esc}[22m${esc}[2moutside${esc}[22m`,
      "It rains.",
      expect.stringContaining(`${esc}[2mecho/echo · `),
      "",
    ]);
  });

  it.each([{ NO_COLOR: "1" }, { FORCE_COLOR: "0" }, { TERM: "dumb" }])("has no colors with %j", async (environment) => {
    const { screen } = await open([scripted({ text: "It rains.", reasoning: "look" })], environment).ended;
    expect(screen).toContain("reasoning: look\r\nIt rains.\r\necho/echo · ");
    expect(screen).not.toContain(esc);
  });

  it("replaces what the terminal would obey", async () => {
    const text = `red${esc}[31m bell\u0007 title${esc}]0;x\u0007 over\rwritten \u202eback\nnext\tline`;
    const { screen } = await open(["--quiet", scripted({ deltas: [text] })]).ended;
    expect(screen).toBe("red\ufffd[31m bell\ufffd title\ufffd]0;x\ufffd overwritten \ufffdback\r\nnext\tline\r\n");
  });

  it("ends at Ctrl-C with 130", async () => {
    const terminal = open([endless]);
    await terminal.shows("one two one");
    terminal.type(ctrlC);
    expect((await terminal.ended).status).toBe(130);
  });

  it("is a dialog: Ctrl-C cancels a response, tools get results, Ctrl-D ends", async () => {
    const terminal = open(["--system", "Be brief."]);
    await terminal.shows("> ");
    terminal.type("Hello\n");
    await terminal.shows("tokens in");
    await terminal.shows("> ");
    terminal.type(`${endless}\n`);
    await terminal.shows("one two one");
    terminal.type(ctrlC);
    await terminal.shows("cancelled; the turn is no part of the conversation");
    await terminal.shows("> ");
    terminal.type(`${scripted({ tool_calls: [{ name: "f" }] })}\n`);
    await terminal.shows("result of f> ");
    terminal.type("42\n");
    // The words of the conversation: of the system prompt, Hello twice, the JSON of the call and its result.
    expect(await terminal.shows("tokens in")).toContain("42\r\n");
    await terminal.shows("> ");
    terminal.type(ctrlD);
    const { status, screen } = await terminal.ended;
    expect(status).toBe(0);
    expect(screen).not.toContain("dragoman: ");
  });

  it("goes on with a dialog after a prompt, also if a call fails", async () => {
    const terminal = open(["--continue", scripted({ fail: { reason: "PROVIDER_FAULT" } })]);
    await terminal.shows("dragoman: INTERNAL (PROVIDER_FAULT)");
    await terminal.shows("> ");
    terminal.type("Hello\n");
    await terminal.shows("1 tokens in");
    terminal.type(ctrlD);
    expect((await terminal.ended).status).toBe(0);
  });
});
