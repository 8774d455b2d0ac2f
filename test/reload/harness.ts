import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServiceProcess, startProcess } from "../support/process.ts";

/** Ways in which a file is written and the process learns of it. */
export const ways = ["rename", "in place", "link", "signal"] as const;
export type Way = (typeof ways)[number];

/** Dragoman as a separate process whose configuration file can be changed. */
export interface ReloadableProcess extends ServiceProcess {
  /** Folder of the file. */
  readonly folder: string;
  /** Changes the file, and resolves when its configuration is in use, with the line of the log. */
  reload(yaml: string, way?: Way): Promise<Record<string, unknown>>;
  /** Changes the file, and resolves when the process has rejected it, with the line of the log. */
  reject(yaml: string, way?: Way): Promise<Record<string, unknown>>;
  /** Writes the configuration file. */
  write(yaml: string, way: Way): void;
}

/** Starts a process with a configuration file that stays. */
export async function startReloadable(
  yaml: string,
  environment: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
  folder = mkdtempSync(join(tmpdir(), "dragoman-reload-")),
): Promise<ReloadableProcess> {
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, yaml);
  const service = await startProcess({ DRAGOMAN_CONFIG: file, ...environment }, nodeOptions);
  let count = 0;

  function write(text: string, way: Way): void {
    const other = join(folder, `version-${++count}.yaml`);
    if (way === "in place" || way === "signal") {
      // A link leads to a former version.
      if (lstatSync(file).isSymbolicLink()) rmSync(file);
      writeFileSync(file, text);
      if (way === "signal") service.child.kill("SIGHUP");
      return;
    }
    writeFileSync(other, text);
    if (way === "rename") {
      renameSync(other, file);
      return;
    }
    symlinkSync(other, `${file}.link`);
    renameSync(`${file}.link`, file);
  }

  /** Resolves with the next line with this message that the log has after now, but for reloads without a change. */
  async function next(message: string): Promise<Record<string, unknown>> {
    const before = service.log.length;
    return service.logLine((line) => {
      const keys = line.keys as readonly string[] | undefined;
      return line.msg === message && keys?.length !== 0 && service.log.indexOf(line) >= before;
    });
  }

  return {
    ...service,
    folder,
    write,
    reload(text, way = "signal") {
      const reloaded = next("configuration reloaded");
      write(text, way);
      return reloaded;
    },
    reject(text, way = "signal") {
      const rejected = next("configuration not reloaded; the old one stays");
      write(text, way);
      return rejected;
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

export function sha256(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
