import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { installed } from "../tools.ts";

/** What a Python program gets to play a case: the class `Case` of harness.py. */
export interface PythonCase {
  /** `x-request-id` of each request. */
  readonly id: string;
  readonly client: string;
  readonly name: string;
  /** Address of the service, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly model: string;
  readonly prompt: string;
  /** Result of the tool for each city. */
  readonly results?: Readonly<Record<string, string>>;
  /** Further fields of the body of an embeddings request. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Error of a client, with the error that it wraps. */
export interface ClientError {
  readonly class: string;
  readonly message?: string;
  readonly status_code?: number;
  readonly code?: string;
  readonly param?: string;
  readonly type?: string;
  readonly cause?: ClientError;
}

/** What a client saw of a case. */
export interface PythonResult {
  readonly text?: string;
  /** Why the response ended, in the client's words. */
  readonly end?: string;
  /** Input tokens and output tokens. */
  readonly tokens?: readonly number[];
  readonly value?: Readonly<Record<string, unknown>>;
  readonly vectors?: readonly (readonly number[])[];
  /** Whether the client ended a call that its user cancelled. */
  readonly cancelled?: boolean;
  /** Names of the models. */
  readonly models?: readonly string[];
  readonly error?: ClientError;
  /** Cities for which the client ran the tool, in their order. */
  readonly cities: readonly string[];
  /** Differences between the responses and the types that OpenAI and Anthropic publish. */
  readonly differences: readonly string[];
}

/** Running Python program with the clients of one family. */
export interface PythonProgram extends AsyncDisposable {
  play(fields: PythonCase): Promise<PythonResult>;
  /** Lets a case that waits for it cancel its call. */
  cancel(): void;
}

/** Starts a program of test/interop/python/matrix, and waits until it is ready. It plays one case at a time. */
export async function startProgram(program: string): Promise<PythonProgram> {
  const script = fileURLToPath(new URL(`../python/matrix/${program}`, import.meta.url));
  const child = spawn(installed("python/bin/python"), ["-W", "ignore", script], { stdio: ["pipe", "pipe", "pipe"] });
  let problems = "";
  child.stdin.on("error", () => {}); // The program may have ended.
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    problems += chunk;
  });
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`${program} ended: ${problems}`);
    return value;
  };
  await nextLine();
  return {
    async play(fields) {
      child.stdin.write(`${JSON.stringify(fields)}\n`);
      return JSON.parse(await nextLine());
    },
    cancel() {
      child.stdin.write("\n");
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
    },
  };
}
