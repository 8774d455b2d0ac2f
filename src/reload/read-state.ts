import { hash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Age in ms from which the times of a file tell its versions apart: file systems can have times of whole seconds. */
const certainMs = 2_000;

/** What is known of a file's content. */
export interface FileState {
  /** SHA-256 of the content. Undefined: the file could not be read. */
  readonly digest: string | undefined;
  /** Tells versions of the file apart without reading it. Undefined: the file is too young for that. */
  readonly version: string | undefined;
}

/** Returns the state of a content that was read at an unknown time. */
export function stateOf(content: Buffer | undefined): FileState {
  return { digest: content && hash("sha256", content), version: undefined };
}

/**
 * Reads a file if it has changed since `known`. Undefined: the file is missing or empty, so that somebody is about to
 * write it, or it cannot be read. A pipe can be read only once, so that it never changes.
 */
export async function readState(path: string, known: FileState): Promise<FileState | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  const { dev, ino, size, mtimeMs, ctimeMs } = stats;
  const version = `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  if (known.version === version) return known;
  const content = await readFile(path).catch(() => undefined);
  if (content === undefined || content.length === 0) return undefined;
  const isCertain = Math.abs(Date.now() - ctimeMs) > certainMs;
  return { ...stateOf(content), version: isCertain ? version : undefined };
}

/**
 * Returns the folders in which an entry changes if a file does: that of the path, and that of the file to which symbolic
 * links lead.
 */
export async function foldersOf(path: string): Promise<readonly string[]> {
  const real = await realpath(path).catch(() => path);
  return [...new Set([dirname(path), dirname(real)])];
}

/** Returns what tells a folder from another one at the same path. Undefined: there is no folder. */
export async function folderIdentity(path: string): Promise<string | undefined> {
  return stat(path).then(
    ({ dev, ino }) => `${dev} ${ino}`,
    () => undefined,
  );
}
