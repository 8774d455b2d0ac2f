import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../../src/cli/command-line.ts";
import { CommandError, UsageError } from "../../../src/cli/failures.ts";
import { startConfigured } from "../../support/configured-process.ts";
import type { ServiceProcess } from "../../support/process.ts";
import { testShell } from "../../support/shell.ts";

const hash = (key: string): string => createHash("sha256").update(key).digest("hex");

describe("commands of operators at a running service", () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await startConfigured(`
authentication:
  keys:
    - { id: operator, sha256: ${hash("operator-key")}, role: admin }
    - { id: team, sha256: ${hash("team-key")} }
`);
  });
  afterAll(() => service[Symbol.asyncDispose]());

  /** Runs a command with a key. Returns what it printed, and the message of its failure. */
  async function run(key: string, ...parameters: readonly string[]) {
    const shell = testShell({ environment: { DRAGOMAN_ADDRESS: service.grpcAddress, DRAGOMAN_API_KEY: key } });
    const failure = await runCommandLine(parameters, shell).then(
      () => undefined,
      (error: unknown) => (error instanceof CommandError ? error.message : Promise.reject(error)),
    );
    return { output: shell.printed, error: shell.reported, failure };
  }

  it("creates, lists, rotates and revokes keys", async () => {
    const created = await run("operator-key", "keys", "create", "--name", "Team A", "--expires", "2999-12-31");
    expect(created.output).toMatch(/^sk-drgm-[0-9a-f]{32}-[0-9a-f]{64}\n$/);
    expect(created.error).toMatch(/^dragoman: created the key [0-9a-f]{32} with the role caller; nobody can read it/);
    const id = created.output.split("-")[2] ?? "";
    const rotated = await run("operator-key", "keys", "rotate", id, "--old-for", "0");
    expect(rotated.output).toMatch(new RegExp(`^sk-drgm-${id}-`));
    expect((await run(created.output.trim(), "models")).failure).toContain("CREDENTIALS_INVALID");
    expect((await run(rotated.output.trim(), "models")).failure).toBeUndefined();
    expect(await run("operator-key", "keys", "revoke", id)).toMatchObject({ output: "", failure: undefined });
    const { output } = await run("operator-key", "keys", "list");
    const today = new Date().toISOString().slice(0, 10);
    expect(output.split("\n").map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
      ["id", "name", "role", "accounts", "models", "created", "state"],
      [id, "Team A", "caller", "any", "all", today, `revoked ${today}`],
      expect.arrayContaining(["operator", "admin", "in the file", "valid"]),
      expect.arrayContaining(["team", "caller", "in the file", "valid"]),
      [""],
    ]);
    const refused = await run("team-key", "keys", "list");
    expect(refused.failure).toContain("PERMISSION_DENIED (ROLE_NOT_ALLOWED)");
  });

  it("shows the usage of all keys, and to a caller that of its own", async () => {
    for (const key of ["operator-key", "team-key", "team-key"]) {
      expect((await run(key, "chat", "one two", "--model", "echo/echo")).output).toBe("one two\n");
    }
    // A call is in the ledger soon after its end.
    const sums = async (key: string, calls: number): Promise<readonly object[]> => {
      for (;;) {
        const { output } = await run(key, "usage", "--by", "key", "--json");
        const rows = output.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
        if (rows.reduce((sum, row) => sum + row.calls, 0) === calls) return rows;
      }
    };
    expect(await sums("team-key", 2)).toMatchObject([{ key: "team", calls: 2, input_tokens: 4, output_tokens: 4 }]);
    expect(await sums("operator-key", 3)).toHaveLength(2);
    const own = await run("team-key", "usage", "--by", "key", "--interval", "day", "--json");
    expect(own.output).not.toContain("operator");
  });

  it("shows the targets that were called", async () => {
    await run("team-key", "chat", "Hello", "--model", "echo/echo");
    expect((await run("operator-key", "targets")).output).toContain("echo/echo");
    expect((await run("team-key", "targets")).failure).toContain("use a key with that role");
  });
});

describe("a command for a service or its database", () => {
  const attempt = (parameters: readonly string[], environment = {}) =>
    runCommandLine(parameters, testShell({ environment }));

  it.each([
    [["keys", "list", "--config", "a", "--address", "b"], /--address is for a running service, and --config for/],
    [["usage", "--config", "a", "--key-file", "b"], /--key-file is for a running service, and --config for/],
    [["keys", "revoke", "a", "--tls"], /--tls is for a running service; write its address with --address/],
  ])("rejects %j", async (parameters, message) => {
    await expect(attempt(parameters)).rejects.toThrow(UsageError);
    await expect(attempt(parameters)).rejects.toThrow(message);
  });

  it("uses the database of a configuration that the command line names, whatever the variable is", async () => {
    const file = join("/no/such", "dragoman.yaml");
    await expect(attempt(["usage", "--config", file], { DRAGOMAN_ADDRESS: "127.0.0.1:1" })).rejects.toThrow(
      /cannot be read: it does not exist \(ENOENT\)/,
    );
  });
});
