import { describe, expect, it } from "vitest";
import { defineCommand, type Option } from "../../src/cli/command.ts";
import { parseFlags, programHelp, runCommandLine } from "../../src/cli/command-line.ts";
import { commands } from "../../src/cli/commands.ts";
import { UsageError } from "../../src/cli/failures.ts";
import { runProgram } from "../support/run-program.ts";
import { testShell } from "../support/shell.ts";

describe("a command line without a command", () => {
  it("serves by default", () => {
    expect(parseFlags([])).toEqual({ action: "serve", file: undefined });
    expect(parseFlags(["--config", "a.yaml"])).toEqual({ action: "serve", file: "a.yaml" });
    expect(parseFlags(["--check", "--config=a.yaml"])).toEqual({ action: "check", file: "a.yaml" });
  });

  it.each(["help", "version", "check", "hash-key"])("accepts --%s and explains it in the help", (action) => {
    expect(parseFlags([`--${action}`]).action).toBe(action);
    expect(programHelp(commands)).toContain(`--${action} `);
  });

  it("accepts -h for --help, before and after a command", async () => {
    for (const parameters of [["-h"], ["help"], ["check", "-h"], ["keys", "-h"], ["keys", "create", "-h"]]) {
      const { status, output } = await runProgram(parameters);
      expect([status, output]).toEqual([0, expect.stringMatching(/^(Usage|Commands):/)]);
    }
  });

  it("lets --help override other actions", () => {
    expect(parseFlags(["--check", "--help"]).action).toBe("help");
  });

  it.each([
    [["--chek"], "unknown option '--chek'; did you mean --check?"],
    [["--colour"], "unknown option '--colour'; see --help"],
    [["-x"], "unknown option '-x'; see --help"],
    [["--Foo.bar"], "unknown option '--Foo.bar'; see --help"],
    [["--config"], "option '--config <value>' argument missing; see --help"],
    [["--config="], "--config needs a path"],
    [["--check=1"], "option '--check' does not take an argument; see --help"],
    [["--check", "--hash-key"], "--check and --hash-key cannot be combined"],
  ])("rejects %j", (parameters, message) => {
    expect(() => parseFlags(parameters)).toThrow(new UsageError(message));
  });

  it("does not quote an unexpected argument, which may be a key", () => {
    expect(() => parseFlags(["--hash-key", "sk-secret"])).toThrow(/^(?!.*sk-secret).*standard input/);
  });
});

/** Command that prints what it got. */
function printing<const Operand extends string = never>(words: string, operands: Readonly<Record<Operand, string>>) {
  const command = defineCommand<Record<"by" | "json", Option>, Operand>({
    description: `Tries ${words}.`,
    options: {
      by: { type: "string", value: "<groups>", help: "what to group by" },
      json: { type: "boolean", help: "print JSON" },
    },
    operands,
    examples: [
      ["Try it", words],
      ["Try it with JSON", `${words} --json`],
    ],
    run: (values, given, { stdout }) => void stdout.write(JSON.stringify({ words, ...values, ...given })),
  });
  return { words, summary: `try ${words}`, load: async () => ({ command }) };
}

const table = [
  printing("serve", {}),
  printing("look", { place: "where to look" }),
  printing("keys create", {}),
  printing("keys list", {}),
];

async function run(...parameters: readonly string[]): Promise<string> {
  const shell = testShell();
  await runCommandLine(parameters, shell, table);
  return shell.printed;
}

describe("a command line with a command", () => {
  it.each([
    [[], { words: "serve" }],
    [["serve", "--json"], { words: "serve", json: true }],
    [["look", "here", "--by", "model"], { words: "look", by: "model", place: "here" }],
    [["look", "--by=model", "here"], { words: "look", by: "model", place: "here" }],
    [["look", "--", "--here"], { words: "look", place: "--here" }],
    [["keys", "create", "--json"], { words: "keys create", json: true }],
    [["keys", "list"], { words: "keys list" }],
  ])("runs the command of %j", async (parameters, expected) => {
    expect(JSON.parse(await run(...parameters))).toEqual(expected);
  });

  it.each([
    [["lok"], "unknown command lok; did you mean look?"],
    [["something"], "unknown command something; see --help"],
    [["sk-Af83Kd"], "unknown command; see --help"],
    [["keys", "crate"], "unknown command keys crate; did you mean keys create?"],
    [["keys", "turn-around"], "unknown command keys turn-around; see --help"],
    [["keys"], "the command is not complete; write keys create or keys list"],
    [["keys", "--json"], "the command is not complete; write keys create or keys list"],
    [["look"], "<place> is missing: where to look; see dragoman look --help"],
    [["look", "a", "b"], "unexpected argument; write only options; see dragoman look --help"],
    [["look", "a", "--bye"], "unknown option '--bye'; did you mean --by?"],
    [["look", "a", "--nothing"], "unknown option '--nothing'; see dragoman look --help"],
    [["help", "lok"], "unknown command lok; did you mean look?"],
    [["hlep"], "unknown command hlep; did you mean help?"],
    [["look", "a", "--by="], "--by needs a value; see dragoman look --help"],
    [["look", "a", "--by", "b", "--by", "c"], "--by is there twice; write it once"],
  ])("rejects %j", async (parameters, message) => {
    await expect(run(...parameters)).rejects.toThrow(new UsageError(message));
  });

  it("prints the options and arguments of a command", async () => {
    expect(await run("look", "--help")).toBe(
      [
        "Usage: dragoman look <place> [options]",
        "",
        "Tries look.",
        "",
        "Arguments:",
        "  place  where to look",
        "",
        "Options:",
        "  --by <groups>  what to group by",
        "  --json         print JSON",
        "  -h, --help     print this help and exit",
        "",
        "Examples:",
        "  # Try it",
        "  dragoman look",
        "",
        "  # Try it with JSON",
        "  dragoman look --json",
        "",
      ].join("\n"),
    );
  });

  it("prints all commands, or those that begin with a word", async () => {
    expect(await run("--help")).toContain("  serve        try serve\n  look         try look\n  keys create  try keys");
    const family = await run("keys", "--help");
    expect(family).toContain("  keys create  try keys create\n  keys list    try keys list\n");
    expect(family).not.toContain("look");
  });

  it("prints the same help for the command help", async () => {
    expect(await run("help")).toBe(await run("--help"));
    expect(await run("help", "look")).toBe(await run("look", "--help"));
    expect(await run("help", "keys")).toBe(await run("keys", "--help"));
    expect(await run("help", "keys", "list")).toBe(await run("keys", "list", "--help"));
  });

  it("takes further arguments and repeated options if the command has them", async () => {
    const command = defineCommand({
      description: "Tries it.",
      options: { by: { type: "string", value: "<group>", help: "what to group by", isRepeated: true } },
      rest: ["word", "what to say"],
      examples: [
        ["Say one word", "say one"],
        ["Say two", "say one two"],
      ],
      run: ({ by }, _, { stdout }, words) => void stdout.write(JSON.stringify({ by, words })),
    });
    const shell = testShell();
    const say = { words: "say", summary: "say words", load: async () => ({ command }) };
    await runCommandLine(["say", "one", "--by", "a", "-", "--by", "b"], shell, [say]);
    expect(JSON.parse(shell.printed)).toEqual({ by: ["a", "b"], words: ["one", "-"] });
    expect(command.help("say")).toContain("Usage: dragoman say [<word>...] [options]");
    await expect(runCommandLine(["say", "--by="], shell, [say])).rejects.toThrow(/^--by needs a value/);
  });
});

describe.each(commands)("the command $words", ({ words, load }) => {
  it("explains itself within 100 columns", async () => {
    const { command } = await load();
    const help = command.help(words);
    expect(help).toMatch(new RegExp(`^Usage: dragoman ${words} `));
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("has examples of itself", async () => {
    const [, examples = ""] = (await load()).command.help(words).split("Examples:\n");
    expect(examples.split("\n").filter((line) => line.startsWith(`  dragoman ${words}`)).length).toBeGreaterThan(1);
  });

  it("parses its examples", async () => {
    const { command } = await load();
    const examples = command.help(words).matchAll(/^ {2}dragoman (.+)$/gm);
    for (const [, line = ""] of examples) {
      // What follows is for the shell.
      const [own = ""] = line.split(/ [|<>] /);
      const parameters = [...own.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      expect(parameters.slice(0, words.split(" ").length).join(" ")).toBe(words);
      expect(() => command.check(words, parameters.slice(words.split(" ").length))).not.toThrow();
    }
  });
});
