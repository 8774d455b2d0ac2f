import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../../../src/cli/command-line.ts";
import { CommandError, UsageError } from "../../../src/cli/failures.ts";
import { parseExpiry, parseList } from "../../../src/cli/keys/values.ts";
import { testFolder } from "../../support/databases.ts";
import { testShell } from "../../support/shell.ts";

/** Runs commands with a database of their own. Returns what each printed on standard output and standard error. */
function program(yaml = "authentication: { mode: keys }") {
  const file = join(testFolder(), "dragoman.yaml");
  writeFileSync(file, `${yaml}\nstore: { database: "sqlite:own.db" }\n`);
  return async (...parameters: string[]) => {
    const shell = testShell({ environment: { DRAGOMAN_CONFIG: file } });
    await runCommandLine(parameters, shell);
    return { printed: shell.printed, reported: shell.reported };
  };
}

const idOf = (text: string) => text.split("-")[2] ?? "";

describe("dragoman keys", () => {
  it("prints only the key on standard output, so that it can be piped", async () => {
    const run = program();
    const { printed, reported } = await run("keys", "create", "--role", "admin");
    expect(printed).toMatch(/^sk-drgm-[0-9a-f]{32}-[0-9a-f]{64}\n$/);
    const line = `dragoman: created the key ${idOf(printed)} with the role admin; nobody can read it again\n`;
    expect(reported).toBe(line);
  });

  it("says that callers need no key yet", async () => {
    const { reported } = await program("log: { level: info }")("keys", "create");
    expect(reported).toContain("authentication.mode is loopback: set it to keys");
  });

  it("lists the newest key first, with what it may do and its state, and never a secret", async () => {
    const run = program();
    expect(await run("keys", "list")).toEqual({
      printed: "",
      reported: "dragoman: the database has no keys; `dragoman keys create` makes one\n",
    });
    const first = (await run("keys", "create", "--name", "Team A", "--models", "gpt-*, claude-*")).printed;
    const second = (await run("keys", "create", "--account", "a,b", "--expires", "2999-12-31")).printed;
    await run("keys", "revoke", idOf(first));
    const { printed } = await run("keys", "list");
    const today = new Date().toISOString().slice(0, 10);
    expect(printed.split("\n").map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
      ["id", "name", "role", "accounts", "models", "created", "state"],
      [idOf(second), "caller", "a,b", "all", today, "valid until 2999-12-31"],
      [idOf(first), "Team A", "caller", "any", "gpt-*,claude-*", today, `revoked ${today}`],
      [""],
    ]);
    for (const key of [first, second]) expect(printed).not.toContain(key.trim().slice(-64));
  });

  it("rotates a key: the id stays", async () => {
    const run = program();
    const { printed } = await run("keys", "create");
    const rotated = await run("keys", "rotate", idOf(printed), "--old-for", "7d");
    expect(idOf(rotated.printed)).toBe(idOf(printed));
    expect(rotated.printed).not.toBe(printed);
    expect(rotated.reported).toMatch(/its former secret ends at \d{4}-/);
    expect((await run("keys", "rotate", idOf(printed), "--old-for", "0")).reported).toMatch(/ends now\n$/);
  });

  it.each([
    [["keys", "create", "--role", "root"], "--role is not a role; write one of caller, viewer, admin"],
    [["keys", "create", "--expires", "yesterday"], /^--expires is not a time in the future; write 90d/],
    [["keys", "create", "--account", "a,,b"], /^--account has an empty item/],
    [["keys", "create", "--account", "a".repeat(257)], /^--account has a name that is too long or has control/],
    [
      ["keys", "create", "--name", "\u001b[2J"],
      /^--name has a name that is too long or has control characters; write up to 256/,
    ],
    [["keys", "create", "--models", `${"a,".repeat(256)}a`], /^--models has more than 256 items; write fewer/],
    [["keys", "rotate", "a", "--old-for", "366d"], /^--old-for is not a duration; write 7d/],
    [["keys", "rotate"], /^<id> is missing/],
  ])("rejects %j", async (parameters, message) => {
    await expect(program()(...parameters)).rejects.toThrow(UsageError);
    await expect(program()(...parameters)).rejects.toThrow(message);
  });

  it.each(["rotate", "revoke"])("says that there is no key to %s", async (word) => {
    const attempt = program()("keys", word, "unknown");
    await expect(attempt).rejects.toThrow(CommandError);
    await expect(attempt).rejects.toThrow(/^key unknown: the database has no such key/);
  });

  it("names the database that it cannot use, without its password", async () => {
    const file = join(testFolder(), "dragoman.yaml");
    writeFileSync(file, 'store: { database: "postgres://me:hush@127.0.0.1:1/none" }');
    const attempt = runCommandLine(["keys", "create"], testShell({ environment: { DRAGOMAN_CONFIG: file } }));
    await expect(attempt).rejects.toThrow(/^cannot use the database postgres:\/\/127\.0\.0\.1:1\/none: .*ECONNREFUSED/);
  });
});

describe("values of options", () => {
  it("reads lists and times", () => {
    expect(parseList("account", undefined, 2)).toEqual([]);
    expect(parseList("account", " a , b", 2)).toEqual(["a", "b"]);
    expect(parseExpiry(undefined)).toBeUndefined();
    expect(parseExpiry("2999-12-31T10:00Z")).toBe(Date.parse("2999-12-31T10:00:00Z"));
    const inDays = ((parseExpiry("90d") ?? 0) - Date.now()) / 86_400_000;
    expect(inDays).toBeCloseTo(90, 3);
  });

  it.each(["0", "0d", "90", "2020-01-01", "soon"])("accepts no expiry %s", (text) => {
    expect(() => parseExpiry(text)).toThrow(UsageError);
  });
});
