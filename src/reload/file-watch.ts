import { type FSWatcher, watch } from "node:fs";
import { type FileState, folderIdentity, foldersOf, readState } from "./read-state.ts";

/** Quiet time in ms after a change, in which the writer may go on. */
const quietMs = 100;

/** Longest delay in ms of a look at the files, if changes do not end. */
const longestDelayMs = 1_000;

/** Interval in ms of looks without a change that was reported: network file systems report none. */
const usualPollMs = 5_000;

interface WatchOptions {
  /** Called when the content of a file has changed. A file that is missing or empty has not: it is about to be written. */
  readonly onChange: () => void;
  /** Interval in ms of looks at the files. Default: 5 seconds. */
  readonly pollMs?: number;
  /** Whether the operating system is asked to report changes. Default true. */
  readonly reports?: boolean;
}

interface WatchedFolder {
  readonly watcher: FSWatcher;
  readonly identity: string;
}

/**
 * Watches the content of files. It watches their folders, since editors replace a file, and Kubernetes replaces a link
 * in its folder. Does not keep the process running.
 */
export class FileWatch {
  readonly #options: WatchOptions;
  readonly #files = new Map<string, FileState>();
  readonly #folders = new Map<string, WatchedFolder>();
  readonly #poll: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  /** When the changes began that no look has followed yet. */
  #changingSince: number | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#poll = setInterval(() => void this.#look(), options.pollMs ?? usualPollMs).unref();
  }

  /**
   * Watches these files and no others. Each has the content that was read; another content is a change, also if the file
   * changed before this call.
   */
  async setFiles(contents: ReadonlyMap<string, FileState>): Promise<void> {
    for (const path of this.#files.keys()) if (!contents.has(path)) this.#files.delete(path);
    for (const [path, state] of contents) this.#files.set(path, state);
    await this.#watchFolders();
    this.#changed();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  /** Looks at the files when no more changes come. */
  readonly #changed = (): void => {
    if (this.#isClosed || this.#files.size === 0) return;
    const now = performance.now();
    this.#changingSince ??= now;
    const waitMs = Math.min(quietMs, this.#changingSince + longestDelayMs - now);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, waitMs)).unref();
  };

  /** Looks at the files. Only one look is in progress: changes meanwhile lead to a further one. */
  #look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#changed();
      return this.#looking;
    }
    this.#changingSince = undefined;
    this.#looking = this.#compare().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #compare(): Promise<void> {
    const files = [...this.#files];
    const states = await Promise.all(files.map(([path, known]) => readState(path, known)));
    await this.#watchFolders();
    if (this.#isClosed) return;
    let isChanged = false;
    for (const [index, [path, known]] of files.entries()) {
      const state = states[index];
      // `setFiles` may have run meanwhile.
      if (state === undefined || this.#files.get(path) !== known) continue;
      isChanged ||= state.digest !== known.digest;
      this.#files.set(path, state);
    }
    if (isChanged) this.#options.onChange();
  }

  /** Watches the folders in which the files are now. */
  async #watchFolders(): Promise<void> {
    if (this.#options.reports === false) return;
    const needed = new Set((await Promise.all([...this.#files.keys()].map(foldersOf))).flat());
    const identities = await Promise.all([...needed].map(async (path) => [path, await folderIdentity(path)] as const));
    if (this.#isClosed) return;
    for (const path of this.#folders.keys()) if (!needed.has(path)) this.#stopWatching(path);
    for (const [path, identity] of identities) {
      if (this.#folders.get(path)?.identity === identity) continue;
      this.#stopWatching(path);
      if (identity !== undefined) this.#watchFolder(path, identity);
    }
  }

  #watchFolder(path: string, identity: string): void {
    try {
      const watcher = watch(path, { persistent: false }, this.#changed);
      watcher.on("error", () => this.#stopWatching(path));
      this.#folders.set(path, { watcher, identity });
    } catch {
      // The system has no watch left, or cannot watch this file system. The looks at intervals still see changes.
    }
  }

  #stopWatching(path: string): void {
    this.#folders.get(path)?.watcher.close();
    this.#folders.delete(path);
  }
}
