import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Environment } from "../../../config/environment.ts";
import { PreparationError, type PreparationOutput, type Prepare, type Surroundings } from "../../preparation.ts";
import {
  engineFolder,
  enginePackages,
  type KnownModel,
  knownModels,
  localHome,
  type ModelVariable,
  modelPath,
  namedModels,
  ownModel,
  platformPackages,
} from "../home.ts";
import { downloadModel, installPackages } from "./download.ts";
import { writeHashed } from "./write-hashed.ts";

/** Approximate size of the engine's folder in bytes, for the progress bar. */
const engineBytes = 85e6;

/**
 * Downloads the engine and models: `name`, or those that the variables name if `name` is undefined, or the default model
 * if there are none.
 */
export const prepareLocal: Prepare = async (name, surroundings) => {
  const { environment, output } = surroundings;
  const home = localHome(environment);
  const variables = name === undefined ? namedModels(environment) : [];
  for (const [variable] of variables) {
    const own = ownModel(environment, variable);
    if (own !== undefined) await checkOwnModel(own.path, variable, environment, output);
  }
  const wanted = variables.length > 0 ? variables.map(([, value]) => value) : [name ?? knownModels[0].name];
  const models = knownModels.filter((known) => wanted.includes(known.name));
  if (variables.length === 0 && models.length === 0) {
    const names = knownModels.map((known) => known.name).join(" or ");
    throw new PreparationError(
      `the model ${name} is unknown; write ${names}, or set DRAGOMAN_LOCAL_MODEL to the path of a GGUF file`,
    );
  }
  await prepareEngine(home, surroundings);
  for (const model of models) await prepareModel(home, model, surroundings);
};

async function prepareEngine(home: string, surroundings: Surroundings): Promise<void> {
  const { output } = surroundings;
  const folder = engineFolder(home);
  if (existsSync(folder)) {
    output.write(`engine: already in ${folder}\n`);
    return;
  }
  const platform = `${process.platform}-${process.arch}`;
  const binaries = platformPackages[platform];
  if (binaries === undefined) {
    throw new PreparationError(`node-llama-cpp has no binaries for ${platform}; use another provider on this machine`);
  }
  const packages = { ...enginePackages, [binaries]: enginePackages["node-llama-cpp"] };
  const list = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  output.write(`engine: downloading ${list.join(", ")} with npm (${Math.round(engineBytes / 1e6)} MB)\n`);
  const partial = `${folder}.partial`;
  await installPackages(partial, list, engineBytes, surroundings);
  await rename(partial, folder);
  output.write(`engine: ready in ${folder}\n`);
}

/** Downloads a model, unless its file is present and intact. Other files of the folder stay as they are. */
export async function prepareModel(home: string, model: KnownModel, surroundings: Surroundings): Promise<void> {
  const { output } = surroundings;
  const path = modelPath(home, model);
  if (existsSync(path)) {
    if ((await writeHashed([path], undefined, "checking", output)) === model.sha256) {
      output.write(`model: ${model.name} is already in ${path}\n`);
      return;
    }
    output.write(`model: ${path} is damaged; downloading it again\n`);
    await rm(path);
  }
  const download = join(home, `download-${model.name}`);
  const parts = await downloadModel(download, model, surroundings);
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  const hash = await writeHashed(parts, partial, "writing", output);
  await rm(download, { recursive: true });
  if (hash !== model.sha256) {
    await rm(partial);
    throw new PreparationError(
      `the downloaded model has SHA-256 ${hash} instead of ${model.sha256}; run this command again`,
    );
  }
  await rename(partial, path);
  output.write(`model: ${model.name} is ready in ${path}\n`);
}

async function checkOwnModel(
  path: string,
  variable: ModelVariable,
  environment: Environment,
  output: PreparationOutput,
): Promise<void> {
  if (!existsSync(path)) {
    throw new PreparationError(
      `${variable} is ${path}, which does not exist; set it to a GGUF file or a known model name`,
    );
  }
  const wanted = environment[`${variable}_SHA256`]?.toLowerCase();
  const hash = await writeHashed([path], undefined, "checking", output);
  if (wanted && wanted !== hash) {
    throw new PreparationError(`${path} has SHA-256 ${hash}, but ${variable}_SHA256 is ${wanted}`);
  }
  output.write(`model: using ${path}, SHA-256 ${hash}${wanted ? " (verified)" : ""}\n`);
}
