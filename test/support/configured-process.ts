import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServiceProcess, startProcess } from "./process.ts";

/**
 * Starts the program with a configuration file. Deletes the file when the program has read it.
 *
 * @param nodeOptions Options for Node.js.
 */
export async function startConfigured(
  yaml: string,
  environment: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
): Promise<ServiceProcess> {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-configured-"));
  try {
    const file = join(folder, "dragoman.yaml");
    writeFileSync(file, yaml);
    return await startProcess({ DRAGOMAN_CONFIG: file, ...environment }, nodeOptions);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
