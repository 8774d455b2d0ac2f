import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "../../src/config/config.ts";

/** Gives a service that runs in this process a folder of its own for its data, until the test ends. */
export function withOwnStore(config: Config): Config {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "dragoman.db");
  const store = {
    ...config.store,
    outbox: join(folder, "outbox"),
    database: { kind: "sqlite" as const, name: path, path },
  };
  return { ...config, store };
}
