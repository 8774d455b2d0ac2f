import { statSync } from "node:fs";
import type { Changes } from "../config/changes.ts";
import { ConfigError } from "../config/config-error.ts";
import type { OnRead } from "../config/config-file.ts";
import type { Log } from "../telemetry/log.ts";
import { FileWatch } from "./file-watch.ts";
import { type FileState, stateOf } from "./read-state.ts";

/** Why a reload begins: a signal, or a changed file. */
export type Trigger = "signal" | "file";

/** What a reload has changed. */
export interface Reloaded {
  /** Number of the configuration, counted from 1. */
  readonly generation: number;
  readonly changes: Changes;
  /** Changed keys that have no effect until a restart. */
  readonly needRestart: readonly string[];
}

interface ReloadOptions<Loaded> {
  /** Reads and checks the configuration as at the start, and adds the files to `read`. Rejects with ConfigError. */
  load(read: FilesRead): Promise<Loaded>;
  /** Applies a configuration. Throws ConfigError, and changes nothing, if it cannot. */
  apply(loaded: Loaded): Reloaded;
  readonly log: Log;
  /** Files that the running configuration was read from. */
  readonly files: FilesRead;
}

/** Reloads the configuration when a file has changed, and when asked. Writes one line to the log for each reload. */
export class Reloader<Loaded> {
  readonly #options: ReloadOptions<Loaded>;
  readonly #watch: FileWatch;
  #last: Promise<void> = Promise.resolve();
  /** The reload that begins when the last one has ended. */
  #next: Promise<void> | undefined;
  #nextTrigger: Trigger = "file";
  #isClosed = false;
  /** Files of the running configuration. */
  #files: FilesRead;
  #needRestart: readonly string[] = [];

  constructor(options: ReloadOptions<Loaded>) {
    this.#options = options;
    this.#files = options.files;
    this.#watch = new FileWatch({ onChange: () => void this.reload("file") });
  }

  /** Begins to watch the files. */
  start(): void {
    void this.#watch.setFiles(this.#files.states);
  }

  /** Resolves when a reload that began after this call has ended. Never rejects. */
  reload(trigger: Trigger): Promise<void> {
    if (trigger === "signal") this.#nextTrigger = trigger;
    this.#next ??= this.#last.then(() => {
      const begun = this.#nextTrigger;
      this.#next = undefined;
      this.#nextTrigger = "file";
      return this.#reload(begun);
    });
    this.#last = this.#next;
    return this.#next;
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
  }

  async #reload(trigger: Trigger): Promise<void> {
    if (this.#isClosed) return;
    const { log } = this.#options;
    const begin = performance.now();
    const durationMs = () => Math.round(performance.now() - begin);
    const read = new FilesRead();
    try {
      requireFiles(this.#options.files.states.keys());
      const loaded = await this.#options.load(read);
      if (this.#isClosed) return;
      const { generation, changes, needRestart } = this.#options.apply(loaded);
      this.#files = read;
      const fields = { trigger, generation, duration_ms: durationMs(), keys: changes.keys, ...changes.names };
      // The content can change and mean the same.
      if (trigger === "file" && changes.keys.length === 0) log.debug(fields, "configuration reloaded");
      else log.info(fields, "configuration reloaded");
      if (needRestart.length > 0 && String(needRestart) !== String(this.#needRestart)) {
        log.warn({ keys: needRestart }, `needs a restart: ${needRestart.join(", ")}`);
      }
      this.#needRestart = needRestart;
    } catch (error) {
      log.error(
        { trigger, duration_ms: durationMs(), ...describe(error) },
        "configuration not reloaded; the old one stays",
      );
    }
    // A wrong configuration can name a file that is not there yet, and the running one still has its own files.
    await this.#watch.setFiles(new Map([...this.#files.states, ...read.states]));
  }
}

/** Files that a configuration was read from. */
export class FilesRead {
  readonly states = new Map<string, FileState>();

  readonly onRead: OnRead = (path, content) => {
    this.states.set(path, stateOf(content));
  };
}

/** Throws ConfigError for a file that can be read only once, such as a pipe. It would be empty now. */
function requireFiles(paths: Iterable<string>): void {
  const problems = [...paths]
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    .map((path) => ({ path, problem: "can be read only once", fix: "start Dragoman with a regular file" }));
  if (problems.length > 0) throw new ConfigError(problems);
}

function describe(error: unknown) {
  if (!(error instanceof ConfigError)) return { err: error };
  return { mistakes: error.problems.map(({ path, problem, fix }) => `${path}: ${problem}; ${fix}`) };
}
