import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** File system of its own, which other processes can fill. */
export interface SmallDisk extends Disposable {
  readonly path: string;
}

/** Mounts a file system in memory, which belongs to the user `nobody`. Only root can. */
export function mountSmallDisk(bytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-disk-"));
  const path = join(folder, "disk");
  chmodSync(folder, 0o711);
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},uid=65534`, "none", path], { stdio: "pipe" });
  return {
    path,
    [Symbol.dispose]() {
      execFileSync("umount", ["--lazy", path], { stdio: "pipe" });
      rmSync(folder, { recursive: true });
    },
  };
}

function canMount(): boolean {
  try {
    mountSmallDisk(65_536)[Symbol.dispose]();
    return true;
  } catch {
    process.stderr.write("skipped tests: only root can mount a small disk\n");
    return false;
  }
}

/** Whether this process may not mount file systems. Prints that the tests that need it are skipped. */
export const noSmallDisk = !canMount();
