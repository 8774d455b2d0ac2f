import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { makeFolder } from "../../make-folder.ts";
import { FileLock } from "./lock.ts";
import { isMissing, segmentNumber } from "./segments.ts";

const lockFile = "lock.db";
const databaseFile = "database";

/** Attempts to make a folder. Each can fail because another process takes the new folder for an abandoned one. */
const attempts = 10;

/** Names that the folders of processes have. Other files and folders in the outbox are left alone. */
const nameForm = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/**
 * Folder of one process in the outbox. It has the segments, the positions of the sinks, the name of the database that
 * the records are for, and a lock that ends with the process. While the lock is free, any process may take the folder
 * over, which is its owner then.
 */
export class OutboxFolder {
  readonly path: string;
  #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Name of the folder. */
  get instance(): string {
    return basename(this.path);
  }

  /** Makes the folder of this process. Throws a system error if the outbox cannot be written. */
  static create(outbox: string, database: string): OutboxFolder {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const path = join(outbox, randomUUID());
      makeFolder(path);
      const lock = lockFolder(path, database);
      if (lock !== undefined) return new OutboxFolder(path, lock);
    }
    throw new Error(`other processes removed ${attempts} new folders in ${outbox}`);
  }

  /** Takes over a folder. Returns undefined if it has an owner, or does not exist any more. */
  static adopt(path: string): OutboxFolder | undefined {
    const lock = acquire(path);
    // The file is missing if its last owner removed the folder before this process had the lock.
    if (lock === undefined || existsSync(join(path, lockFile))) return lock && new OutboxFolder(path, lock);
    lock.release();
    return undefined;
  }

  /** Makes the folder again after somebody removed it. Throws if that is not possible now. */
  restore(database: string): void {
    this.#lock.release();
    makeFolder(this.path);
    const lock = lockFolder(this.path, database);
    if (lock === undefined) throw new Error(`another process removes ${this.path}`);
    this.#lock = lock;
  }

  /** Removes the folder unless it has segments, and gives up the lock. */
  release(): void {
    try {
      const names = readdirSync(this.path);
      if (names.every((name) => segmentNumber(name) === undefined)) {
        // The lock last: without it, the folder looks abandoned.
        for (const name of names) if (name !== lockFile) rmSync(join(this.path, name));
        rmSync(join(this.path, lockFile));
        rmdirSync(this.path);
      }
    } catch {
      // Another process removes what is left.
    } finally {
      this.#lock.release();
    }
  }
}

/** Returns the paths of the folders of processes in the outbox. None if there is no outbox. */
export function listFolders(outbox: string): readonly string[] {
  try {
    return readdirSync(outbox)
      .filter((name) => nameForm.test(name))
      .map((name) => join(outbox, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Returns the name of the database that the records of a folder are for. Undefined if its process ended too early. */
export function databaseOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, databaseFile), "utf8").trimEnd() || undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Locks a new folder and names its database. Returns undefined if another process removes the folder. */
function lockFolder(path: string, database: string): FileLock | undefined {
  const lock = acquire(path);
  if (lock === undefined) return undefined;
  try {
    writeFileSync(join(path, databaseFile), `${database}\n`);
    if (existsSync(join(path, lockFile))) return lock;
  } catch (error) {
    if (!isMissing(error)) {
      lock.release();
      throw error;
    }
  }
  lock.release();
  return undefined;
}

function acquire(path: string): FileLock | undefined {
  try {
    return FileLock.acquire(join(path, lockFile));
  } catch (error) {
    // SQLite reports a folder that does not exist as a file that it cannot open.
    if (!existsSync(path)) return undefined;
    throw error;
  }
}
