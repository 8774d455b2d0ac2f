import type { DatabaseSync } from "node:sqlite";
import { nodeSqlite } from "../../database/node-sqlite.ts";

/** SQLite's result code of a file that another connection has locked: https://www.sqlite.org/rescode.html#busy */
const busy = 5;

/**
 * Lock of a folder, which ends with the process that holds it, however it ends. The lock is that of an empty SQLite
 * database: Node.js has no other file lock. It also works between threads and between several owners in one process.
 *
 * Nothing else may open the file: when a process closes a file, POSIX ends all its locks of that file.
 */
export class FileLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Locks a file, and creates it if it does not exist. Returns undefined if another owner has locked it. */
  static acquire(path: string): FileLock | undefined {
    const database = new (nodeSqlite().DatabaseSync)(path, { timeout: 0 });
    try {
      // The transaction never ends, and writes nothing.
      database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      return new FileLock(database);
    } catch (error) {
      database.close();
      if (error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === busy) return undefined;
      throw error;
    }
  }

  /** Later calls have no effect. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
