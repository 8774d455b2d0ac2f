import {
  close,
  constants,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  open,
  readdir,
  stat,
  unlink,
  write,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { segmentNumber } from "./segments.ts";

/**
 * Functions on files that the writer of the outbox needs. Only `writeNow` blocks the event loop, and only while it
 * copies bytes to the kernel, unless the disk stalls.
 */
export interface OutboxFiles {
  /** Creates a file for writing, and returns its descriptor. Rejects if it exists. */
  create(path: string): Promise<number>;
  /** Writes all bytes at a position. */
  write(descriptor: number, bytes: Buffer, position: number): Promise<void>;
  /** Does the same before it returns. Undefined: all writes are in the background. */
  readonly writeNow?: ((descriptor: number, bytes: Buffer, position: number) => void) | undefined;
  truncate(descriptor: number, length: number): Promise<void>;
  /** Resolves when the bytes of a file are on the disk. */
  sync(descriptor: number): Promise<void>;
  /** Resolves when the names of the files in a folder are on the disk. */
  syncFolder(path: string): Promise<void>;
  close(descriptor: number): Promise<void>;
  remove(path: string): Promise<void>;
  /** Whether the file still has a name in a folder. */
  isLinked(descriptor: number): Promise<boolean>;
  /** Returns the size of all segments in a folder, in bytes. */
  segmentBytes(folder: string): Promise<number>;
}

const openAsync = promisify(open);
const closeAsync = promisify(close);

export const systemFiles: OutboxFiles = {
  create: (path) => openAsync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600),
  async write(descriptor, bytes, position) {
    for (let at = 0; at < bytes.length; ) at += await writeOnce(descriptor, bytes, at, position + at);
  },
  writeNow(descriptor, bytes, position) {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, position + at);
  },
  truncate: promisify(ftruncate),
  sync: promisify(fdatasync),
  async syncFolder(path) {
    const descriptor = await openAsync(path, constants.O_RDONLY);
    await promisify(fsync)(descriptor).finally(() => closeAsync(descriptor));
  },
  close: closeAsync,
  remove: promisify(unlink),
  isLinked: async (descriptor) => (await promisify(fstat)(descriptor)).nlink > 0,
  async segmentBytes(folder) {
    const names = (await promisify(readdir)(folder)).filter((name) => segmentNumber(name) !== undefined);
    const sizes = names.map(async (name) => (await promisify(stat)(join(folder, name))).size);
    // The shipper may have deleted a segment meanwhile.
    const results = await Promise.allSettled(sizes);
    return results.reduce((sum, result) => sum + (result.status === "fulfilled" ? result.value : 0), 0);
  },
};

function writeOnce(descriptor: number, bytes: Buffer, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, offset, bytes.length - offset, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
