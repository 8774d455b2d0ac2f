import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/cli/failures.ts";
import { hashKey } from "../../src/cli/hash-key.ts";

describe("hash-key", () => {
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
