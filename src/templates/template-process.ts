import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { abortable } from "../abortable.ts";
import { GatewayError } from "../errors.ts";
import { moduleUrl } from "../module-url.ts";
import { runLimits, type TemplateJob, type TemplateOutcome } from "./template-job.ts";

/** Time in ms after which Dragoman kills the process of a run. A run normally stops itself after `runLimits.runMs`. */
const longestRunMs = 700;

/** Time in ms after which Dragoman kills an idle process. A process needs about 45 MB; starting one takes 40 ms. */
export const idleMs = 60_000;

const heapMb = 128;

const libraryName = "@huggingface/jinja";

/** Isolates the process: no environment variables, no files but its program, no child processes, no worker threads. */
const startOptions: ForkOptions = {
  env: {},
  execArgv: [
    `--max-old-space-size=${heapMb}`,
    "--permission",
    // Some package managers link node_modules or its packages, and no permission covers resolving such a link.
    "--preserve-symlinks",
    ...readableFiles().map((path) => `--allow-fs-read=${path}`),
  ],
  // Otherwise Node.js would print fatal errors of the process on Dragoman's output.
  stdio: ["ignore", "ignore", "ignore", "ipc"],
};

/** Returns the files of the program: this folder, the Jinja library, and package.json, which declares ES modules. */
function readableFiles(): readonly string[] {
  const folders = createRequire(import.meta.url).resolve.paths(libraryName) ?? [];
  const library = folders.map((folder) => join(folder, libraryName)).find((path) => existsSync(path));
  if (library === undefined) throw new Error(`the package ${libraryName} is not installed`);
  return [import.meta.dirname, library, join(import.meta.dirname, "../../package.json")];
}

interface Running {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  /** Resolves when the process exits. */
  readonly ended: Promise<ProcessEnd>;
}

interface ProcessEnd {
  readonly ended: "out of memory" | "for another reason";
}

/** How a run ended: with an answer, by the time limit, or because the process exited. */
type End = { readonly answer: unknown } | { readonly problem: string } | ProcessEnd;

/** Signals with which V8 ends a process whose heap is full. */
const memorySignals: ReadonlySet<NodeJS.Signals | null> = new Set<NodeJS.Signals>(["SIGABRT", "SIGTRAP", "SIGILL"]);

/**
 * A process that renders templates, one at a time. It starts with the first template, serves later ones, and is
 * replaced after it was killed or has died. It does not keep Dragoman running.
 *
 * It is not a worker thread, since a thread that runs out of memory can end the whole service despite
 * `maxOldGenerationSizeMb`: V8 enforces that limit only between two allocations. Growing one Map, or converting one
 * long string to upper case, was enough to do so (measured with Node.js 26.10).
 */
export class TemplateProcess {
  #running: Running | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** Process id. Undefined while no process runs. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** Renders a template. Throws the signal's reason if it is aborted. */
  async run(job: TemplateJob, signal: AbortSignal): Promise<TemplateOutcome> {
    signal.throwIfAborted();
    clearTimeout(this.#idle);
    const resting = this.#running?.child.connected ? this.#running : undefined;
    let end = resting && (await this.#render(resting, job, signal));
    // Rendering has no side effects, so a new process renders the template if a used one ended: it may have been killed
    // while it was idle, and the memory that it ran out of may have been taken by an earlier template.
    if (end === undefined || "ended" in end) end = await this.#render(start(), job, signal);
    if ("answer" in end) return toOutcome(end.answer);
    if ("problem" in end) return end;
    if (end.ended === "out of memory") return { problem: "it needs too much memory" };
    throw new GatewayError("INTERNAL", "the process that renders chat templates exited; retry");
  }

  async #render(running: Running, job: TemplateJob, signal: AbortSignal): Promise<End> {
    this.#running = running;
    setKeepsAlive(running.child, true);
    let isUsable = false;
    try {
      const end = await abortable(render(running, job), signal);
      isUsable = "answer" in end;
      return end;
    } finally {
      if (isUsable) this.#rest(running.child);
      else this.close();
    }
  }

  /** Kills the process. The next run starts another. */
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
  const child = fork(fileURLToPath(moduleUrl("./template-process-main", import.meta.url)), startOptions);
  const ready = once(child, "message");
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.on("exit", (_code, signal) =>
      resolve({ ended: memorySignals.has(signal) ? "out of memory" : "for another reason" }),
    );
    // Emitted if the process could not be started or a message could not be sent. Either way the process is unusable.
    child.on("error", () => resolve({ ended: "for another reason" }));
  });
  // If the process cannot be started, `ended` resolves; ignore the rejection of `ready`.
  ready.catch(() => {});
  return { child, ready, ended };
}

/** Renders a template in a process. Unless the process answers, it cannot be used again. */
async function render({ child, ready, ended }: Running, job: TemplateJob): Promise<End> {
  const isReady = await Promise.race([
    ready.then(
      () => true,
      () => false,
    ),
    ended.then(() => false),
  ]);
  if (!isReady) throw new GatewayError("INTERNAL", "the process that renders chat templates cannot be started");
  const { promise: end, resolve } = Promise.withResolvers<End>();
  const onAnswer = (answer: unknown) => resolve({ answer });
  const timer = setTimeout(() => resolve({ problem: `it takes longer than ${runLimits.runMs} ms` }), longestRunMs);
  child.once("message", onAnswer);
  void ended.then(resolve);
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
  throw new Error("the process that renders chat templates returned neither a prompt nor a problem");
}

function setKeepsAlive(child: ChildProcess, keeps: boolean): void {
  for (const handle of [child, child.channel]) {
    if (keeps) handle?.ref();
    else handle?.unref();
  }
}
