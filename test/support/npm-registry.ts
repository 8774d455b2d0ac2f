import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Registry for npm's real client. */
export interface NpmRegistry {
  /** Variables for npm: this registry, a cache of its own, and no repeated requests. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of the packages whose files npm requested, in order. */
  readonly requested: string[];
  /** Packages whose files the registry does not deliver. */
  readonly broken: Set<string>;
}

/** Starts a registry on loopback. `files` has the one file of each package, which has the version 1.0.0. */
export async function startNpmRegistry(
  files: Readonly<Record<string, readonly [path: string, text: string]>>,
): Promise<NpmRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-npm-registry-"));
  const archives = new Map(Object.entries(files).map(([name, file]) => [name, archiveOf(folder, name, file)]));
  const requested: string[] = [];
  const broken = new Set<string>();
  const server = createServer((request, response) => {
    const [, name = "", isFile] = /^\/([^/]+)(\/-\/)?/.exec(request.url ?? "") ?? [];
    const archive = archives.get(name);
    if (isFile) requested.push(name);
    if (archive === undefined || (isFile && broken.has(name))) {
      response.writeHead(archive === undefined ? 404 : 500).end("{}");
      return;
    }
    if (isFile) {
      response.end(archive);
      return;
    }
    const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
    const dist = { tarball: `${origin}/${name}/-/${name}-1.0.0.tgz`, integrity };
    const version = { name, version: "1.0.0", dist };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name, "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = {
    npm_config_registry: origin,
    npm_config_cache: join(folder, "cache"),
    npm_config_fetch_retries: "0",
  };
  return { environment, requested, broken };
}

/** Returns the archive of a package, as `npm pack` makes it. */
function archiveOf(folder: string, name: string, [path, text]: readonly [string, string]): Buffer {
  const root = join(folder, name, "package");
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "package.json"), JSON.stringify({ name, version: "1.0.0" }));
  writeFileSync(join(root, path), text);
  const archive = join(folder, `${name}.tgz`);
  execFileSync("tar", ["-czf", archive, "-C", join(folder, name), "package"]);
  return readFileSync(archive);
}
