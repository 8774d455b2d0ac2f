import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Sends a command and returns its reply. */
type Send = (command: readonly string[]) => Promise<unknown>;

const source = readFileSync(new URL("./limits.lua", import.meta.url), "utf8");
const version = createHash("sha256").update(source).digest("hex").slice(0, 12);
const functionName = `dragoman_limits_${version}`;
const library = `#!lua name=${functionName}\n${source}\nredis.register_function('${functionName}', run)\n`;
const script = `${source}\nreturn run(KEYS, ARGV)\n`;
const scriptHash = createHash("sha1").update(script).digest("hex");

/** Returns the command that runs a message. */
export type MessageCommand = (key: string, message: string) => readonly string[];

/**
 * Loads the code of the limits (limits.lua) into Redis, unless it is there. The name of the function library contains
 * the version of the code, so that replicas of two releases can run at the same time. Servers without functions, such
 * as Redis 6, get a script.
 */
export async function loadLimits(send: Send): Promise<MessageCommand> {
  try {
    await send(["FUNCTION", "LOAD", library]);
  } catch (error) {
    const text = String(error);
    if (/unknown command|unknown subcommand|NOPERM/i.test(text)) {
      await send(["SCRIPT", "LOAD", script]);
      return (key, message) => ["EVALSHA", scriptHash, "1", key, message];
    }
    if (!/already exists/i.test(text)) throw error;
  }
  return (key, message) => ["FCALL", functionName, "1", key, message];
}
