import { createHash } from "node:crypto";
import { parseArgs } from "node:util";

export const usage = `Usage: dragoman [options]

Starts the service. Without a file, environment variables select the providers.

Options:
  --config <path>  the configuration file; default: the variable DRAGOMAN_CONFIG, or no file
  --check          check the configuration, print it without secrets, and exit
  --hash-key       read a key from standard input, print its SHA-256 for authentication.keys, and exit
  --version        print the version and exit
  --help           print this help and exit
`;

const actions = ["help", "version", "check", "hash-key"] as const;

interface CommandLine {
  readonly action: "serve" | (typeof actions)[number];
  /** From `--config`. */
  readonly file: string | undefined;
}

/** Invalid command line. The process should print the message and exit with `exitCode`. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly exitCode = 2;
}

/** Parses the arguments that follow the program name. Throws UsageError. */
export function parseCommandLine(parameters: readonly string[]): CommandLine {
  const values = parse(parameters);
  const [action = "serve", other] = actions.filter((name) => values[name]);
  if (action !== "help" && other !== undefined) throw new UsageError(`--${action} and --${other} cannot be combined`);
  if (values.config === "") throw new UsageError("--config needs a path");
  return { action, file: values.config };
}

/** Reads an API key from `input` and returns the value for `authentication.keys[].sha256`. Throws UsageError. */
export async function hashKey(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  let text = "";
  for await (const chunk of input) text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1");
  const key = text.trim();
  // A caller could not send a key with other characters in a header.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UsageError("the key must be one line of printable ASCII without spaces");
  return createHash("sha256").update(key).digest("hex");
}

function parse(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        config: { type: "string" },
        check: { type: "boolean" },
        "hash-key": { type: "boolean" },
        version: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // Do not quote the argument: it may be a key that the user meant to send to standard input.
    if (code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") {
      throw new UsageError("unexpected argument; write only options, and an API key to standard input; see --help");
    }
    const [message = ""] = String(error instanceof Error ? error.message : error).split(/\. |\.?\n|\.$/, 1);
    throw new UsageError(`${message.charAt(0).toLowerCase()}${message.slice(1)}; see --help`);
  }
}
