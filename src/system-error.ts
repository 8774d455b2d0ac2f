/** What the codes of system errors mean for the user of a file or an address. */
const meanings: Readonly<Record<string, string>> = {
  EACCES: "the permission is missing",
  EADDRINUSE: "the port is in use",
  EADDRNOTAVAIL: "this machine does not have the address",
  EISDIR: "it is a folder",
  ENOENT: "it does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a folder in its path is a file",
  ENOTFOUND: "the host has no address",
  EPERM: "the permission is missing",
  EROFS: "the file system is read-only",
};

/** Describes the code of a system error in words: `it does not exist (ENOENT)`. */
export function describeSystemCode(code: string): string {
  const meaning = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  return meaning === undefined ? code : `${meaning} (${code})`;
}

/** Returns the code of a system error, such as ENOENT. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}

/** Describes a system error in words, without the path or the address that it is about. */
export function describeSystemError(error: unknown): string {
  return describeSystemCode(systemCode(error));
}
