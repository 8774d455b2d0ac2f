import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { abortable } from "../abortable.ts";
import { GatewayError } from "../errors.ts";
import { runLimits, type TemplateJob, type TemplateOutcome } from "./render-strictly.ts";

/** A run ends itself after `runLimits.runMs`, unless one step of it takes long: then the process is ended, after this. */
const longestRunMs = 700;

/** A process that nobody needs is ended after so long. It takes about 45 MB, and 40 ms to start another. */
export const idleMs = 60_000;

const heapMb = 128;

/** Nothing of the service reaches the process: no environment, no file but the program, no child, no thread. */
const startOptions: ForkOptions = {
  env: {},
  execArgv: [
    `--max-old-space-size=${heapMb}`,
    "--permission",
    ...readableFiles().map((path) => `--allow-fs-read=${path}`),
  ],
  // It would print its own fatal errors.
  stdio: ["ignore", "ignore", "ignore", "ipc"],
};

/** This folder, the Jinja library, and the file that says that these are ES modules. */
function readableFiles(): readonly string[] {
  const library = dirname(createRequire(import.meta.url).resolve("@huggingface/jinja"));
  return [import.meta.dirname, dirname(library), join(import.meta.dirname, "../../package.json")];
}

interface Running {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly ended: Promise<unknown>;
}

/**
 * A process that renders templates, one at a time. It starts with the first, stays for the next, is replaced when it
 * had to be ended, and does not keep the service alive.
 *
 * A process and no thread: a thread that runs out of memory takes the service with it. Its limit is kept only where V8
 * can stop between two allocations; growing one Map, or the upper case of one long text, ended the whole process with
 * maxOldGenerationSizeMb set (measured, Node.js 26.10).
 */
export class TemplateProcess {
  #running: Running | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** Undefined while there is none. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** Renders a template. Throws the signal's reason when it fires. */
  async run(job: TemplateJob, signal: AbortSignal): Promise<TemplateOutcome> {
    signal.throwIfAborted();
    clearTimeout(this.#idle);
    // One that died while nobody needed it is not connected.
    const running = this.#running?.child.connected ? this.#running : start();
    this.#running = running;
    setKeepsAlive(running.child, true);
    let isUsable = false;
    try {
      const end = await abortable(render(running, job), signal);
      isUsable = "answer" in end;
      return "answer" in end ? toOutcome(end.answer) : end;
    } finally {
      if (isUsable) this.#rest(running.child);
      else this.close();
    }
  }

  /** Ends the process. The next run starts another. */
  close(): void {
    clearTimeout(this.#idle);
    this.#running?.child.kill("SIGKILL");
    this.#running = undefined;
  }

  #rest(child: ChildProcess): void {
    setKeepsAlive(child, false);
    this.#idle = setTimeout(() => this.close(), idleMs).unref();
  }
}

function start(): Running {
  const child = fork(fileURLToPath(new URL("./template-process-main.ts", import.meta.url)), startOptions);
  const ready = once(child, "message");
  const ended = new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    // It cannot be started, or not be written to.
    child.on("error", () => resolve());
  });
  // A process that cannot be started has ended.
  ready.catch(() => {});
  return { child, ready, ended };
}

/** What the process answered, or why it did not: then it cannot be used any more. */
async function render(
  { child, ready, ended }: Running,
  job: TemplateJob,
): Promise<{ readonly answer: unknown } | { readonly problem: string }> {
  const isReady = await Promise.race([
    ready.then(
      () => true,
      () => false,
    ),
    ended.then(() => false),
  ]);
  if (!isReady) throw new GatewayError("INTERNAL", "the process that renders chat templates cannot be started");
  const { promise: end, resolve } = Promise.withResolvers<{ answer: unknown } | { problem: string }>();
  const onAnswer = (answer: unknown) => resolve({ answer });
  const timer = setTimeout(() => resolve({ problem: `it takes longer than ${runLimits.runMs} ms` }), longestRunMs);
  child.once("message", onAnswer);
  void ended.then(() => resolve({ problem: "it needs too much memory" }));
  child.send(job);
  try {
    return await end;
  } finally {
    clearTimeout(timer);
    child.off("message", onAnswer);
  }
}

function toOutcome(message: unknown): TemplateOutcome {
  if (typeof message === "object" && message !== null) {
    if ("prompt" in message && typeof message.prompt === "string") return { prompt: message.prompt };
    if ("problem" in message && typeof message.problem === "string") return { problem: message.problem };
  }
  throw new Error("the process that renders chat templates answered neither a prompt nor a problem");
}

function setKeepsAlive(child: ChildProcess, keeps: boolean): void {
  for (const handle of [child, child.channel]) {
    if (keeps) handle?.ref();
    else handle?.unref();
  }
}
