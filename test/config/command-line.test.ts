import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { hashKey, parseCommandLine, UsageError, usage } from "../../src/config/command-line.ts";

describe("the command line", () => {
  it("serves by default", () => {
    expect(parseCommandLine([])).toEqual({ action: "serve", file: undefined });
    expect(parseCommandLine(["--config", "a.yaml"])).toEqual({ action: "serve", file: "a.yaml" });
    expect(parseCommandLine(["--check", "--config=a.yaml"])).toEqual({ action: "check", file: "a.yaml" });
  });

  it.each(["help", "version", "check", "hash-key"])("accepts --%s and explains it in the help", (action) => {
    expect(parseCommandLine([`--${action}`]).action).toBe(action);
    expect(usage).toContain(`--${action} `);
  });

  it("lets --help override other actions", () => {
    expect(parseCommandLine(["--check", "--help"]).action).toBe("help");
  });

  it.each([
    [["--chek"], "unknown option '--chek'; see --help"],
    [["-x"], "unknown option '-x'; see --help"],
    [["--Foo.bar"], "unknown option '--Foo.bar'; see --help"],
    [["--config"], "option '--config <value>' argument missing; see --help"],
    [["--config="], "--config needs a path"],
    [["--check=1"], "option '--check' does not take an argument; see --help"],
    [["--check", "--hash-key"], "--check and --hash-key cannot be combined"],
  ])("rejects %j with exit code 2", (parameters, message) => {
    expect(() => parseCommandLine(parameters)).toThrow(new UsageError(message));
    expect(new UsageError(message).exitCode).toBe(2);
  });

  it("does not quote an unexpected argument, which may be a key", () => {
    expect(() => parseCommandLine(["--hash-key", "sk-secret"])).toThrow(/^(?!.*sk-secret).*standard input/);
  });
});

describe("--hash-key", () => {
  it("hashes a key without its line end, in any number of chunks", async () => {
    const expected = createHash("sha256").update("sk-key").digest("hex");
    expect(await hashKey(Readable.from(["sk-", "key\r\n"]))).toBe(expected);
    expect(await hashKey(Readable.from([Buffer.from("sk-key")]))).toBe(expected);
  });

  it.each([
    "",
    "\n",
    "two words",
    "two\nlines",
    "schlüssel",
  ])("rejects %j as a key, since a caller could not send it", async (text) => {
    await expect(hashKey(Readable.from([Buffer.from(text)]))).rejects.toThrow(UsageError);
  });
});
