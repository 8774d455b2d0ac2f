import { createHash } from "node:crypto";
import { defineCommand } from "./command.ts";
import { UsageError } from "./failures.ts";

export const command = defineCommand({
  description: "Reads an API key from standard input and prints its SHA-256, for authentication.keys.",
  options: {},
  insteadOfArgument: "write the API key to standard input",
  examples: [
    ["Hash a key that a file has", "hash-key < key.txt"],
    ["Hash a key that a container gets as a secret", "hash-key < /run/secrets/dragoman-key"],
  ],
  async run(_, __, { stdin, stdout }) {
    stdout.write(`${await hashKey(stdin)}\n`);
  },
});

/** Reads an API key from `input` and returns the value for `authentication.keys[].sha256`. Throws UsageError. */
export async function hashKey(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  let text = "";
  for await (const chunk of input) text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
  const key = text.trim();
  // A caller could not send a key with other characters in a header.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError("the key must be one line of printable ASCII without spaces");
  return createHash("sha256").update(key).digest("hex");
}
